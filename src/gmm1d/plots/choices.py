"""How many components: the criteria against k, and the fits side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import views
from gmm1d.comparison import CRITERIA
from gmm1d.errors import Ending
from gmm1d.plots.canvas import COLOURS, STYLES, axes, figure, legend, outside, wrapped
from gmm1d.plots.densities import draw_bars, draw_curves, plot_fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gmm1d.comparison import Comparison
    from gmm1d.result import Fit

NARROW = 3  # panels that stand in one row; more stand in a square


def plot_criteria(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Draw AIC, BIC and ICL against k; the chosen k is ringed, fits that did not converge are hollow.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    own, ax = ax is None, axes(ax)
    ks = list(comparison.fits)
    fits = comparison.fits.values()
    converged = np.array([f.status is Ending.CONVERGED for f in fits])
    for j, name in enumerate(CRITERIA):
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
    legend(ax, widen=own)
    return ax


def plot_comparison(comparison: Comparison, *, xlabel: str = "x") -> Figure:
    """Draw the chosen fit beside the criteria; the last fit, where none was chosen.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    drawn = figure(11.0)
    left, right = drawn.subplots(1, 2, width_ratios=(3, 2))
    plot_fit(views.pictured(comparison), left, xlabel=xlabel)
    plot_criteria(comparison, right)
    return drawn


def plot_multiples(comparison: Comparison, *, xlabel: str = "x") -> Figure:
    """Draw the fits of all k side by side, on the same axes, with their criteria; the chosen one is framed.

    Components are coloured in the order of their means. Fits that did not converge say how they ended,
    and k whose climb collapsed, why.

    Parameters
    ----------
    comparison : Comparison
    xlabel : str
        What x is, with its unit.

    Returns
    -------
    Figure

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    fits = comparison.fits
    columns = len(fits) if len(fits) <= NARROW else math.ceil(math.sqrt(len(fits)))
    rows = math.ceil(len(fits) / columns)
    drawn = figure(max(7.0, 3.2 * columns), 0.6 + 2.3 * rows)
    panels = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    each = [views.view(f.mixture, f.n, f.sample) for f in fits.values()]
    low, high = min(v.low for v in each), max(v.high for v in each)
    drawings = [_draw(ax, f, low, high) for ax, f in zip(panels, fits.values(), strict=False)]
    height = max(views.top(*drawing) for drawing in drawings)
    panels[0].set(xlim=(low, high), ylim=(0, height))
    for panel, k, (_, peak) in zip(panels, fits, drawings, strict=False):
        _head(panel, comparison, k, peak, height)
    for i, panel in enumerate(panels):
        panel.tick_params(labelbottom=i + columns >= len(fits))
        panel.set_visible(i < len(fits))
    sample = next(iter(fits.values())).sample
    left_out = [outside(views.between(low, high, sample), sample)]
    left_out += [f"k = {k}: {why}" for k, why in comparison.collapsed.items()]
    drawn.suptitle("\n".join(filter(None, left_out)), fontsize="small", color="0.4")
    drawn.supxlabel(wrapped(xlabel), fontsize="medium")
    drawn.supylabel("density", fontsize="medium")
    return drawn


def _draw(ax: Axes, fit: Fit, low: float, high: float) -> tuple[float, float]:
    """Draw bars and curves on a given stretch; return how high they are."""
    shown = views.between(low, high, fit.sample)
    bars = 0.0 if fit.sample is None else draw_bars(ax, fit.sample, shown)
    return bars, draw_curves(ax, fit.mixture, shown)


def _head(ax: Axes, comparison: Comparison, k: int, peak: float, height: float) -> None:
    """Write k, the criteria and what else must be known above a panel; frame it if k is chosen."""
    fit = comparison.fits[k]
    lines = [f"k = {k}"]
    if fit.status is not Ending.CONVERGED:
        lines[0] += f": {fit.status.name.lower()}"
    criteria = [(name.upper(), getattr(fit, name)) for name in CRITERIA]
    lines.append("  ".join(f"{name} {value:.1f}" for name, value in criteria if value is not None))
    lines.extend(filter(None, [views.spike(peak, height)]))
    chosen = k == comparison.k
    if chosen:
        lines[0] += " (chosen)"
        for spine in ax.spines.values():
            spine.set(linewidth=2.5)
    ax.set_title("\n".join(lines), fontsize="small", weight="bold" if chosen else "normal")
