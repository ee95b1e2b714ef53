"""`Fits`: the mixtures of many data sets as a struct of arrays. Holds and shows; computes nothing."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import frames
from gmm1d.errors import Ending, InputError
from gmm1d.formatting import html
from gmm1d.frozen import Frozen
from gmm1d.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SHOWN = 5  # failures in a summary
MEASURES = ("gradient_norm", "newton_decrement", "smallest_eigenvalue")


@dataclass(frozen=True, eq=False, repr=False)
class Fits(Frozen):
    """Mixtures of k components fitted to m data sets.

    Where a data set could not be fitted, its numbers are NaN, its status is None, and `errors` says
    why.

    Attributes
    ----------
    weights, means, stds : ndarray (m, k)
        By mean, as in a `Mixture`.
    log_likelihood : ndarray (m,)
    n : ndarray (m,)
        The sum of the sample weights: the number of values where there are none.
    status : ndarray of Ending, shape (m,)
        How each fit ended, or None.
    gradient_norm, newton_decrement, smallest_eigenvalue, entropy : ndarray (m,)
        See `gmm1d.certificate.Certificate`.
    n_parameters : int
        The number of free parameters of each.
    errors : mapping of int to str
        What was wrong with the data sets that could not be fitted.
    names : tuple of length m, or None
        The names of the columns, where they had any.
    library : str or None
        The name of the library whose frame the data were.
    """

    weights: Array
    means: Array
    stds: Array
    log_likelihood: Array
    n: Array
    status: NDArray[np.object_]
    gradient_norm: Array
    newton_decrement: Array
    smallest_eigenvalue: Array
    entropy: Array
    n_parameters: int
    errors: Mapping[int, str]
    names: tuple[Any, ...] | None = None
    library: str | None = None

    to_frame = frames.of_fits

    def __len__(self) -> int:
        return len(self.status)

    @property
    def k(self) -> int:
        """The number of components."""
        return int(self.weights.shape[1])

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Which data sets (m,) could be fitted."""
        return ~np.isnan(self.log_likelihood)

    @property
    def aic(self) -> Array:
        """Akaike's criterion (m,), −2ℓ + 2p; lower is better."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> Array:
        """Schwarz's criterion (m,), −2ℓ + p log n; lower is better."""
        bic: Array = self.n_parameters * np.log(self.n) - 2 * self.log_likelihood
        return bic

    @property
    def icl(self) -> Array:
        """The integrated completed likelihood (m,), BIC plus twice the entropy; lower is better."""
        return self.bic + 2 * self.entropy

    def __getitem__(self, which: Any) -> Mixture:
        """Return the mixture of a data set, by its number or its name.

        Raises
        ------
        InputError
            If that data set could not be fitted; the sentence says why.
        IndexError, KeyError
            If there is no such number or name.
        """
        i = self._index(which)
        if i in self.errors:
            raise InputError(f"{self._label(i)} has no fit: {self.errors[i]}")
        return Mixture._trusted(self.weights[i], self.means[i], self.stds[i])

    def __iter__(self) -> Iterator[Mixture]:
        """Return the mixtures one by one; one that is missing raises the sentence that says why."""
        return (self[i] for i in range(len(self)))

    def _index(self, which: Any) -> int:
        try:
            return range(len(self))[operator.index(which)]
        except TypeError:
            if self.names is None or which not in self.names:
                raise KeyError(which) from None
            return self.names.index(which)
        except IndexError:
            raise IndexError(f"no data set {which}: there are {len(self)}") from None

    def _label(self, i: int) -> str:
        return f"data set {i}" if self.names is None else f"data set {i} ({self.names[i]})"

    def summary(self) -> str:
        """Return how the fits ended, and the first of those that failed, as a few lines of text."""
        rows = self._endings()
        width = max(len(count) for count, _ in rows)
        endings = [f"{count:>{width}}  {sentence}" for count, sentence in rows]
        parts = [[self._title()], endings, self.failures()]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts().items())
        return f"<Fits of {self._what()}: {counts}>"

    def _repr_html_(self) -> str:
        header, title = ["fits", "ended"], self._title()
        return html(header, self._endings(), caption=title, lines=self.failures())

    def counts(self) -> dict[str, int]:
        """Return how often each ending occurs, by its name, and "failed" where there was none."""
        found = Counter(self.status.tolist())
        names = {ending.name: found[ending] for ending in Ending if ending in found}
        return {**names, "failed": found[None]} if None in found else names

    def to_dict(self) -> dict[str, Any]:
        """Return one array (m,) per column of a table."""
        m = len(self)
        numbers = {
            f"{kind}_{j + 1}": getattr(self, f"{kind}s")[:, j]
            for kind in ("weight", "mean", "std")
            for j in range(self.k)
        }
        measures = ("log_likelihood", "n", "aic", "bic", "icl", *MEASURES)
        return {
            **({} if self.names is None else {"name": list(self.names)}),
            **numbers,
            **{name: getattr(self, name) for name in measures},
            "status": [None if status is None else status.name for status in self.status],
            "error": [self.errors.get(i) for i in range(m)],
        }

    def _what(self) -> str:
        m = len(self)
        gaussians = f"{self.k} Gaussian{'s' * (self.k > 1)}"
        return f"{gaussians} to each of {m} data set{'s' * (m > 1)}"

    def _title(self) -> str:
        return f"Mixtures of {self._what()}"

    def _endings(self) -> list[list[str]]:
        sentences = {ending.name: ending.value for ending in Ending}
        return [
            [str(count), sentences.get(name, "failed: see errors")]
            for name, count in self.counts().items()
        ]

    def failures(self, most: int = SHOWN) -> list[str]:
        """Return a line for each of the first data sets that could not be fitted."""
        lines = [f"{self._label(i)}: {self.errors[i]}" for i in sorted(self.errors)[:most]]
        left = len(self.errors) - len(lines)
        return [*lines, f"and {left} more in errors"] if left else lines
