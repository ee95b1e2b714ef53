"""What a picture of a mixture shows: the stretch of the line, the bins, the curves, and what is left out.

Only numbers, colours and sentences, so that every drawing library can use them; nothing is drawn here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import special
from gmm1d.formatting import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.comparison import Comparison
    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit
    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # of components
FEW_VALUES = 30  # below, every value is a tick on the axis; a histogram would be mostly chance
SPIKE = 4  # times as high as all bars, the sum would flatten everything else
DISTINCT = 1e-13  # of the distance from zero, in which there are enough float64 for a curve
EDGE = 0.05  # the part of the data on either side that says nothing about where the bulk lies
REACH = 3.0  # widths of the bulk beyond which a value is far out; stds drawn around a component
TAILS = 10.0  # widths of the bulk beyond which a value is far out where tails are shown
FEW = 1.5  # a component of fewer values does not stretch the picture
PARTS, CLUSTER = (1 / 4, 1 / 8, 1 / 16), 60  # of the values, whose spread tells the bins' width
IQR = 1.349  # of a Gaussian of std 1
MOST_BINS = 200
BULK_BINS = 60  # across the bulk, where bins grow beyond it
ENOUGH, GROWTH = (
    10.0,
    0.25,
)  # values in a bin that need not grow; its width in distances from the bulk
BLOCK = 1 << 16  # points converted at a time
LATTICE = 8  # bins narrower than this many steps of rounded data are made a whole number of steps


@dataclass(frozen=True)
class View:
    """The stretch [low, high] of the line that is shown, and the number of points outside."""

    low: float
    high: float
    outside: float = 0.0


def view(mixture: Mixture, n: float, sample: Sample | None, widths: float = REACH) -> View:
    """Choose the stretch that shows all components and all points but those far out.

    Far out is a point further than so many widths from the bulk, the middle 90 %. Components are shown to
    3 stds, unless they hold fewer than 2 of the `n` values or are wider than the bulk can tell.
    """
    shown = mixture.weights * n >= FEW
    low, high = math.inf, -math.inf
    if sample is not None and not sample.constant:
        low, high, width = _reached(*distinct(sample), widths)
        shown &= mixture.stds <= widths * width
    reach = REACH * mixture.stds
    low = min([low, *(mixture.means - reach)[shown]])
    high = max([high, *(mixture.means + reach)[shown]])
    if not low < high:  # no data, and no component of weight
        low, high = float(np.min(mixture.means - reach)), float(np.max(mixture.means + reach))
    margin = max(0.02 * (high - low), DISTINCT * max(abs(low), abs(high)))
    return between(float(low - margin), float(high + margin), sample)


def node_view(values: Array, counts: Array) -> View:
    """Choose the stretch that shows all nodes (d,), ascending, of these counts but those far out."""
    low, high, width = _reached(values, counts, REACH)
    margin = max(0.02 * (high - low), DISTINCT * abs(high)) if width > 0 else abs(high) or 1.0
    return View(
        low - margin, high + margin, float(np.sum(counts[(values < low) | (values > high)]))
    )


def between(low: float, high: float, sample: Sample | None) -> View:
    """Show a given stretch, and count the points outside."""
    if sample is None:
        return View(low, high)
    values, counts = distinct(sample)
    return View(low, high, float(np.sum(counts[(values < low) | (values > high)])))


def curve_points(mixture: Mixture, shown: View) -> Array:
    """Return ascending points (p,) at which curves look smooth, however narrow a component."""
    around = mixture.means[:, None] + mixture.stds[:, None] * np.linspace(-6, 6, 193)
    points = np.concatenate([np.linspace(shown.low, shown.high, 513), around.ravel()])
    return np.unique(points[(points >= shown.low) & (points <= shown.high)])


def curves(mixture: Mixture, shown: View) -> tuple[Array, Array, Array]:
    """Return ascending points (p,), the weighted components (k, p) there, and their sum (p,)."""
    x = curve_points(mixture, shown)
    total = np.asarray(mixture.pdf(x))
    return x, mixture.responsibilities(x).T * total, total


def typical(mixture: Mixture, shown: View) -> float:
    """Return how high the highest bar of very many values of a mixture would be."""
    edges = np.linspace(shown.low, shown.high, BULK_BINS + 1)
    return float(np.max(np.diff(mixture.cdf(edges)) / np.diff(edges)))


def top(bars: float, peak: float) -> float:
    """Return how high a picture goes: to the peak of the sum, unless it is a spike beside the bars."""
    return 1.5 * bars if bars and peak > SPIKE * bars else 1.05 * max(peak, bars)


def spike(peak: float, height: float) -> str:
    """Say how high the sum goes, if that is not shown."""
    return f"the sum peaks at {number(peak, 3)}" if peak > height else ""


def outside(shown: View, low: float, high: float) -> str:
    """Say how many of the data from `low` to `high` are not shown, if any."""
    lie = "value lies" if shown.outside == 1 else "values lie"
    span = f"the data go from {number(low, 4)} to {number(high, 4)}"
    count = number(shown.outside, 10 if float(shown.outside).is_integer() else 3)
    return f"{count} {lie} outside: {span}" if shown.outside else ""


def ticks(values: Array, count: float, shown: View) -> Array | None:
    """Return those of few values (d,), ascending, that are shown; None for more, which a histogram shows."""
    if count >= FEW_VALUES and values[0] < values[-1]:
        return None
    return values[(values >= shown.low) & (values <= shown.high)]


def pictured(comparison: Comparison) -> Fit:
    """Return the fit that a picture of a comparison shows: the chosen one, or else the last."""
    last = comparison.fits[max(comparison.fits)]
    return last if comparison.chosen is None else comparison.best


def histogram(sample: Sample, shown: View) -> tuple[Array, Array]:
    """Return the density of the data in equal bins (b,) and their edges (b + 1,).

    The bins' width is that of Freedman and Diaconis (1981), 2 IQR / n^(1/3), with the spread taken from
    the shortest quarter of the data instead of the IQR, which a gap between clusters would widen, or from
    a smaller part of many values, as clusters may be many. Bins of rounded data hold a whole number of
    possible values each, or they would show a false comb.
    """
    edges = _edges(*distinct(sample), count_of(sample), shown)
    return _counts(sample, edges) / sample.n / np.diff(edges), edges


def node_histogram(values: Array, counts: Array, count: float, shown: View) -> tuple[Array, Array]:
    """Return the same of the nodes (d,), ascending, of `count` points, which are not read."""
    edges = _edges(values, counts, count, shown)
    return _spread(values, counts, edges) / np.sum(counts) / np.diff(edges), edges


def count_of(sample: Sample) -> float:
    """Return how many values are shown: as many as there are, or as the weights stand for."""
    return max(sample.n, sample.size)


def tail_histogram(sample: Sample, shown: View) -> tuple[Array, Array]:
    """Return the weight of the data in bins (b,) and their edges (b + 1,); they grow beyond the bulk.

    There, bins are put together outwards until they hold 10 values or are a quarter as wide as they are far
    from the bulk, so that a tail is not a row of single values and gaps stay gaps.
    """
    values, weights = distinct(sample)
    first, last = _bulk(values, weights)
    least = (last - first) / BULK_BINS
    edges = _edges(values, weights, count_of(sample), shown, 5 * MOST_BINS, least)
    counts = _counts(sample, edges)
    right = int(np.searchsorted(edges, last))
    left = len(edges) - 1 - int(np.searchsorted(edges, first, side="right") - 1)
    upper = _grown(edges[right:], counts[right:])
    lower = -_grown(-edges[::-1][left:], counts[::-1][left:])[::-1]
    edges = np.unique(np.concatenate([lower, edges[len(counts) - left : right], upper]))
    return _counts(sample, edges), edges


def _grown(edges: Array, counts: Array) -> Array:
    """Return those edges that are left when bins are put together outwards, from the first on."""
    kept, held = [0], 0.0
    for i, count in enumerate(counts, 1):
        held += count
        far = edges[kept[-1]] - edges[0]
        if held >= ENOUGH or edges[i] - edges[kept[-1]] >= GROWTH * far or i == len(counts):
            kept.append(i)
            held = 0.0
    return edges[kept]


def _edges(
    values: Array, weights: Array, count: float, shown: View, most: int = 0, least: float = 0.0
) -> Array:
    """Return the edges (b + 1,) of equal bins, at most so many of at least that width; see `histogram`."""
    most = most or min(MOST_BINS, 4 * math.ceil(math.sqrt(count)))
    spreads = [
        _shortest(values, weights, part) / (2 * special.ndtri(0.5 + part / 2))  # a Gaussian's std
        for part in PARTS
        if part == PARTS[0] or part * count >= CLUSTER
    ]
    spread = min((s for s in spreads if s > 0), default=(shown.high - shown.low) / 5)
    width = max(2 * IQR * spread / count ** (1 / 3), least)
    width = max(width, (shown.high - shown.low) / most)
    gaps = np.diff(values)
    step = float(gaps[gaps > 0].min())  # nodes may coincide far from zero
    multiples = gaps / step
    start = shown.low
    if width < LATTICE * step and np.max(np.abs(multiples - np.round(multiples))) < 0.01:
        width = step * math.ceil(width / step)
        start = values[0] - step / 2 - width * math.ceil((values[0] - shown.low) / width)
    return np.asarray(start + width * np.arange(math.ceil((shown.high - start) / width) + 1))


def distinct(sample: Sample) -> tuple[Array, Array]:
    """Return the nodes of a sample: values (d,), ascending, in the data's units, and their counts."""
    values, counts = sample.nodes
    return sample.centre + sample.unit * values, counts


