"""`fit_groups`: a mixture for every column or group of data that are read, in bounded memory; a table of them."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.errors import FitWarning
from gmm1d.formatting import location, number
from gmm1d.many import fit_many
from gmm1d.readers.gathering import KEPT
from gmm1d.readers.grouping import grouped
from gmm1d.sample import Sample
from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gmm1d.readers import Data
    from gmm1d.readers.gathering import Gathering

MOST = 4096  # groups fitted at a time
SHOWN = 50  # groups that a text spells out


@dataclass(frozen=True)
class Groups:
    """A row for every group.

    Attributes
    ----------
    columns : mapping of str to array (m,)
        Labels, then what `Fits.to_dict` tells; masked, with a sentence, where there is no fit.
    labels : tuple of str
        The names of the columns that are labels.
    k : int
    """

    columns: Mapping[str, Any]
    labels: tuple[str, ...]
    k: int

    def __len__(self) -> int:
        return len(self.columns["status"])

    @property
    def n_fitted(self) -> int:
        """The number of groups that could be fitted."""
        return sum(status is not None for status in self.columns["status"])

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for every row, as JSON has it: None where there is no number."""
        columns = (c if isinstance(c, list) else c.tolist() for c in self.columns.values())
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*columns, strict=True)]

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the first rows, formatted."""
        each = [f"{kind} {j + 1}" for j in range(self.k) for kind in ("weight", "mean", "std")]
        header = [*self.labels, "n", *each, "log-likelihood", "ending"]
        return header, [self._cells(i) for i in range(min(len(self), SHOWN))]

    def _cells(self, i: int) -> list[str]:
        row = {name: values[i] for name, values in self.columns.items()}
        labels = [" ".join(str(row[name]).split()) for name in self.labels]
        if row["status"] is None:
            return [*labels, *["–"] * (2 + 3 * self.k), "failed"]
        numbers = []
        for j in range(1, self.k + 1):
            mean, std = row[f"mean_{j}"], row[f"std_{j}"]
            numbers += [number(row[f"weight_{j}"], 3), location(mean, std, 4), number(std, 4)]
        fit = [number(row["n"], 12), *numbers, f"{row['log_likelihood']:.2f}"]
        return [*labels, *fit, row["status"].lower()]

    def summary(self) -> str:
        """Return how the fits ended, and the first of those that failed, as text."""
        counts = Counter((status or "failed").lower() for status in self.columns["status"])
        lines = [", ".join(f"{count} {name}" for name, count in counts.items())]
        if len(self) > SHOWN:
            lines.append(f"and {len(self) - SHOWN} more groups, which --output writes")
        errors = [(i, error) for i, error in enumerate(self.columns["error"]) if error]
        for i, error in errors[:SHOWN]:
            label = ", ".join(str(self.columns[name][i]) for name in self.labels)
            lines.append(f"{label}: {error}")
        return "\n".join(lines)


def fit_groups(
    data: Data,
    columns: Sequence[str | None],
    by: Sequence[str],
    k: int,
    *,
    weights: str | None = None,
    weights_are: str | None = None,
    **rules: Any,
) -> Groups:
    """Fit a mixture to every column of data, or to every group of their rows.

    Parameters
    ----------
    data : Data
    columns, weights
        As in `Data.gather_columns`.
    by : sequence of str
        Columns of labels; rows of the same labels are a group.
    k : int
    weights_are, **rules
        As in `gmm1d.fit_many`.

    Raises
    ------
    InputError
        If the data cannot be read or an option cannot be used.
    """
    several = len(columns) > 1
    labels = (("column",) if several else ()) + tuple(data.name_of(name) for name in by)
    found: dict[str, list[Any]] = {}
    for keys, samples in _portions(data, columns, by, weights, weights_are):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # the table says it
            fits = fit_many(samples, k, **rules).to_dict()
        shown = [key if several else key[1:] for key in keys]
        part = {name: [key[i] for key in shown] for i, name in enumerate(labels)}
        for name, values in {**part, **fits}.items():
            found.setdefault(name, []).extend(values)
    texts = {*labels, "status", "error"}
    table = {
        name: values if name in texts else np.ma.masked_invalid(np.array(values))
        for name, values in found.items()
    }
    return Groups(table, labels, k)


def _portions(
    data: Data,
    columns: Sequence[str | None],
    by: Sequence[str],
    weights: str | None,
    weights_are: str | None,
) -> Iterator[tuple[list[tuple[str, ...]], list[Any]]]:
    """Yield labels and samples of so many groups as fit into memory."""
    keys: list[tuple[str, ...]] = []
    samples: list[Any] = []
    size = 0
    for key, gathering in _groups(data, columns, by, weights):
        keys.append(key)
        samples.append(_sample(gathering, weights_are))
        size += gathering.size
        if len(keys) >= MOST or size >= KEPT:
            yield keys, samples
            keys, samples, size = [], [], 0
    if keys:
        yield keys, samples


def _groups(
    data: Data, columns: Sequence[str | None], by: Sequence[str], weights: str | None
) -> Iterator[tuple[tuple[str, ...], Gathering]]:
    if by:
        for column in columns:
            for labels, gathering in grouped(data, column, by, weights):
                yield (data.name_of(column), *labels), gathering
        return
    found = data.gather_columns(columns, weights, kept=KEPT // len(columns))
    data.n_missing += sum(gathering.n_missing for gathering in found)
    for column, gathering in zip(columns, found, strict=True):
        yield (data.name_of(column),), gathering


def _sample(gathering: Gathering, weights_are: str | None) -> Any:
    """Return what `fit_many` takes; a Sample where there are weights."""
    values, weights = gathering.data()
    weighted = weights is not None or isinstance(values, Sketch)
    return Sample.of(values, weights, weights_are) if weighted else values
