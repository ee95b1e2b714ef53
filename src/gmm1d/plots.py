"""Pictures of fits and comparisons, with matplotlib (extra ``plot``): takes a result, returns Axes.

Without `ax`, a figure is made: through pyplot where the program uses it (it has been imported, or this
is a notebook, so that the figure shows as every other one does), else on its own, without any window
or global state. Components have the same colours in every picture, which the colour-blind can tell
apart (Okabe and Ito, 2008); from the seventh component on they repeat with another line style.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gmm1d import views
from gmm1d.errors import Ending, InputError, require
from gmm1d.files import replacing
from gmm1d.formatting import location, number
from gmm1d.sample import Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gmm1d.comparison import Comparison
    from gmm1d.result import Fit

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
STYLES = ("-", "--", ":", "-.")
FEW_VALUES = 30  # below, every value is a tick on the axis; a histogram would be mostly chance
INSIDE = 5  # components up to which the legend fits into the picture
FORMATS = (".png", ".pdf", ".svg")


def plot_fit(fit: Fit, ax: Axes | None = None, *, data: object = None) -> Axes:
    """Draw the data, the weighted components and their sum: k + 1 curves, named in the legend.

    Parameters
    ----------
    fit : Fit
    ax : Axes, optional
        Where to draw; a new figure without it.
    data : column of m numbers or Sample, optional
        For a fit that was loaded from a file, which holds none. Fewer than 30 values are drawn as
        ticks on the axis, more as a histogram.

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
    sample = fit.sample if data is None else Sample.of(data)
    ax = _axes(ax)
    mixture = fit.mixture
    shown = views.view(mixture, fit.n, sample)
    bars = 0.0 if sample is None else _draw_data(ax, sample, shown)
    x = views.curve_points(mixture, shown)
    total = mixture.pdf(x)
    parts = mixture.responsibilities(x) * total[:, None]
    for j in range(fit.k):
        label = _name(mixture.weights[j], mixture.means[j], mixture.stds[j])
        ax.plot(x, parts[:, j], label=label, zorder=3, **_look(j))
    ax.plot(x, total, color="black", lw=2.6, alpha=0.75, label="sum", zorder=2)
    peak = float(total.max())
    # A component far narrower than the bins would flatten everything else.
    height = 1.5 * bars if bars and peak > 4 * bars else 1.05 * max(peak, bars)
    ax.set(xlim=(shown.low, shown.high), ylim=(0, height), xlabel="x", ylabel="density")
    _remark(ax, shown, sample, peak if peak > height else None)
    if fit.k <= INSIDE:
        ax.legend(fontsize="small", frameon=False)
    else:
        ax.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def plot_trace(fit: Fit, ax: Axes | None = None) -> Axes:
    """Draw the log-likelihood against the step, and how much it rose at each (right, on a log scale).

    A start so low that the climb itself would look flat is named, not drawn.

    Raises
    ------
    InputError
        If the fit was loaded from a file, which does not hold the trace.
    MissingExtraError
        If matplotlib is not installed.
    """
    if fit.trace is None:
        raise InputError("this fit has no trace, files do not hold it: plot it where it was fitted")
    ax = _axes(ax)
    heights = fit.trace.log_likelihood
    steps = np.arange(len(heights))
    rises = np.diff(heights)
    marker = "o" if len(heights) <= 60 else ""
    ax.plot(steps, heights, color=COLOURS[0], marker=marker, ms=4, zorder=3)
    prefix = "penalised " if fit.status is Ending.PENALISED else ""
    ax.set_xlabel("step")
    ax.set_ylabel(f"{prefix}log-likelihood", color=COLOURS[0])
    ax.set_xlim(-0.5 - 0.02 * len(rises), 0.5 + 1.02 * len(rises))
    ax.locator_params("x", integer=True)
    climbed = heights[-1] - heights[min(1, len(heights) - 1)]
    if climbed > 0 and rises[0] > 4 * climbed:
        ax.set_ylim(heights[1] - 0.1 * climbed, heights[-1] + 0.1 * climbed)
        ax.set_title(f"start: {number(heights[0])}", loc="left", fontsize="small", color="0.4")
    up = rises > 4 * np.spacing(abs(heights[-1]))  # less is rounding
    if np.any(up):
        right = ax.twinx()
        right.plot(steps[1:][up], rises[up], ".", color=COLOURS[5], ms=5 if marker else 2)
        right.set_yscale("log")
        right.set_ylabel("rise at the step", color=COLOURS[5])
    return ax