def _counts(sample: Sample, edges: Array) -> Array:
    """Count the points in every bin, or the nodes where there are none."""
    if sample.points is None:
        return _spread(*distinct(sample), edges)
    counts = np.zeros(edges.size - 1)
    for start in range(0, sample.size, BLOCK):
        block = slice(start, start + BLOCK)
        w = None if sample.weights is None else sample.scale * sample.weights[block].astype(float)
        counts += np.histogram(sample.points[block].astype(float), edges, weights=w)[0]
    return counts


def _spread(values: Array, weights: Array, edges: Array) -> Array:
    """Return the weight in every bin of nodes (d,), each of which reaches half way to the next."""
    ends = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2, values[-1:]])
    below = np.concatenate([[0.0], np.cumsum(weights)])
    return np.diff(np.interp(edges, ends, below))


def _reached(values: Array, weights: Array, widths: float) -> tuple[float, float, float]:
    """Return the lowest and highest of the nodes (d,) not far out, and the width of the bulk."""
    first, last = _bulk(values, weights)
    width = last - first
    if width <= 0 or len(values) <= 2:
        return float(values[0]), float(values[-1]), float(values[-1] - values[0])
    kept = values[(values >= first - widths * width) & (values <= last + widths * width)]
    return float(kept[0]), float(kept[-1]), width


def _bulk(values: Array, weights: Array) -> tuple[float, float]:
    """Return the ends of the middle 90 % of the weight."""
    share = np.cumsum(weights) / np.sum(weights)
    # At least one value is left aside on either side, or a single one could be the bulk's end.
    first = max(int(np.searchsorted(share, EDGE)), min(1, len(values) - 1))
    last = max(min(int(np.searchsorted(share, 1 - EDGE)), len(values) - 2), 0)
    return float(values[first]), float(values[last])


def _shortest(values: Array, weights: Array, part: float) -> float:
    """Return the length of the shortest interval that holds a part of the weight."""
    share = np.cumsum(weights) / np.sum(weights)
    before = np.concatenate([[0.0], share[:-1]])
    ends = np.searchsorted(share, before + part * (1 - 1e-12))
    inside = ends < len(values)
    lengths = values[ends[inside]] - values[inside]
    return float(lengths.min())
