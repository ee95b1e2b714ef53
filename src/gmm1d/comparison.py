"""Several numbers of components side by side, and the choice among them with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import documents, frames, thumbnails
from gmm1d.climbing import Search
from gmm1d.constraints import Constraints
from gmm1d.errors import CollapseError, Ending, InputError
from gmm1d.fitting import finish, fit_from
from gmm1d.formatting import html, number, text_table
from gmm1d.frozen import Frozen
from gmm1d.options import check_exact, check_ks, check_rules
from gmm1d.progress import check_progress, watched
from gmm1d.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from gmm1d.climbing import Rules
    from gmm1d.result import Fit
    from gmm1d.sketch import Sketch

CRITERIA = ("aic", "bic", "icl")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Frozen):
    """Fits for several numbers of components.

    Attributes
    ----------
    fits : dict of int to Fit
        ``comparison[k]`` is ``fits[k]``, bit for bit what ``fit(x, k)`` returns.
    criterion : {"aic", "bic", "icl"}
        What the choice goes by; lower is better.
    k : int or None
        The chosen number of components; None where no fit converged.
    reason : str
        Why, in a sentence.
    collapsed : dict of int to str
        The k whose climb from the given start ran into a spike, with the sentence that says where.
    """

    fits: Mapping[int, Fit]
    criterion: str
    k: int | None
    reason: str
    collapsed: Mapping[int, str] = field(default_factory=dict)

    @property
    def best(self) -> Fit:
        """The fit with the chosen number of components.

        Raises
        ------
        InputError
            If no fit converged, so that nothing was chosen.
        """
        if self.k is None:
            raise InputError(self.reason)
        return self.fits[self.k]

    def __getitem__(self, k: int) -> Fit:
        if k in self.collapsed:
            raise CollapseError(f"k = {k}: {self.collapsed[k]}")
        return self.fits[k]

    def __iter__(self) -> Iterator[int]:
        return iter(self.fits)

    def __len__(self) -> int:
        return len(self.fits)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the rows of the comparison, formatted; the chosen k is marked."""
        rows = [
            [
                f"{'*' if k == self.k else ''}{k}",
                _fixed(f.log_likelihood),
                *(_fixed(getattr(f, name)) for name in CRITERIA),
                f.status.name.lower(),
            ]
            for k, f in self.fits.items()
        ]
        rows += [[str(k), *["–"] * (1 + len(CRITERIA)), "collapsed"] for k in self.collapsed]
        rows.sort(key=lambda row: int(row[0].lstrip("*")))
        return ["k", "log-likelihood", *map(str.upper, CRITERIA), "ending"], rows

    def formulas(self) -> list[str]:
        """Return the fitted densities as text, one for every k."""
        return [f"k = {k}: {f.mixture.formula()}" for k, f in self.fits.items()]

    def summary(self) -> str:
        """Return the table, the formulas and the choice as text."""
        remarks = [f"note: k = {k}: {note}" for k, f in self.fits.items() for note in f.notes]
        remarks += [f"note: k = {k}: {sentence}" for k, sentence in self.collapsed.items()]
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
        content = {
            "criterion": self.criterion,
            "k": self.k,
            "reason": self.reason,
            "fits": {str(k): json.loads(fit.to_json()) for k, fit in self.fits.items()},
            "collapsed": {str(k): sentence for k, sentence in self.collapsed.items()},
        }
        return documents.write("gmm1d.comparison", content)

    to_frame = frames.of_comparison

    def plot(self, *, xlabel: str = "x") -> Figure:
        """Draw the chosen fit beside the criteria (see `gmm1d.plots.plot_comparison`)."""
        from gmm1d.plots import plot_comparison

        return plot_comparison(self, xlabel=xlabel)


