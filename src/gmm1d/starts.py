"""Where a climb begins: named starts, explicit ones, and random ones from the caller's own generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import lt
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import _engine
from gmm1d.arguments import finite_numbers
from gmm1d.errors import InputError
from gmm1d.formatting import number
from gmm1d.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gmm1d.sample import Sample

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Start:
    """Parameters in the caller's order and units.

    Attributes
    ----------
    weights, means, stds : ndarray, shape (k,)
    """

    weights: Array
    means: Array
    stds: Array

    @property
    def k(self) -> int:
        """The number of components."""
        return len(self.weights)

    @property
    def ascending(self) -> bool:
        """Whether the means are in order, without a tie."""
        means = self.means.tolist()
        return all(map(lt, means, means[1:]))

    def reordered(self, order: NDArray[np.intp]) -> Start:
        """Return the components in another order (k,), read-only."""
        rows = np.stack([self.weights[order], self.means[order], self.stds[order]])
        rows.setflags(write=False)
        return Start(*rows)

    def standardised(self, sample: Sample) -> tuple[Array, Array, Array]:
        """Return weights, means and stds in the sample's units, as the engine takes them."""
        return self.weights, (self.means - sample.centre) / sample.unit, self.stds / sample.unit


def spread(sample: Sample, k: int) -> Start:
    """Return the start of the classroom: weights 1/k, means at low + i (high - low)/k for i = 1 … k, stds 1.

    The standard deviation is 1 in the units of the data, so this start alone does not follow a change of units.
    """
    steps = np.arange(1, k + 1) / k
    means = sample.low + steps * (sample.high - sample.low)
    return Start(np.full(k, 1 / k), means, np.ones(k))


def quantile(sample: Sample, k: int) -> Start:
    """Cut the ordered values into k groups of equal weight; a value on a cut is shared between its two groups."""
    weights, means, stds = _engine.quantile_start(*sample.nodes, k)
    return Start(weights, sample.centre + sample.unit * means, sample.unit * stds)


def kmeans(sample: Sample, k: int) -> Start:
    """Cut the ordered values where the sum of squares within the groups is least among all cuts.

    Globally optimal k-means in one dimension by dynamic programming (Wang and Song, 2011, The R Journal 3/2).
    """
    values, counts = sample.nodes
    first = np.array(_engine.kmeans(values, counts, k))
    totals = np.add.reduceat(counts, first)
    means = np.add.reduceat(counts * values, first) / totals
    groups = np.repeat(means, np.diff(np.append(first, len(values))))
    squares = np.add.reduceat(counts * (values - groups) ** 2, first)
    pooled = squares.sum() / totals.sum() or np.diff(values).min() ** 2 / 4
    stds = np.sqrt(np.where(squares > 0, squares / totals, pooled))
    return Start(totals / totals.sum(), sample.centre + sample.unit * means, sample.unit * stds)


NAMED: dict[str, Callable[[Sample, int], Start]] = {
    "spread": spread,
    "quantile": quantile,
    "kmeans": kmeans,
}
REACH = 1e60  # farther than so many stds, sums of weighted fourth powers may overflow


def random(sample: Sample, k: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Draw a start in the sample's units: equal weights, means at random values, stds a random part of the sample's."""
    values, counts = sample.nodes
    means = rng.choice(values, size=k, p=counts / counts.sum())
    std = sample.std / sample.unit / k * 2.0 ** -rng.uniform(0, 3)
    return np.full(k, 1 / k), means, np.full(k, std)


def resolve(start: object, sample: Sample, k: int) -> Start:
    """Turn what the caller gave as `start` into parameters: a name, a mixture, or a mapping.

    A mapping has means, stds (or variances) and, unless they are equal, weights.

    Raises
    ------
    InputError
        If the name or a key is unknown or missing, or the parameters are not those of `k` components.
    """
    if isinstance(start, str):
        if start not in NAMED:
            raise InputError(
                f"start={start!r} is unknown: use one of {', '.join(NAMED)}, a dict or a Mixture"
            )
        given = NAMED[start](sample, k)
    elif isinstance(start, Mixture):
        given = Start(start.weights, start.means, start.stds)
    elif isinstance(start, Mapping):
        given = _from_mapping(start)
    else:
        raise InputError(f"start must be a name, a dict or a Mixture, not {type(start).__name__}")
    if given.k != k:
        raise InputError(f"start has {given.k} components, but k is {k}")
    check_reach(given, sample, "start")
    return given


def check_reach(start: Start, sample: Sample, what: str) -> None:
    """Refuse parameters for which fourth powers of z = (x - mean) / std, or squared stds, would leave float64.

    Raises
    ------
    InputError
        If the data or the standard deviations are out of all proportion.
    """
    ends = np.array([sample.low, sample.high])[:, None]
    with np.errstate(over="ignore"):
        reach = np.abs(ends - start.means).max(axis=0) / start.stds
        bad = ~((reach < REACH) & (start.stds / sample.unit < REACH))
    if bad.any():
        j = int(bad.argmax())
        raise InputError(
            f"the data run from {number(sample.low)} to {number(sample.high)}, out of all proportion to "
            f"component {j + 1} of the {what}, mean {number(start.means[j])}, std "
            f"{number(start.stds[j])}: look at the extreme values, or give a start in their units"
        )


def _from_mapping(given: Mapping[str, Any]) -> Start:
    if unknown := set(given) - {"weights", "means", "stds", "variances"}:
        raise InputError(
            f"start has an unknown key {min(map(str, unknown))!r}: use weights, means, stds or variances"
        )
    if "means" not in given:
        raise InputError("start needs means, and stds or variances")
    means = finite_numbers("means", given["means"])
    weights = given.get("weights", np.full(means.shape, 1 / max(means.size, 1)))
    checked = Mixture(weights, means, given.get("stds"), variances=given.get("variances"))
    stds = given["stds"] if given.get("stds") is not None else np.sqrt(given["variances"])
    back = np.argsort(Mixture.sorting(weights, means, stds))
    return Start(checked.weights[back], checked.means[back], checked.stds[back])
