"""What the charts of a page show, as values that JSON can hold: data once, then every mixture of them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import views
from gmm1d.errors import UncertaintyError
from gmm1d.formatting import location, number
from gmm1d.mixture import Mixture
from gmm1d.pages import charts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gmm1d.result import Fit
    from gmm1d.sample import Sample

    Array = NDArray[np.float64]

TICKS = 300  # distinct values up to which each has a tick of its own
ROOM = 1.25  # above the bars, for components that are being moved
ASIDE = 0.08  # of the data's stretch on either side, where components may be moved to
COLUMNS, STEP, FAINT = 320, 0.02, 5e-4  # what a picture tells apart: across, upwards, from the axis
FLAT = 4  # times as high as a flat density: where a picture without bars ends


def scene(
    sample: Sample, mixtures: Sequence[Mixture], name: str, span: tuple[float, float]
) -> dict[str, Any]:
    """Return what the charts of one data set have in common.

    Parameters
    ----------
    mixtures : sequence of Mixture
        All that will be drawn there.
    name : str
        What x is.
    span : (float, float)
        The stretch of x that is shown (see `gmm1d.views.view`).

    Returns
    -------
    dict
        name; n; view, the stretch [low, high]; bars, [low, high, density] each, none of few values;
        points, [value, count] each, none of many; top, where the density's axis ends; outside, a sentence on
        the values that are not shown, if there are any.
    """
    low, high = span
    shown = views.between(low, high, sample)
    bars: list[list[float]] = []
    if views.count_of(sample) >= views.FEW_VALUES and not sample.constant:
        heights, edges = views.histogram(sample, shown)
        bars = np.stack([edges[:-1], edges[1:], heights], axis=1).tolist()
    highest = max((height for *_, height in bars), default=0.0)
    x = np.linspace(low, high, 513)
    tops = [views.top(highest, float(m.pdf(np.union1d(x, m.means)).max())) for m in mixtures]
    values, counts = views.distinct(sample)
    inside = (values >= low) & (values <= high)
    few = values.size <= TICKS
    points = np.stack([values, counts], axis=1)[inside].tolist() if few else []
    return {
        "name": name,
        "n": sample.n,
        "view": [low, high],
        "bars": bars,
        "points": points,
        "top": max([ROOM * highest or FLAT / (high - low), *tops]),
        "outside": views.outside(shown, sample.low, sample.high),
    }


def stretch(sample: Sample) -> tuple[float, float]:
    """Return what to show of data that have no mixture yet."""
    middle = Mixture([1.0], [sample.centre], [sample.std])
    bulk = views.view(middle, 0.0, sample)  # a component of no values does not stretch it
    aside = ASIDE * (bulk.high - bulk.low)
    return bulk.low - aside, bulk.high + aside


def drawing(fit: Fit) -> dict[str, Any]:
    """Return a mixture and its boundaries with their standard errors and 95 % intervals, as the scripts take them.

    Where the data do not determine a boundary, so that an end of its interval is infinite, it has none; nor has any
    of a fit without standard errors.
    """
    at = fit.mixture.boundaries()
    errors, ends = np.full(at.size, np.nan), np.full((at.size, 2), np.nan)
    with suppress(UncertaintyError):
        errors, ends = fit.standard_errors().boundaries, fit.confidence_intervals().boundaries
    boundaries = [
        {"at": x, "error": error, "low": low, "high": high}
        if np.isfinite([error, low, high]).all()
        else {"at": x, "error": None, "low": None, "high": None}
        for x, error, (low, high) in zip(at.tolist(), errors.tolist(), ends.tolist(), strict=True)
    ]
    names = ("weights", "means", "stds")
    parameters = {name: getattr(fit.mixture, name).tolist() for name in names}
    return {"mixture": parameters, "boundaries": boundaries}


def keys(mixture: Mixture) -> list[dict[str, Any]]:
    """Name the components beside their looks, as charts.js does."""
    each = zip(mixture.weights, mixture.means, mixture.stds, strict=True)
    n = len(views.COLOURS)
    return [
        {
            "colour": views.COLOURS[j % n],
            "dashes": charts.DASHES[j // n % len(charts.DASHES)],
            "text": f"{j + 1}: {number(100 * w, 3)} % around {location(mu, s)}, std {number(s, 3)}".replace(
                " -", " −"
            ),
        }
        for j, (w, mu, s) in enumerate(each)
    ]


def rows(scene: Mapping[str, Any], mixture: Mixture) -> tuple[dict[str, Any], dict[str, float]]:
    """Return data sets and parameters of the chart "density", where it stands still."""
    low, high = scene["view"]
    x, parts, total = views.curves(mixture, views.View(low, high))
    inside = [at for at in mixture.boundaries().tolist() if low <= at <= high]
    data = {
        "bars": [{"x": a, "x2": b, "y": y, "colour": charts.TEXT} for a, b, y in scene["bars"]],
        "points": [
            {"x": at, "colour": charts.TEXT} for at, _ in scene["points"] if not scene["bars"]
        ],
        "boundaries": [{"x": at} for at in inside],
        "total": _curve(x, total, scene),
        "curves": [{**row, "j": j} for j, y in enumerate(parts) for row in _curve(x, y, scene)],
    }
    return data, {"low": low, "high": high, "top": scene["top"]}


def _curve(x: Array, y: Array, scene: Mapping[str, Any]) -> list[dict[str, float]]:
    """Return the points of a curve that are told apart in a picture: some way from the last one, and from the axis."""
    low, high = scene["view"]
    column, height = np.floor((x - low) / (high - low) * COLUMNS), y / scene["top"]
    told = (np.diff(column, prepend=-1) > 0) | (np.abs(np.diff(height, prepend=0)) > STEP)
    kept = told & (height > FAINT)
    return [{"x": a, "y": b} for a, b in zip(x[kept].tolist(), y[kept].tolist(), strict=True)]
