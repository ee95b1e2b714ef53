"""`Comparison`: fits of several numbers of components, with unequal and equal variances, and the choice among them. Fits nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gmm1d import documents, frames, thumbnails
from gmm1d.candidates import Candidates
from gmm1d.choice import CRITERIA, choose, decimals, missing, standing
from gmm1d.errors import CollapseError, InputError
from gmm1d.families import FAMILIES, UNEQUAL
from gmm1d.formatting import html, text_table
from gmm1d.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.figure import Figure

    from gmm1d.families import Key
    from gmm1d.result import Fit


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Frozen):
    """Fits for several numbers of components, of one family of mixtures or of two.

    ``comparison[k]`` is the fit of the first family, ``comparison[k, "equal"]`` that of a family by its name; it has as many
    items as there are k.

    Attributes
    ----------
    fits : dict of int to Fit
        Those of the first family by k, bit for bit what `fit` returns.
    criterion : {"aic", "bic", "icl"}
        What the choice goes by; lower is better.
    k : int or None
        The chosen number of components; None where nothing is chosen.
    reason : str
        Why, in a sentence.
    collapsed : dict of int to str
        The k of the first family whose climb from the given start ran into a spike, with the sentence that says where.
    family : {"unequal", "equal"} or None
        That of the chosen fit: the first one where k is 1, which all families have in common; None where nothing is chosen.
    families : tuple of str
        What is compared: mixtures of "unequal" variances, of "equal" ones, or both.
    others, others_collapsed : dict
        `fits` and `collapsed` of the second family, if there is one, without k = 1.
    left_out : dict of (int, str) to str
        Why fits take no part in the choice, by k and family, in a word or two: how they ended, or "comb" where the
        components of one variance sit on the steps of recorded values, or "narrow" and "outlier" where a lower criterion is
        chance (`gmm1d.choice.lead`).
    """

    fits: Mapping[int, Fit]
    criterion: str
    k: int | None
    reason: str
    collapsed: Mapping[int, str] = field(default_factory=dict)
    family: str | None = UNEQUAL
    families: tuple[str, ...] = (UNEQUAL,)
    others: Mapping[int, Fit] = field(default_factory=dict)
    others_collapsed: Mapping[int, str] = field(default_factory=dict)
    left_out: Mapping[Key, str] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Candidates, criterion: str) -> Comparison:
        """Choose among fits."""
        key, reason, left_out = choose(found, criterion)
        k, family = key or (None, None)

        def parts(mapping: Mapping[Key, Any]) -> list[dict[int, Any]]:
            first = {k: v for (k, own), v in mapping.items() if own == found.families[0]}
            return [first, {k: v for (k, own), v in mapping.items() if own != found.families[0]}]

        (fits, others), (collapsed, others_collapsed) = parts(found.fits), parts(found.collapsed)
        return cls(
            fits=fits,
            criterion=criterion,
            k=k,
            reason=reason,
            collapsed=collapsed,
            family=family,
            families=found.families,
            others=others,
            others_collapsed=others_collapsed,
            left_out=left_out,
        )

    @property
    def candidates(self) -> Candidates:
        """What was chosen among: the fits of all families by k and family."""
        first, second = self.families[0], self.families[-1]
        fits = {(k, first): f for k, f in self.fits.items()}
        fits |= {(k, second): f for k, f in self.others.items()}
        spikes = {(k, first): why for k, why in self.collapsed.items()}
        spikes |= {(k, second): why for k, why in self.others_collapsed.items()}
        ordered = sorted(fits, key=lambda key: (key[0], key[1] != first))
        return Candidates(self.families, {key: fits[key] for key in ordered}, spikes)

    @property
    def chosen(self) -> Key | None:
        """The chosen k with its family; None where nothing is chosen."""
        return None if self.k is None or self.family is None else (self.k, self.family)

    def name(self, key: Key) -> str:
        """Name the fit of a k and a family, such as "k = 2 with equal variances"."""
        return self.candidates.name(key)

    @property
    def best(self) -> Fit:
        """The chosen fit.

        Raises
        ------
        InputError
            If nothing was chosen; the message is `reason`.
        """
        if self.chosen is None:
            raise InputError(self.reason)
        return self.candidates.fits[self.chosen]

    def __getitem__(self, key: int | Key) -> Fit:
        k, family = key if isinstance(key, tuple) else (key, self.families[0])
        first = family == self.families[0] or (k == 1 and family in FAMILIES)
        if not first and family not in self.families:
            raise KeyError(key)
        spikes = self.collapsed if first else self.others_collapsed
        if k in spikes:
            place = k, self.families[0] if first else family
            raise CollapseError(f"{self.candidates.name(place)}: {spikes[k]}")
        return (self.fits if first else self.others)[k]

    def __iter__(self) -> Iterator[int]:
        return iter(self.fits)

    def __len__(self) -> int:
        return len(self.fits)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the rows of the comparison, formatted; the chosen k is marked.

        Where not only unequal variances were compared, a column says which those of a row are.
        """
        found = self.candidates
        rows = []
        for key in found.keys:
            numbers, ending = ["–"] * (1 + len(CRITERIA)), missing(found.collapsed.get(key, ""))
            if key in found.fits:
                f = found.fits[key]
                values = f.log_likelihood, *(getattr(f, name) for name in CRITERIA)
                numbers, ending = [*map(decimals, values)], standing(f, self.left_out.get(key))
            mark = "*" if key == self.chosen else ""
            first, *others = found.cells(key)
            rows.append([mark + first, *others, *numbers, ending])
        return [*found.header, "log-likelihood", *map(str.upper, CRITERIA), "ending"], rows

    @property
    def row(self) -> int | None:
        """The row of the chosen fit in the table; None where nothing is chosen."""
        return None if self.chosen is None else self.candidates.keys.index(self.chosen)

    def formulas(self) -> list[str]:
        """Return the fitted densities as text, one for every k and family."""
        found = self.candidates
        return [f"{found.name(key)}: {found.fits[key].mixture.formula()}" for key in found.fits]

    def summary(self) -> str:
        """Return the table, the formulas and the choice as text."""
        remarks = [f"note: {note}" for note in self.candidates.notes]
        return "\n".join(
            [text_table(*self.table()), "", *self.formulas(), "", self.reason, *remarks]
        )

    def __repr__(self) -> str:
        return f"<Comparison of k = {', '.join(map(str, self.fits))}: {self.reason}>"

    def _repr_html_(self) -> str:
        pictures = thumbnails.comparison(self)
        return html(*self.table(), lines=[self.reason], pictures=pictures)

    def to_json(self) -> str:
        """Write the fits and the choice as JSON; its schema is ``schemas/gmm1d.comparison.json`` in the package.

        Raises
        ------
        InputError
            As `Fit.to_json` does.
        """

        def written(fits: Mapping[int, Fit]) -> dict[str, Any]:
            return {str(k): json.loads(fit.to_json()) for k, fit in fits.items()}

        content = {
            "criterion": self.criterion,
            "k": self.k,
            **({} if self.family is None else {"family": self.family}),
            "reason": self.reason,
            "families": list(self.families),
            "fits": written(self.fits),
            "collapsed": {str(k): why for k, why in self.collapsed.items()},
            "others": written(self.others),
            "others_collapsed": {str(k): why for k, why in self.others_collapsed.items()},
            "left_out": [
                {"k": k, "family": f, "why": why} for (k, f), why in self.left_out.items()
            ],
        }
        return documents.write("gmm1d.comparison", content)

    to_frame = frames.of_comparison

    def plot(self, *, xlabel: str = "x") -> Figure:
        """Draw the chosen fit beside the criteria (see `gmm1d.plots.plot_comparison`)."""
        from gmm1d.plots import plot_comparison

        return plot_comparison(self, xlabel=xlabel)
