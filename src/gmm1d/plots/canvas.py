"""What all pictures share: figures, colours, names, remarks, and files; draws no curve."""

from __future__ import annotations

import os
import sys
import textwrap
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gmm1d import views
from gmm1d.errors import Ending, InputError, require
from gmm1d.files import replacing
from gmm1d.formatting import location, number
from gmm1d.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit

COLOURS, FEW_VALUES = views.COLOURS, views.FEW_VALUES
STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")
INSIDE, LETTERS = (
    6,
    32,
)  # curves, and letters of a name, up to which the legend fits into the picture
LETTER = 0.06  # inches of one
LINE, REMARK = 50, 84  # letters of a label and of a remark that stand side by side
FORMATS = (".png", ".pdf", ".svg")


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


_unseen = ContextVar("unseen", default=False)


@contextmanager
def for_documents() -> Iterator[None]:
    """Make figures within that no notebook shows; as SVG their letters are text, whose fonts are the document's."""
    as_text = {"svg.fonttype": "none", "svg.hashsalt": "gmm1d"}
    token = _unseen.set(True)
    try:
        with require("matplotlib", "plot").rc_context(as_text), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph", UserWarning)
            yield
    finally:
        _unseen.reset(token)


def figure(width: float = 7.0, height: float = 4.2) -> Figure:
    """Make a figure that shows where pyplot is in use, and needs none elsewhere."""
    if not _unseen.get() and {"matplotlib.pyplot", "ipykernel"} & sys.modules.keys():
        make = require("matplotlib.pyplot", "plot").figure
    else:
        make = require("matplotlib.figure", "plot").Figure
    return cast("Figure", make(figsize=(width, height), layout="constrained"))


def axes(ax: Axes | None, width: float = 7.0, height: float = 4.2) -> Axes:
    """Return the Axes, or those of a new figure."""
    return figure(width, height).subplots() if ax is None else ax


def sample_of(fit: Fit, data: object) -> Sample | None:
    """Return the data that were handed in, or those of the fit, if it holds any."""
    return fit.sample if data is None else Sample.of(data)


def look(j: int) -> dict[str, Any]:
    """Return colour and line style of component j."""
    turn, place = divmod(j, len(COLOURS))
    return {"color": COLOURS[place], "ls": STYLES[turn % len(STYLES)], "lw": 1.5}


def dots(j: int) -> dict[str, Any]:
    """Return colour and marker of values of component j."""
    turn, place = divmod(j, len(COLOURS))
    return {"color": COLOURS[place], "marker": MARKERS[turn % len(MARKERS)], "ls": "", "mew": 0}


def component(mixture: Mixture, j: int) -> str:
    """Write component j with its weight."""
    weight, mean, std = mixture.weights[j], mixture.means[j], mixture.stds[j]
    return f"{number(weight, 3)} N(x | {location(mean, std, 3)}, {number(std, 3)}²)"


def legend(ax: Axes, *, inside: bool = True, widen: bool, **where: Any) -> None:
    """Name the curves, inside the picture if it has room for them, or beside, in a figure made wider."""
    names = ax.get_legend_handles_labels()[1]
    longest = max(map(len, names))
    if inside and len(names) <= INSIDE and longest <= LETTERS:
        ax.legend(fontsize="small", frameon=False, **where)
        return
    ax.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    if widen:
        drawn = cast("Figure", ax.figure)
        drawn.set_figwidth(drawn.get_figwidth() + 0.5 + LETTER * longest)


def wrapped(label: str, letters: int = LINE) -> str:
    """Break a label that is too long for one line; it is text, not mathematics, whatever it holds."""
    return textwrap.fill(label, letters).replace("$", r"\$")


def draw_ticks(ax: Axes, sample: Sample, shown: views.View) -> bool:
    """Draw few values as ticks on the axis; say whether they were few."""
    x = views.ticks(views.distinct(sample)[0], views.count_of(sample), shown)
    if x is None:
        return False
    low = np.full(x.size, 0.02)
    ax.plot(x, low, "|", color="0.2", ms=14, mew=1.5, transform=ax.get_xaxis_transform())
    return True


def remark(ax: Axes, fit: Fit, *remarks: str) -> None:
    """Say above the picture how a fit ended that did not converge, and what the picture leaves out."""
    ending = () if fit.status is Ending.CONVERGED else (fit.status.value,)
    text = "\n".join(wrapped(each, REMARK) for each in (*ending, *filter(None, remarks)))
    ax.set_title(text, loc="left", fontsize="small", color="0.4")


def outside(shown: views.View, sample: Sample | None) -> str:
    """Say how many values are not shown, if any."""
    return "" if sample is None else views.outside(shown, sample.low, sample.high)
