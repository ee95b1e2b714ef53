"""Small inline pictures for notebooks, as SVG elements; what a picture shows is decided in `views`.

Lengths are whole tenths of a pixel, which keeps the HTML short, and the same on every machine up to one tenth.
Text and lines have the colour of the text around them, for dark pages. Every picture has a name that says in
words what is to be seen.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from gmm1d import views
from gmm1d.errors import Ending
from gmm1d.families import EQUAL
from gmm1d.formatting import html, location, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from gmm1d.comparison import Comparison
    from gmm1d.families import Key
    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit
    from gmm1d.sample import Sample
    from gmm1d.sketch import Sketch

    Array = NDArray[np.float64]

WIDTH, NARROW, HEIGHT = 2600, 1300, 900
HEAD, FLOOR, BASE = 30, 770, 880  # where the picture's height and its floor are, and labels stand
LETTERS, LETTER = 100, 58  # the size of letters, and about how wide one is
COLUMN = 20  # of a curve, two points are drawn in each at most
BEYOND = 20  # above the picture, curves are cut off
DASHES = ("none", "60 30", "15 25", "60 25 15 25")  # in turn, where colours repeat
MOST = 50  # components; nobody could tell more apart
VALUES = 1000  # a mixture without data is shown like one of so many
FEW = 12  # boundaries; more would hide the curves
NAMED = 6  # components and boundaries that are named in words
COARSENED = "coarsened: the bound on the leaves forced some of them together"


def fit(f: Fit) -> list[Element]:
    """Draw the data of a fit, if it holds any, its components, their sum and the boundaries."""
    return _density(f.mixture, f.n, f.sample)


def mixture(m: Mixture) -> list[Element]:
    """Draw the components of a mixture, their sum and the boundaries."""
    return _density(m, VALUES, None)


def comparison(c: Comparison) -> list[Element]:
    """Draw the chosen fit, or the last, and beside it the criterion against k."""
    return [*fit(views.pictured(c)), _criterion(c)]


def sketch(s: Sketch) -> list[Element]:
    """Draw a histogram of the nodes of a sketch, if there are any."""
    if not s.n > 0:
        return []
    unit = max(abs(s.low), abs(s.high)) or 1.0  # else differences may leave float64
    values, counts = s.nodes(0.0, unit)
    count, shown = max(s.n, s.size), views.node_view(values, counts)
    ticks = views.ticks(values, count, shown)
    bars = None if ticks is not None else views.node_histogram(values, counts, count, shown)
    remarks = [*filter(None, [views.outside(shown, s.low, s.high)])]
    kind = "ticks for" if bars is None else "histogram of"
    name = f"{kind} {number(s.n, 12)} value{'s' * (s.n != 1)} from {number(s.low, 4)} to {number(s.high, 4)}"
    height = 1.0 if bars is None else views.top(float(bars[0].max()), 0.0)
    picture = _Picture([name], remarks, shown, height)
    picture.data(ticks, bars)
    picture.axis(np.array([]), unit)
    return [picture.svg]


def sketch_html(s: Sketch) -> str:
    """Write a sketch as a table of what it holds, below its histogram."""
    header = ["points", "total weight", "smallest", "largest", "leaves"]
    ends = [number(x) for x in (s.low, s.high)] if s.n > 0 else ["–", "–"]
    row = [str(s.size), number(s.n, 12), *ends, str(s.n_leaves)]
    lines = [COARSENED] * s.coarsened
    return html(header, [row], caption="Sketch", lines=lines, pictures=sketch(s))


def _density(m: Mixture, n: float, sample: Sample | None) -> list[Element]:
    """Draw a mixture and the data it was fitted to, unless it has too many components."""
    if m.k > MOST:
        return []
    shown = views.view(m, n, sample)
    x, parts, total = views.curves(m, shown)
    ticks, bars = (None, None) if sample is None else _data(sample, shown)
    highest = views.typical(m, shown) if bars is None else float(bars[0].max())
    peak = float(total.max())
    height = views.top(highest, peak)
    between = m.boundaries()
    between = between[(between > shown.low) & (between < shown.high)]
    outside = "" if sample is None else views.outside(shown, sample.low, sample.high)
    remarks = [*filter(None, [views.spike(peak, height), outside])]
    words = _words(m, between.tolist(), (shown.high - shown.low) / 6)
    picture = _Picture(words, remarks, shown, height)
    picture.data(ticks, bars)
    picture.curve(x, total, stroke_width=22, stroke_opacity=0.75)
    for j, part in enumerate(parts):
        turn, place = divmod(j, len(views.COLOURS))
        dashes = {"stroke_dasharray": DASHES[turn % len(DASHES)]} if turn else {}
        picture.curve(x, part, stroke=views.COLOURS[place], stroke_width=14, **dashes)
    picture.axis(between if between.size <= FEW else between[:0])
    return [picture.svg]


def _data(sample: Sample, shown: views.View) -> tuple[Array | None, tuple[Array, Array] | None]:
    """Return few values, or the histogram of more: of nodes if there are so many that it would last."""
    values, counts = views.distinct(sample)
    count = views.count_of(sample)
    ticks = views.ticks(values, count, shown)
    if ticks is not None:
        return ticks, None
    if sample.sketch is None:
        return None, views.histogram(sample, shown)
    return None, views.node_histogram(values, counts, count, shown)


def _words(m: Mixture, boundaries: Sequence[float], scale: float) -> list[str]:
    """Say how many Gaussians there are, where the heaviest of them are, and where they meet."""
    heaviest = np.sort(np.argsort(-m.weights, kind="stable")[:NAMED])
    each = [f"{_percent(m.weights[j])} around {_place(m.means[j], scale)}" for j in heaviest]
    each += [f"and {m.k - NAMED} more"] * (m.k > NAMED)
    words = [f"{m.k} Gaussian{'s' * (m.k > 1)}: {', '.join(each)}"]
    if boundaries:
        places = [_place(x, scale) for x in boundaries[:NAMED]]
        places += [f"and {len(boundaries) - NAMED} more"] * (len(boundaries) > NAMED)
        words.append(f"boundar{'y' if len(boundaries) == 1 else 'ies'} at {', '.join(places)}")
    return words


def _percent(share: float) -> str:
    return f"{number(100 * share, 2 if share < 0.98 else 3)} %"


def _place(x: float, scale: float) -> str:
    """Write a place with three digits, or as many as tell it from others so far away."""
    return location(x, scale, 3) if scale > 0 else number(x, 3)


def _criterion(c: Comparison) -> Element:
    """Draw the criterion against k: the chosen fit ringed, those that take no part hollow, collapsed ones as crosses.

    Equal variances have squares on a dashed line.
    """
    found = c.candidates
    ks = sorted({k for k, _ in found.keys})
    svg = _svg(NARROW, _choice(c, ks))
    ends = ([ks[0], ks[-1]], [120, NARROW - 120]) if len(ks) > 1 else (ks, [NARROW // 2])
    x = {k: round(np.interp(k, *ends)) for k in ks}
    known = {key: v for key, f in found.fits.items() if (v := getattr(f, c.criterion)) is not None}
    low, high = min(known.values(), default=0.0), max(known.values(), default=0.0)
    across = {key: (v - low) / (high - low) if high > low else 0.0 for key, v in known.items()}
    y = {key: round(FLOOR - 110 - 490 * part) for key, part in across.items()}
    for family in found.families:
        look = {"stroke_dasharray": "30 30"} if family == EQUAL else {}
        line = {k: at for (k, own), at in y.items() if own == family or k == 1}
        d = _path([x[k] for k in line], list(line.values()))
        _add(svg, "path", d=d, stroke_opacity=0.5, **look)
    for (k, family), at in y.items():
        fill = "none" if (k, family) in c.left_out else views.COLOURS[0]
        _mark(svg, x[k], at, family, fill=fill, stroke=views.COLOURS[0])
    if c.chosen is not None:
        _add(svg, "circle", cx=x[c.chosen[0]], cy=y[c.chosen], r=55)
    for k, _ in found.collapsed:
        _add(svg, "path", d=f"M{x[k] - 25} {FLOOR - 135}l50 50m0-50l-50 50")
    _text(svg, NARROW // 2, LETTERS, c.criterion.upper(), "middle")
    marks = [(x[k], f"k = {k}" if k == c.k else str(k)) for k in (c.k, ks[0], ks[-1]) if k]
    _labels(svg, NARROW, marks)
    return svg


def _mark(svg: Element, x: int, y: int, family: str, **look: object) -> None:
    if family == EQUAL:
        _add(svg, "rect", x=x - 22, y=y - 22, width=44, height=44, **look)
    else:
        _add(svg, "circle", cx=x, cy=y, r=25, **look)


def _choice(c: Comparison, ks: Sequence[int]) -> str:
    """Say in words what is chosen among which k."""
    found = c.candidates
    choice = f"{'nothing' if c.chosen is None else found.name(c.chosen)} is chosen"
    words = [f"{c.criterion.upper()} against k = {', '.join(map(str, ks))}: {choice}"]
    groups: dict[str, list[Key]] = {}
    for key, why in c.left_out.items():
        stopped = key in found.fits and found.fits[key].status is not Ending.CONVERGED
        groups.setdefault("not converged" if stopped else why, []).append(key)
    words += [f"{why}: {found.names(which)}" for why, which in groups.items()]
    return "; ".join(words)


class _Picture:
    """A picture in the making, of a stretch of the line, so high, below remarks on what it leaves out."""

    def __init__(
        self, words: Sequence[str], remarks: Sequence[str], shown: views.View, height: float
    ) -> None:
        self.svg = _svg(WIDTH, "; ".join([*words, *remarks]))
        lines = [line for remark in remarks for line in wrap(remark, WIDTH // LETTER)]
        for i, line in enumerate(lines, 1):
            _text(self.svg, 0, i * LETTERS, line)
        self._low, self._span, self._height = shown.low, shown.high - shown.low, height
        self._head = HEAD + LETTERS * len(lines)

    def _x(self, values: Array) -> Array:
        return np.rint((values - self._low) / self._span * WIDTH)

    def _y(self, heights: Array) -> Array:
        rise = FLOOR - self._head
        most = (FLOOR + BEYOND) / rise * self._height
        return np.rint(FLOOR - np.minimum(heights, most) / self._height * rise)

    def data(self, ticks: Array | None, bars: tuple[Array, Array] | None) -> None:
        """Draw few values as ticks, many as bars."""
        if bars is not None:
            heights, edges = bars
            heights = np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
            across = np.clip(self._x(np.repeat(edges, 2)), 0, WIDTH)
            d = _path(across, self._y(heights))
            _add(self.svg, "path", d=d, fill="currentColor", fill_opacity=0.2, stroke="none")
        if ticks is not None:
            d = "".join(f"M{x:.0f} {FLOOR}v-100" for x in self._x(ticks))
            _add(self.svg, "path", d=d, stroke_width=14)

    def curve(self, x: Array, heights: Array, **look: object) -> None:
        """Draw a curve where it can be told from zero, with the lowest and the highest point of every column."""
        x, y = self._x(x), self._y(heights)
        up = np.flatnonzero(y < FLOOR)
        if not up.size:
            return
        seen = slice(max(up[0] - 1, 0), up[-1] + 2)
        x, y = x[seen], y[seen]
        order = np.lexsort((y, x // COLUMN))
        first = np.flatnonzero(np.diff(x[order] // COLUMN, prepend=-np.inf))
        kept = np.unique([0, *order[first], *order[first[1:] - 1], x.size - 1])
        _add(self.svg, "path", d=_path(x[kept], y[kept]), **look)

    def axis(self, boundaries: Array, unit: float = 1.0) -> None:
        """Draw the axis and the boundaries, and name its ends and as many of them as there is room for."""
        _add(self.svg, "path", d=f"M0 {FLOOR}h{WIDTH}")
        places = self._x(boundaries).astype(int).tolist()
        if places:
            d = "".join(f"M{x} {FLOOR + 20}V{self._head}" for x in places)
            _add(self.svg, "path", d=d, stroke_dasharray="30 30")
        values = np.array([self._low, self._low + self._span, *boundaries])
        names = [_place(x * unit, self._span / 6 * unit) for x in values.tolist()]
        _labels(self.svg, WIDTH, zip([0, WIDTH, *places], names, strict=True))


def _svg(width: int, name: str) -> Element:
    look = {
        "fill": "none",
        "stroke": "currentColor",
        "stroke-width": "10",
        "style": "margin-right:12px",
    }
    size = {"width": str(width // 10), "height": str(HEIGHT // 10)}
    box = {"viewBox": f"0 0 {width} {HEIGHT}", "font-size": str(LETTERS)}
    return Element("svg", {"role": "img", "aria-label": name} | size | box | look)


def _add(svg: Element, tag: str, **attributes: object) -> Element:
    return SubElement(svg, tag, {n.replace("_", "-"): str(v) for n, v in attributes.items()})


def _path(x: ArrayLike, y: ArrayLike) -> str:
    """Write a line through points (p,): where it begins, and every step from there."""
    steps = np.diff(np.stack([x, y], axis=1).astype(int), axis=0, prepend=0)
    return f"m{' '.join(map(str, steps.ravel().tolist()))}"


def _text(svg: Element, x: float, y: int, text: str, anchor: str = "start") -> None:
    look = {"fill": "currentColor", "stroke": "none", "text_anchor": anchor}
    _add(svg, "text", x=x, y=y, **look).text = text


def _labels(svg: Element, width: int, marks: Iterable[tuple[int, str]]) -> None:
    """Write texts below places on the axis, one after the other, but those that have no room left."""
    taken: list[tuple[float, float]] = []
    for x, text in marks:
        long = LETTER * len(text)
        left = min(max(x - long / 2, 0), width - long)
        if any(left < end and begin < left + long for begin, end in taken):
            continue
        taken.append((left - LETTER, left + long + LETTER))
        anchor = "start" if left <= 0 else "end" if left >= width - long else "middle"
        _text(svg, {"start": 0, "middle": x, "end": width}[anchor], BASE, text, anchor)
