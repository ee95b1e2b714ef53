"""How many components: the criteria against k, and the fits side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import families, views
from gmm1d.choice import BECAUSE, CRITERIA, standing
from gmm1d.plots.canvas import COLOURS, MARKERS, STYLES, axes, figure, legend, outside, wrapped
from gmm1d.plots.densities import draw_bars, draw_curves, plot_fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gmm1d.comparison import Comparison
    from gmm1d.families import Key
    from gmm1d.result import Fit

NARROW = 3  # panels that stand in one row; more stand in a square


def plot_criteria(comparison: Comparison, ax: Axes | None = None) -> Axes:
    """Draw AIC, BIC and ICL against k; the chosen fit is ringed, those that take no part in the choice are hollow.

    A second family of mixtures has thinner lines, with squares.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    own, ax = ax is None, axes(ax)
    found = comparison.candidates
    for i, family in enumerate(found.families):
        mark = MARKERS[families.FAMILIES.index(family)]
        own_keys = [key for key in found.line(family) if key[1] == family]
        own_ks = [k for k, _ in own_keys]
        left = [key in comparison.left_out for key in own_keys]
        for j, name in enumerate(CRITERIA):
            line = {k: _value(f, name) for k, f in found.of(family).items()}
            look: dict[str, Any] = {"color": COLOURS[j], "ls": STYLES[j], "lw": 0.8 if i else 1.5}
            ax.plot(list(line), list(line.values()), label=None if i else name.upper(), **look)
            face, ys = np.where(left, "white", COLOURS[j]), [line[k] for k in own_ks]
            ax.scatter(own_ks, ys, s=30, marker=mark, c=face, edgecolors=COLOURS[j], zorder=3)
        if len(found.families) > 1:
            ax.plot([], [], mark, ms=5.5, c="0.4", label=f"{family} variances")
    if comparison.chosen is not None:
        k, best = comparison.best.k, getattr(comparison.best, comparison.criterion)
        chosen = f"chosen: {found.name(comparison.chosen)}"
        ax.plot([k], [best], "ok", ms=13, mfc="none", mew=1.4, label=chosen, zorder=4)
    if left_out := {comparison.left_out[key] for key in found.fits if key in comparison.left_out}:
        label = "left out" if left_out & BECAUSE.keys() else "not converged"
        ax.plot([], [], "o", ms=5.5, mfc="white", mec="0.4", label=label)
    ax.set(xlabel="k", ylabel="criterion (lower is better)", xticks=sorted(comparison.fits))
    legend(ax, widen=own)
    return ax


def _value(fit: Fit, criterion: str) -> float:
    value = getattr(fit, criterion)
    return math.nan if value is None else value


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
    """Draw the fits of all k and families side by side, on the same axes, with their criteria; the chosen one is framed.

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
    found = comparison.candidates
    fits = list(found.fits.values())
    columns = len(fits) if len(fits) <= NARROW else math.ceil(math.sqrt(len(fits)))
    rows = math.ceil(len(fits) / columns)
    drawn = figure(max(7.0, 3.2 * columns), 0.6 + 2.3 * rows)
    panels = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    each = [views.view(f.mixture, f.n, f.sample) for f in fits]
    low, high = min(v.low for v in each), max(v.high for v in each)
    drawings = [_draw(ax, f, low, high) for ax, f in zip(panels, fits, strict=False)]
    height = max(views.top(*drawing) for drawing in drawings)
    panels[0].set(xlim=(low, high), ylim=(0, height))
    for panel, key, (_, peak) in zip(panels, found.fits, drawings, strict=False):
        _head(panel, comparison, key, peak, height)
    for i, panel in enumerate(panels):
        panel.tick_params(labelbottom=i + columns >= len(fits))
        panel.set_visible(i < len(fits))
    left_out = [outside(views.between(low, high, fits[0].sample), fits[0].sample)]
    left_out += [f"{found.name(key)}: {why}" for key, why in found.collapsed.items()]
    drawn.suptitle("\n".join(filter(None, left_out)), fontsize="small", color="0.4")
    drawn.supxlabel(wrapped(xlabel), fontsize="medium")
    drawn.supylabel("density", fontsize="medium")
    return drawn


def _draw(ax: Axes, fit: Fit, low: float, high: float) -> tuple[float, float]:
    """Draw bars and curves on a given stretch; return how high they are."""
    shown = views.between(low, high, fit.sample)
    bars = 0.0 if fit.sample is None else draw_bars(ax, fit.sample, shown)
    return bars, draw_curves(ax, fit.mixture, shown)


def _head(ax: Axes, comparison: Comparison, key: Key, peak: float, height: float) -> None:
    """Write k, the criteria and what else must be known above a panel; frame it if it is chosen."""
    found = comparison.candidates
    fit = found.fits[key]
    lines = [found.name(key)]
    ending = standing(fit, comparison.left_out.get(key))
    if ending != "converged":
        lines[0] += f": {ending}"
    criteria = [(name.upper(), getattr(fit, name)) for name in CRITERIA]
    lines.append("  ".join(f"{name} {value:.1f}" for name, value in criteria if value is not None))
    lines.extend(filter(None, [views.spike(peak, height)]))
    chosen = key == comparison.chosen
    if chosen:
        lines[0] += " (chosen)"
        for spine in ax.spines.values():
            spine.set(linewidth=2.5)
    ax.set_title("\n".join(lines), fontsize="small", weight="bold" if chosen else "normal")