def plot_criteria(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Draw AIC, BIC and ICL against k; the chosen k is ringed, fits that did not converge are hollow.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    ax = _axes(ax)
    ks = list(comparison.fits)
    fits = comparison.fits.values()
    converged = np.array([f.status is Ending.CONVERGED for f in fits])
    for j, name in enumerate(("aic", "bic", "icl")):
        values = np.array([getattr(f, name) for f in fits], dtype=float)  # None becomes NaN
        ax.plot(ks, values, label=name.upper(), color=COLOURS[j], ls=STYLES[j])
        face = np.where(converged, COLOURS[j], "white")
        ax.scatter(ks, values, s=30, c=face, edgecolors=COLOURS[j], zorder=3)
    if comparison.k is not None:
        best = getattr(comparison.best, comparison.criterion)
        chosen = f"chosen: k = {comparison.k}"
        ax.plot([comparison.k], [best], "ok", ms=13, mfc="none", mew=1.4, label=chosen, zorder=4)
    if not converged.all():
        ax.plot([], [], "o", ms=5.5, mfc="white", mec="0.4", label="not converged")
    ax.set(xlabel="k", ylabel="criterion (lower is better)", xticks=ks)
    ax.legend(fontsize="small", frameon=False)
    return ax


def plot_comparison(comparison: Comparison) -> Figure:
    """Draw the chosen fit beside the criteria; the last fit, where none was chosen.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figure = _figure(11.0)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    chosen = comparison.k if comparison.k is not None else max(comparison.fits)
    plot_fit(comparison.fits[chosen], left)
    plot_criteria(comparison, right)
    return figure


def figure_format(path: str | os.PathLike[str]) -> str:
    """Return "png", "pdf" or "svg", by the suffix of the path.

    Raises
    ------
    InputError
        If the suffix is another.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{os.fspath(path)}: pictures are written as {', '.join(FORMATS)}, not {suffix!r}"
        )
    return suffix[1:]


def save_figure(drawing: Axes | Figure, path: str | os.PathLike[str]) -> None:
    """Write the figure to a PNG, PDF or SVG file, whole or not at all; the same bytes every time.

    Raises
    ------
    InputError
        If the suffix of `path` is another.
    OSError
        If the file cannot be written.
    """
    kind = figure_format(path)
    matplotlib = require("matplotlib", "plot")
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    with replacing(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "gmm1d"}):
        figure = cast("Figure", drawing.figure)
        figure.savefig(temporary, format=kind, dpi=150, metadata=undated)


def _figure(width: float = 7.0) -> Figure:
    """Make a figure that shows where pyplot is in use, and needs none elsewhere."""
    if {"matplotlib.pyplot", "ipykernel"} & sys.modules.keys():
        make = require("matplotlib.pyplot", "plot").figure
    else:
        make = require("matplotlib.figure", "plot").Figure
    return cast("Figure", make(figsize=(width, 4.2), layout="constrained"))


def _axes(ax: Axes | None) -> Axes:
    return _figure().subplots() if ax is None else ax


def _look(j: int) -> dict[str, Any]:
    """Return colour and line style of component j."""
    turn, place = divmod(j, len(COLOURS))
    return {"color": COLOURS[place], "ls": STYLES[turn % len(STYLES)], "lw": 1.5}


def _name(weight: float, mean: float, std: float) -> str:
    """Write a weighted component."""
    return f"{number(weight, 3)} N(x | {location(mean, std, 3)}, {number(std, 3)}²)"


def _draw_data(ax: Axes, sample: Sample, shown: views.View) -> float:
    """Draw a histogram and return its height, or ticks on the axis, which have no height."""
    if max(sample.n, sample.size) < FEW_VALUES or sample.constant:
        x = views.distinct(sample)[0]
        x = x[(x >= shown.low) & (x <= shown.high)]
        low = np.full(x.size, 0.02)
        ax.plot(x, low, "|", color="0.2", ms=14, transform=ax.get_xaxis_transform())
        return 0.0
    heights, edges = views.histogram(sample, shown)
    ax.stairs(heights, edges, fill=True, color="0.85", zorder=1)
    return float(heights.max())


def _remark(ax: Axes, shown: views.View, sample: Sample | None, peak: float | None) -> None:
    """Say above the picture what it leaves out."""
    remarks = []
    if shown.outside and sample is not None:
        lie = "value lies" if shown.outside == 1 else "values lie"
        span = f"the data go from {number(sample.low, 4)} to {number(sample.high, 4)}"
        remarks.append(f"{number(shown.outside, 10)} {lie} outside: {span}")
    if peak is not None:
        remarks.append(f"the sum peaks at {number(peak, 3)}")
    if remarks:
        ax.set_title("; ".join(remarks), loc="left", fontsize="small", color="0.4")
