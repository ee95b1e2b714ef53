"""To which component a value belongs, and where that changes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import views
from gmm1d.errors import UncertaintyError
from gmm1d.formatting import location
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

    from gmm1d.result import Fit
    from gmm1d.sample import Sample


def plot_responsibilities(
    fit: Fit, ax: Axes | None = None, *, data: object = None, xlabel: str = "x"
) -> Axes:
    """Draw the probability of every component, given x, and the boundaries with their 95 % intervals.

    The intervals are those of `Fit.confidence_intervals`; a fit that is no maximum of the likelihood has
    none, and shows only the lines.

    Parameters
    ----------
    fit, ax, data, xlabel
        As in `plot_fit`; fewer than 30 values are drawn as ticks on the axis, more are not drawn.

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
    mixture = fit.mixture
    shown = views.view(mixture, fit.n, sample)
    if sample is not None:
        draw_ticks(ax, sample, shown)
    left_out = _draw_boundaries(ax, fit, shown, sample)
    x = np.union1d(views.curve_points(mixture, shown), mixture.boundaries())
    x = x[(x >= shown.low) & (x <= shown.high)]
    shares = mixture.responsibilities(x)
    for j in range(fit.k):
        ax.plot(x, shares[:, j], label=component(mixture, j), zorder=3, **look(j))
    ax.set(xlim=(shown.low, shown.high), ylim=(-0.02, 1.02), ylabel="probability of the component")
    ax.set_xlabel(wrapped(xlabel))
    remark(ax, fit, outside(shown, sample), left_out)
    legend(ax, inside=False, widen=own)
    return ax


def _draw_boundaries(ax: Axes, fit: Fit, shown: views.View, sample: Sample | None) -> str:
    """Draw the boundaries that are shown, and name those between values that are not."""
    x = fit.mixture.boundaries()
    ends = np.stack([x, x], axis=1)
    with suppress(UncertaintyError):
        ends = fit.confidence_intervals().boundaries
    inside = (x >= shown.low) & (x <= shown.high)
    label = "boundary"
    for at, (low, high) in zip(x[inside], ends[inside], strict=True):
        if -np.inf < low < high:
            low, high = max(low, shown.low), min(high, shown.high)
            label = "boundary, 95 % interval"
            ax.axvspan(low, high, color="black", alpha=0.1, lw=0, zorder=0)
        ax.axvline(at, color="0.3", lw=1, zorder=1)
    if inside.any():
        ax.lines[-1].set_label(label)
    if sample is None or inside.all():
        return ""
    others = x[~inside & (x > sample.low) & (x < sample.high)]
    named = ", ".join(location(at, sample.std, 4) for at in others)
    return f"boundar{'y' if others.size == 1 else 'ies'} outside: {named}" if named else ""
