"""The charts of all pages: Vega-Altair's specifications, compiled to Vega; their data are put in by the page.

Nothing is computed here. A chart names its data sets and parameters; ``static/charts.js`` fills them,
`drawn` fills them where a picture stands still. Text and lines have the colour of the text around them,
so that a page may be light or dark.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree

from gmm1d.errors import require
from gmm1d.families import FAMILIES
from gmm1d.views import COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEXT = "currentColor"
SVG = "http://www.w3.org/2000/svg"
XLABEL = "x"  # the title that stands for the name of the data
MARGIN = 56  # pixels left of every chart, so that charts below each other agree
POWER = "format(datum.value, '.4~g')"  # how an axis writes numbers that have too many digits
ODD = "max(abs(low), abs(high)) < 1e-4 || max(abs(low), abs(high)) >= 1e12"
SHORT = f"abs(datum.value) < 1e-4 || abs(datum.value) >= 1e7 ? {POWER} : datum.label"
DASHES = [[1, 0], [6, 3], [2, 2], [6, 2, 2, 2]]  # as plots.canvas.STYLES
CONFIG: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "background": "transparent",
    "mark": {"aria": False},  # the chart's own description says what it shows
    "view": {"stroke": "transparent"},
    "axis": {
        "labelColor": TEXT,
        "titleColor": TEXT,
        "tickColor": TEXT,
        "domainColor": TEXT,
        "gridColor": TEXT,
        "gridOpacity": 0.12,
        "domainOpacity": 0.5,
        "tickOpacity": 0.5,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelFlush": False,
    },
    "axisY": {"minExtent": MARGIN - 16, "maxExtent": MARGIN - 16, "tickCount": 4},
    "axisX": {"grid": False, "tickCount": 8},
}


def _altair() -> Any:
    return require("altair", "report")


@cache
def compiled(name: str) -> dict[str, Any]:
    """Return the Vega specification of a chart: "density", "posterior", "climb", "bound" or "criteria".

    Raises
    ------
    MissingExtraError
        If Altair or vl-convert is not installed.
    """
    chart = _CHARTS[name]().configure(**CONFIG).to_dict()
    resized = name in ("climb", "bound", "criteria")  # whose numbers may become longer
    chart["autosize"] = {"type": "fit-x", "contains": "padding", "resize": resized}
    return cast("dict[str, Any]", require("vl_convert", "report").vegalite_to_vega(chart))


def drawn(
    name: str, data: Mapping[str, Sequence[Any]], width: int, xlabel: str, label: str, **values: Any
) -> str:
    """Return a chart with its data and the values of its parameters as SVG, named by the `label`."""
    spec = json.loads(json.dumps(compiled(name)))
    for part in spec["data"]:
        if part["name"] in data:
            part["values"] = data[part["name"]]
    for axis in spec["axes"]:
        if axis.get("title") == XLABEL:
            axis["title"] = xlabel
    named = {"width": width, **values}
    spec["signals"] = [
        {"name": signal["name"], "value": named[signal["name"]]}
        if signal["name"] in named
        else signal
        for signal in spec["signals"]
    ]
    spec["description"] = label
    return _own_names(require("vl_convert", "report").vega_to_svg(spec), f"still{next(_STILLS)}-")


_STILLS = count()
_DECIMALS = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def _own_names(svg: str, prefix: str) -> str:
    """Put a prefix before the names of clip paths, which are those of the whole page where an SVG is part of it.

    Lines are written to a tenth of a pixel.
    """
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", prefix + element.attrib["id"])
        if clip := element.get("clip-path"):
            element.set("clip-path", clip.replace("#", f"#{prefix}", 1))
        if line := element.get("d"):
            element.set("d", _DECIMALS.sub(lambda found: f"{float(found[0]):.1f}", line))
    return ElementTree.tostring(root, encoding="unicode")


def _data(name: str) -> Any:
    return _altair().NamedData(name=name)


def _scale(low: str, high: str) -> Any:
    alt = _altair()
    return alt.Scale(domain=[alt.ExprRef(low), alt.ExprRef(high)], zero=False, nice=False)


def _component(field: str = "j") -> dict[str, Any]:
    """Encode a component by colour and line style, as every picture of gmm1d does."""
    alt = _altair()
    n = len(COLOURS)
    numbers = list(range(n * len(DASHES)))
    colour = alt.Scale(domain=numbers, range=[COLOURS[j % n] for j in numbers])
    dash = alt.Scale(domain=numbers, range=[DASHES[j // n] for j in numbers])
    return {
        "color": alt.Color(f"{field}:N", scale=colour, legend=None),
        "strokeDash": alt.StrokeDash(f"{field}:N", scale=dash, legend=None),
    }


def _x() -> Any:
    alt = _altair()
    axis = alt.Axis(title=XLABEL, labelExpr=f"{ODD} ? {POWER} : datum.label")
    return alt.X("x:Q", scale=_scale("low", "high"), axis=axis)


def _rule(name: str, **look: Any) -> Any:
    """Draw vertical lines at the x of a data set."""
    alt = _altair()
    return alt.Chart(_data(name)).mark_rule(color=TEXT, clip=True, **look).encode(x=_x())


def _intervals() -> Any:
    """Draw grey stretches, of x to x2."""
    alt = _altair()
    marks = alt.Chart(_data("intervals")).mark_rect(color=TEXT, opacity=0.1, clip=True)
    return marks.encode(x=_x(), x2="x2:Q")


def _bars(y: Any) -> Any:
    alt = _altair()
    colour = alt.Fill("colour:N", scale=None)
    marks = alt.Chart(_data("bars")).mark_rect(color=TEXT, opacity=0.16, clip=True)
    return marks.encode(x=_x(), x2="x2:Q", y=y, y2=alt.datum(0), fill=colour)


def _ticks() -> Any:
    """Draw single values on the axis."""
    alt = _altair()
    ends = {"y": alt.value(alt.ExprRef("height - 18")), "y2": alt.value(alt.ExprRef("height"))}
    marks = alt.Chart(_data("points")).mark_rule(strokeWidth=2, clip=True)
    return marks.encode(x=_x(), color=alt.Color("colour:N", scale=None), **ends)


def _handles(y: Any) -> Any:
    """Draw what can be dragged."""
    alt = _altair()
    marks = alt.Chart(_data("handles")).mark_point(
        size=160, filled=True, opacity=0.9, stroke=TEXT, cursor="grab"
    )
    return marks.encode(x=_x(), y=y, color=_component()["color"], shape=alt.value("circle"))


def _lines(name: str, y: Any, **look: Any) -> Any:
    alt = _altair()
    return alt.Chart(_data(name)).mark_line(clip=True, **look).encode(x=_x(), y=y)


def _density() -> Any:
    alt = _altair()
    y = alt.Y("y:Q", scale=_scale("0", "top"), axis=alt.Axis(title="density", labelExpr=SHORT))
    layers = alt.layer(
        _intervals(),
        _bars(y),
        _ticks(),
        _rule("boundaries", strokeWidth=1, opacity=0.6),
        _lines("total", y, strokeWidth=4, color=TEXT, opacity=0.35),
        _lines("curves", y, strokeWidth=2).encode(**_component()),
        _rule("threshold", strokeWidth=3, opacity=0.85, cursor="ew-resize"),
        _rule("hover", strokeWidth=1, strokeDash=[3, 3]),
        _handles(y),
    )
    below = alt.param(name="below", expr="cumulativeNormal(z)")  # asked for by charts.js
    return _finished(layers, 250, low=0, high=1, top=1, z=0).add_params(below)


def _posterior() -> Any:
    alt = _altair()
    axis = alt.Axis(title="probability", values=[0, 0.5, 1], format="~g")
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, 1]), axis=axis)
    layers = alt.layer(
        _intervals(),
        _rule("boundaries", strokeWidth=1, opacity=0.6),
        _lines("shares", y, strokeWidth=2).encode(**_component()),
        _rule("threshold", strokeWidth=3, opacity=0.85),
        _rule("hover", strokeWidth=1, strokeDash=[3, 3]),
    )
    return _finished(layers, 90, low=0, high=1)


def _here(x: Any, y: Any) -> Any:
    """Draw the point where a climb is."""
    marks = _altair().Chart(_data("here")).mark_point(filled=True, size=110, clip=True)
    return marks.encode(x=x, y=y, color=_altair().value(COLOURS[0]))


def _height(**look: Any) -> Any:
    """Encode a log-likelihood or a criterion, whose numbers may be long."""
    alt = _altair()
    axis = alt.Axis(title=None, maxExtent=4 * MARGIN, **look)
    return alt.Y("y:Q", scale=_scale("floor", "ceiling"), axis=axis)


def _climb() -> Any:
    alt = _altair()
    x = alt.X("x:Q", title="iteration", scale=_scale("0", "last"), axis=alt.Axis(tickMinStep=1))
    y = _height()
    other = alt.Chart(_data("other")).mark_line(color=COLOURS[1], strokeWidth=2, clip=True)
    stairs = alt.Chart(_data("stairs")).mark_line(color=COLOURS[0], strokeWidth=1.2, clip=True)
    line = alt.Chart(_data("climb")).mark_line(color=TEXT, strokeWidth=1.2, clip=True)
    dots = alt.Chart(_data("climb")).mark_point(color=TEXT, filled=True, size=22, clip=True)
    layers = alt.layer(
        other.encode(x=x, y=y),
        stairs.encode(x=x, y=y, order="i:Q"),
        line.encode(x=x, y=y),
        dots.encode(x=x, y=y),
        _here(x, y),
    )
    return _finished(layers, 170, last=1, floor=0, ceiling=1)


def _bound() -> Any:
    alt = _altair()
    names = "datum.value ? 'after' : 'before'"
    axis = alt.Axis(title="along the step", values=[0, 1], labelExpr=names)
    x = alt.X("x:Q", scale=alt.Scale(domain=[-0.5, 2], nice=False), axis=axis)
    y = _height(labelExpr=SHORT)
    bound = alt.Chart(_data("bound")).mark_line(color=COLOURS[0], strokeWidth=2.5, clip=True)
    likelihood = alt.Chart(_data("likelihood")).mark_line(color=TEXT, strokeWidth=1.5, clip=True)
    layers = alt.layer(bound.encode(x=x, y=y), likelihood.encode(x=x, y=y), _here(x, y))
    return _finished(layers, 170, floor=0, ceiling=1)


def _criteria() -> Any:
    alt = _altair()
    axis = alt.Axis(title="components", tickMinStep=1, format="d")
    x, y = alt.X("k:Q", scale=_scale("low", "high"), axis=axis), _height()
    scale = alt.Scale(domain=["AIC", "BIC", "ICL"], range=list(COLOURS[:3]))
    legend = alt.Legend(title=None, labelColor=TEXT, symbolFillColor="transparent")
    colour = alt.Color("criterion:N", scale=scale, legend=legend)
    names = map(alt.Tooltip, ("k:Q", "family:N", "criterion:N"))
    tips = [*names, alt.Tooltip("y:Q", format=".2f")]
    dash, shape = (
        channel("family:N", scale=alt.Scale(domain=list(FAMILIES), range=looks), legend=None)
        for channel, looks in ((alt.StrokeDash, DASHES[:2]), (alt.Shape, ["circle", "square"]))
    )
    base = alt.Chart(_data("criteria")).encode(x=x, y=y, color=colour)
    chosen = alt.Chart(_data("chosen")).mark_point(size=220, color=TEXT, strokeWidth=2)
    inside = alt.Fill("inside:N", scale=None)
    layers = alt.layer(
        base.mark_line(strokeWidth=1.5).encode(dash),
        base.mark_point(size=45, opacity=1).encode(inside, shape, tooltip=tips),
        chosen.encode(x=x, y=y),
    )
    return _finished(layers, 200, low=0, high=1, floor=0, ceiling=1)


def _finished(layers: Any, height: int, **values: float) -> Any:
    """Give a chart its size and its parameters, with their first values."""
    params = [_altair().param(name=name, value=value) for name, value in values.items()]
    return layers.properties(width="container", height=height).add_params(*params)


_CHARTS = {
    "density": _density,
    "posterior": _posterior,
    "climb": _climb,
    "bound": _bound,
    "criteria": _criteria,
}
NAMES = tuple(_CHARTS)
