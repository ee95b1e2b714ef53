"""Does the mixture fit: its quantiles against those of the data, and the probability integral transform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gmm1d import special, views
from gmm1d.diagnostics import Agreement, agreement, pointwise_band, simultaneous_band
from gmm1d.errors import require
from gmm1d.plots.canvas import (
    axes,
    component,
    dots,
    legend,
    outside,
    remark,
    sample_of,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit

    Array = NDArray[np.float64]

ENDS, BETWEEN = 250, 1500  # values drawn of more: all at either end, and so many between
TICKS = 0.05, 0.25, 0.5, 0.75, 0.95


def plot_qq(fit: Fit, ax: Axes | None = None, *, data: object = None, xlabel: str = "x") -> Axes:
    """Draw the quantiles of the data against those of the mixture: a straight line where it fits.

    Every value has the colour of its most likely component. The band holds each order statistic of such a
    mixture with probability 95 %, one at a time: from n values, the quantiles of Beta(i, n + 1 − i) (see
    `gmm1d.diagnostics`).

    Parameters
    ----------
    fit, ax, data, xlabel
        As in `plot_fit`; values far out stand on the edge, as triangles.

    Returns
    -------
    Axes

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InputError
        If there are no data, or `data` is no column of numbers.

    References
    ----------
    Wilk and Gnanadesikan (1968), Probability plotting methods for the analysis of data, Biometrika 55.
    """
    mixture, sample = fit.mixture, sample_of(fit, data)
    found = agreement(fit, sample)
    own, ax = ax is None, axes(ax, 6.2, 5.2)
    shown = views.view(mixture, fit.n, sample, views.TAILS)
    limits = shown.low, shown.high
    p = _grid(found.n)
    low, high = mixture.ppf(pointwise_band(p, found.n))
    ax.fill_between(mixture.ppf(p), low, high, color="0.9", lw=0, zorder=0, label="95 % band")
    ax.plot(limits, limits, color="0.5", lw=1, zorder=1)
    _draw_values(ax, mixture, found, np.clip([found.quantiles, found.values], *limits))
    for x, y, marker in _strays(found, *limits):
        ax.plot(x, y, marker, color="0.3", ms=5, clip_on=False, zorder=4)
    ax.set(xlim=limits, ylim=limits)
    ax.set_xlabel(wrapped(f"{xlabel}: quantiles of the mixture"))
    ax.set_ylabel(wrapped(f"{xlabel}: quantiles of the data"))
    remark(ax, fit, outside(shown, sample))
    legend(ax, loc="upper left", widen=own)
    return ax


def plot_pit(fit: Fit, ax: Axes | None = None, *, data: object = None, xlabel: str = "x") -> Axes:
    """Draw how much more of the data than of the mixture lies below x, against cdf(x): zero where it fits.

    The difference of the two distribution functions is preferred to a histogram of cdf(x), which depends
    on the choice of bins (Säilynoja, Bürkner and Vehtari, 2022). Its band holds all values together with
    probability 95 % if the mixture is the truth, and more if it was fitted to these data (see
    `gmm1d.diagnostics.simultaneous_band`). A curve above zero on the left and below it on the right has more data in both tails than the mixture.

    Parameters
    ----------
    fit, ax, data
        As in `plot_fit`.
    xlabel : str
        What x is, with its unit; quantiles of the mixture stand above the picture.

    Returns
    -------
    Axes

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InputError
        If there are no data, or `data` is no column of numbers.

    References
    ----------
    Säilynoja, Bürkner and Vehtari (2022), Graphical test for discrete uniformity and its applications in
    goodness-of-fit evaluation and multiple sample comparison, Statistics and Computing 32.
    """
    found = agreement(fit, data)
    own, ax = ax is None, axes(ax)
    p = _grid(found.n, beyond=3)
    low, high = simultaneous_band(p, found.n)
    x, y = np.concatenate([low, high[::-1]]), np.concatenate([p, p[::-1]])
    ax.fill(x, y - x, color="0.9", lw=0, zorder=0, label="95 % band")
    ax.axhline(0, color="0.5", lw=1, zorder=1)
    ax.plot(found.transforms, found.residuals, color="0.6", lw=0.8, zorder=2)
    _draw_values(ax, fit.mixture, found, np.array([found.transforms, found.residuals]))
    height = 1.05 * max(np.abs(y - x).max(), np.abs(found.residuals).max())
    ax.set(xlim=(0, 1), ylim=(-height, height))
    ax.set(xlabel="cdf(x) of the mixture", ylabel="part of the data below x, minus cdf(x)")
    _mark_quantiles(ax, fit.mixture, xlabel)
    remark(ax, fit)
    legend(ax, inside=False, widen=own)
    return ax


def _mark_quantiles(ax: Axes, mixture: Mixture, xlabel: str) -> None:
    """Write above the picture of cdf(x) what x is there; what the numbers have in common goes aside."""
    form = require("matplotlib.ticker", "plot").ScalarFormatter()
    form.create_dummy_axis()
    at = mixture.ppf(TICKS)
    form.axis.set_view_interval(at[0], at[-1])
    marks = form.format_ticks(at)
    above = ax.secondary_xaxis("top")
    above.set_xticks(TICKS, marks)
    above.set_xlabel(wrapped(f"{xlabel}   {form.get_offset()}".rstrip()))


def _draw_values(ax: Axes, mixture: Mixture, found: Agreement, at: Array) -> None:
    """Draw every value, or of many enough, in the colour of its most likely component."""
    kept = _thinned(found.values.size)
    likely = mixture.predict(found.values[kept])
    size = 5 if kept.size < 100 else 4
    for j in range(mixture.k):
        x, y = at[:, kept[likely == j]]
        ax.plot(x, y, label=component(mixture, j), ms=size, zorder=3, **dots(j))


def _thinned(d: int) -> NDArray[np.intp]:
    """Choose which of d ascending values are drawn: those at the ends, and enough between."""
    ends, between = np.arange(min(ENDS, d)), np.linspace(0, d - 1, min(BETWEEN, d))
    return np.unique(np.concatenate([ends, d - 1 - ends, np.round(between).astype(np.intp)]))


def _grid(n: float, beyond: float = 0) -> Array:
    """Return positions at which a band for n values looks smooth, from the first to the last or beyond."""
    reach = np.log(2 * n + 1) + beyond
    return np.asarray(special.expit(np.linspace(-reach, reach, 401)))


def _strays(found: Agreement, low: float, high: float) -> list[tuple[Array, Array, str]]:
    """Return where values beyond the limits stand on the edge, and the triangles that point there."""
    x, y = found.quantiles, found.values
    beyond = [(y > high, "^"), (y < low, "v"), (x > high, ">"), (x < low, "<")]
    places = np.clip([x, y], low, high)
    return [(*places[:, which], marker) for which, marker in beyond if which.any()]