def compare(
    x: ArrayLike | Sample | Sketch,
    ks: Iterable[int],
    *,
    criterion: str = "bic",
    sample_weight: ArrayLike | None = None,
    weights_are: str | None = None,
    start: str | None = None,
    method: str = "newton",
    tol: float | None = None,
    max_iter: int | None = None,
    equal_variances: bool = False,
    exact: bool = False,
    threads: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Fit mixtures for several k and choose one.

    Only converged fits can be chosen: the criteria compare maxima of the likelihood, and a fit that was stopped
    before its maximum makes another k look better than it is.

    Parameters
    ----------
    x, sample_weight, weights_are, start, method, tol, max_iter, equal_variances, exact, threads, progress
        As in `fit`. The data are read once, and one search serves all k.
    ks : iterable of int
        The numbers of components, such as ``range(1, 7)``.
    criterion : {"bic", "aic", "icl"}
        What the choice goes by. BIC picks the number of Gaussians that describe the density, ICL the number of
        separate clusters, AIC the best prediction.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the data or an option cannot be used.
    CollapseError
        If the climbs of all k run into spikes from the given start.
    KeyboardInterrupt
        If a fit was interrupted.

    References
    ----------
    Akaike (1974); Schwarz (1978); Biernacki, Celeux and Govaert (2000), IEEE PAMI 22.
    """
    if criterion not in CRITERIA:
        raise InputError(f"criterion={criterion!r} is unknown: use one of {', '.join(CRITERIA)}")
    if start is not None and not isinstance(start, str):
        raise InputError("start must be a name here: one set of parameters cannot serve several k")
    rules = check_rules(method, tol, max_iter, threads)
    rules = rules.under(Constraints.of(1, equal_variances, None))
    check_progress(progress)
    sample = Sample.of(x, sample_weight, weights_are, threads=rules.threads, progress=progress)
    check_exact(exact, sample)
    numbers = check_ks(ks, sample)
    fits, collapsed = _fits(sample, numbers, start, rules, exact=exact, progress=progress)
    if not fits:
        raise CollapseError("; ".join(f"k = {k}: {why}" for k, why in collapsed.items()))
    return Comparison(fits, criterion, *choose(fits, collapsed, criterion), collapsed)


def _fits(
    sample: Sample,
    numbers: Iterable[int],
    start: str | None,
    rules: Rules,
    *,
    exact: bool,
    progress: bool | None,
) -> tuple[dict[int, Fit], dict[int, str]]:
    """Return the fits, and why some k have none."""
    fits: dict[int, Fit] = {}
    collapsed: dict[int, str] = {}
    search = Search(sample, rules)
    for k in watched(numbers, "numbers of components", progress):
        try:
            if start is None:
                fits[k] = finish(sample, search.best(k), "search", rules, exact=exact)
            else:
                fits[k] = fit_from(sample, k, start, rules, exact=exact)
        except CollapseError as error:
            collapsed[k] = str(error)
            continue
        if fits[k].status is Ending.INTERRUPTED:
            raise KeyboardInterrupt
    return fits, collapsed


def choose(
    fits: Mapping[int, Fit], collapsed: Iterable[int], criterion: str
) -> tuple[int | None, str]:
    """Return the k of the converged fit with the lowest criterion, None without one, and the reason."""
    name = criterion.upper()
    score = {k: getattr(f, criterion) for k, f in fits.items() if f.status is Ending.CONVERGED}
    left = {k: f.status.name.lower() for k, f in fits.items() if k not in score}
    left |= dict.fromkeys(collapsed, "collapsed")
    named = ", ".join(f"{k} ({left[k]})" for k in sorted(left))
    aside = f"; left out, because not converged: k = {named}" if left else ""
    if not score:
        return (
            None,
            f"nothing is chosen: {name} compares maxima, and none of the fits converged{aside}",
        )
    best, *others = sorted(score, key=lambda k: (score[k], k))
    reason = f"k = {best} is chosen: its {name}, {_fixed(score[best])}, is the lowest of the converged fits"
    if others:
        gap = score[others[0]] - score[best]
        reason += f"; next is k = {others[0]}, {_fixed(gap)} higher"
        if criterion == "bic":
            times = np.exp(min(gap / 2, 50.0))
            rounded = number(float(f"{times:.2g}")) if times < 1e6 else "over a million"
            reason += f" ({rounded} times less probable)"
    return best, reason + aside + _falls(fits)


def _falls(fits: Mapping[int, Fit]) -> str:
    """Say where the log-likelihood falls as k grows, which that of global optima does not, regular or not."""
    ks = sorted(fits)
    lower = [b for a, b in pairwise(ks) if fits[b].log_likelihood < fits[a].log_likelihood - 1e-6]
    names = ", ".join(map(str, lower))
    return (
        f"; for k = {names} no regular optimum is known that is as high as with fewer"
        if lower
        else ""
    )


def _fixed(value: float | None) -> str:
    return "–" if value is None else f"{value + 0.0:.2f}"
