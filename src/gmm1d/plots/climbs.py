"""The climb of a fit, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gmm1d.errors import Ending, InputError
from gmm1d.formatting import number
from gmm1d.plots.canvas import COLOURS, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gmm1d.result import Fit

SEEN = 1e-9  # of |log-likelihood| + n: an axis cannot show less


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
    ax = axes(ax)
    heights = fit.trace.log_likelihood
    steps = np.arange(len(heights))
    rises = np.diff(heights)
    marker = "o" if len(heights) <= 60 else ""
    ax.plot(steps, heights, color=COLOURS[0], marker=marker, ms=4, zorder=3)
    prefix = "penalised " if fit.status is Ending.PENALISED else ""
    ax.set_xlabel("step")
    ax.set_ylabel(f"{prefix}log-likelihood", color=COLOURS[0])
    ax.set_xlim(-0.5 - 0.02 * len(rises), 0.5 + 1.02 * len(rises))
    if len(rises):
        ax.locator_params("x", integer=True)
    else:
        ax.set_xticks(steps)
    climbed = heights[-1] - heights[min(1, len(heights) - 1)]
    if climbed > SEEN * (abs(heights[-1]) + fit.n) and rises[0] > 4 * climbed:
        ax.set_ylim(heights[1] - 0.1 * climbed, heights[-1] + 0.1 * climbed)
        ax.set_title(f"start: {number(heights[0])}", loc="left", fontsize="small", color="0.4")
    up = rises > 4 * np.spacing(abs(heights[-1]))  # less is rounding
    if np.any(up):
        right = ax.twinx()
        right.plot(steps[1:][up], rises[up], ".", color=COLOURS[5], ms=5 if marker else 2)
        right.set_yscale("log")
        right.set_ylabel("rise at the step", color=COLOURS[5])
    return ax
