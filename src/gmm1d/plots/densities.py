"""The density of the data and of the mixture: as it is, and on a log scale for the tails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gmm1d import special, views
from gmm1d.diagnostics import OUTSIDE
from gmm1d.plots.canvas import (
    axes,
    component,
    draw_ticks,
    legend,
    look,
    outside,
    remark,
    sample_of,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit
    from gmm1d.sample import Sample

LOG_SPIKE = 1e3  # times as high as all bars, the sum would flatten everything else on a log scale
DECADES = 1e-6  # of the peak, where there are no data to tell how low the picture goes


def plot_fit(
    fit: Fit,
    ax: Axes | None = None,
    *,
    data: object = None,
    xlabel: str = "x",
    xlim: tuple[float, float] | None = None,
) -> Axes:
    """Draw the data, the weighted components and their sum: k + 1 curves, named in the legend.

    Parameters
    ----------
    fit : Fit
    ax : Axes, optional
        Where to draw; a new figure without it.
    data : column of m numbers, Sketch or Sample, optional
        For a fit that was loaded from a file, which holds none. Fewer than 30 values are drawn as
        ticks on the axis, more as a histogram.
    xlabel : str
        What x is, with its unit.
    xlim : (float, float), optional
        The stretch of x to be shown; by default that of all components and of all values but those far out.

    Returns
    -------
    Axes

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InputError
        If `data` is no column of numbers.
    """
    sample = sample_of(fit, data)
    own, ax = ax is None, axes(ax)
    whole = views.view(fit.mixture, fit.n, sample)
    shown = whole if xlim is None else views.between(*xlim, sample)
    bars = 0.0 if sample is None else draw_bars(ax, sample, shown)
    peak = draw_curves(ax, fit.mixture, shown)
    height = views.top(bars or views.typical(fit.mixture, shown), peak)
    ax.set(xlim=(shown.low, shown.high), ylim=(0, height), ylabel="density")
    ax.set_xlabel(wrapped(xlabel))
    remark(ax, fit, outside(shown, sample), views.spike(peak, height))
    legend(ax, widen=own)
    return ax


def plot_log_density(
    fit: Fit, ax: Axes | None = None, *, data: object = None, xlabel: str = "x"
) -> Axes:
    """Draw the density on a log scale, where tails show: data as dots, weighted components, their sum.

    A dot is the density of the data in a bin, with a 95 % interval of the expected number of values
    (Garwood, 1936, Biometrika 28); a bin without values has none. Beyond the middle 90 % of the data bins
    grow until they hold ten values, within limits, or tails would be dots of one value each, as high as
    the bins are narrow.

    Parameters
    ----------
    fit, ax, data, xlabel
        As in `plot_fit`.

    Returns
    -------
    Axes

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InputError
        If `data` is no column of numbers.
    """
    sample = sample_of(fit, data)
    own, ax = ax is None, axes(ax)
    ax.set_yscale("log")
    shown = views.view(fit.mixture, fit.n, sample, views.TAILS)
    dots = np.array([]) if sample is None else _draw_dots(ax, sample, shown)
    peak = draw_curves(ax, fit.mixture, shown)
    low, high = DECADES * peak, 2 * peak
    if dots.size:
        high = 2 * max(peak, dots.max())
        high = 10 * dots.max() if peak > LOG_SPIKE * dots.max() else high
        low = dots.min() / 4
    ax.set(xlim=(shown.low, shown.high), ylim=(low, high), ylabel="density (log scale)")
    ax.set_xlabel(wrapped(xlabel))
    remark(ax, fit, outside(shown, sample), views.spike(peak, high))
    legend(ax, inside=False, widen=own)
    return ax


def draw_curves(ax: Axes, mixture: Mixture, shown: views.View) -> float:
    """Draw the weighted components and their sum; return its highest value."""
    x, parts, total = views.curves(mixture, shown)
    for j, part in enumerate(parts):
        ax.plot(x, part, label=component(mixture, j), zorder=3, **look(j))
    ax.plot(x, total, color="black", lw=2.6, alpha=0.75, label="sum", zorder=2)
    return float(total.max())


def draw_bars(ax: Axes, sample: Sample, shown: views.View) -> float:
    """Draw a histogram and return its height, or ticks on the axis, which have no height."""
    if draw_ticks(ax, sample, shown):
        return 0.0
    heights, edges = views.histogram(sample, shown)
    ax.stairs(heights, edges, fill=True, color="0.85", zorder=1)
    return float(heights.max())


def _draw_dots(ax: Axes, sample: Sample, shown: views.View) -> np.ndarray:
    """Draw the density in bins with its intervals and return it, or ticks, which have none."""
    if draw_ticks(ax, sample, shown):
        return np.array([])
    counts, edges = views.tail_histogram(sample, shown)
    held = counts > 0
    counts, widths = counts[held], np.diff(edges)[held]
    middles = edges[:-1][held] + widths / 2
    low = special.gammaincinv(counts, OUTSIDE / 2)
    high = special.gammaincinv(counts + 1, 1 - OUTSIDE / 2)
    scale = 1 / sample.n / widths
    ax.vlines(middles, low * scale, high * scale, color="0.75", lw=1, zorder=1)
    ax.hlines(counts * scale, edges[:-1][held], edges[1:][held], color="0.75", lw=1, zorder=1)
    ax.plot(middles, counts * scale, ".", color="0.4", ms=4, zorder=1.5, label="data")
    return np.asarray(counts * scale)
