"""Pictures of fits and comparisons, with matplotlib (extra ``plot``): takes a result, returns Axes.

Without `ax`, a figure is made: through pyplot where the program uses it (it has been imported, or this
is a notebook, so that the figure shows as every other one does), else on its own, without any window
or global state. Components have the same colours in every picture, which the colour-blind can tell
apart (Okabe and Ito, 2008); from the seventh component on they repeat with another line style.

Many values are drawn from the nodes that stand for them, so that a fit of a `Sketch` is drawn like any
other. A fit that was loaded from a file holds no data: hand them in as `data`.
"""

from gmm1d.plots.agreements import plot_pit, plot_qq
from gmm1d.plots.animations import animate, save_animation
from gmm1d.plots.canvas import COLOURS, FORMATS, figure_format, save_figure
from gmm1d.plots.choices import plot_comparison, plot_criteria, plot_multiples
from gmm1d.plots.climbs import plot_trace
from gmm1d.plots.densities import plot_fit, plot_log_density
from gmm1d.plots.groups import plot_responsibilities

__all__ = [
    "COLOURS",
    "FORMATS",
    "animate",
    "figure_format",
    "plot_comparison",
    "plot_criteria",
    "plot_fit",
    "plot_log_density",
    "plot_multiples",
    "plot_pit",
    "plot_qq",
    "plot_responsibilities",
    "plot_trace",
    "save_animation",
    "save_figure",
]
