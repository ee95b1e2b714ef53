"""What moves when a climb is drawn step by step: densities, the climb, and the bound along the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gmm1d import views
from gmm1d.errors import require
from gmm1d.formatting import number
from gmm1d.mixture import Mixture
from gmm1d.plots.canvas import (
    COLOURS,
    LETTER,
    component,
    figure,
    look,
    outside,
    remark,
    wrapped,
)
from gmm1d.replays import thinned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gmm1d.replays import Half, Replay

    Array = NDArray[np.float64]

MOST = 60  # points of a climb that are drawn, two pictures each
TICKS = 300  # values up to which each is a tick in the colour of its responsibilities
LEAST = 1e-6  # of |log-likelihood| + n: what is shown at least, so that numbers beside it are short
SEEN = 1e-11  # the same of a slice, which has differences: less would be rounding
HIGHER = 1.5  # times as high as the end, the picture goes at most: a start may be of spikes
FIRST = 10  # steps for which there is room from the start on
SMALL: dict[str, Any] = {"loc": "left", "fontsize": "small", "color": "0.4"}
BOUND = COLOURS[5]


class Stage:
    """The figure and what moves in it."""

    def __init__(self, told: Replay, xlabel: str) -> None:
        self.told = told
        points = thinned(len(told) - 1, MOST)
        self.halves = told.halves(points)
        self.figure = figure(10.0, 5.6)
        cells = self.figure.subplot_mosaic(
            [["data", "climb"], ["data", "slice"]], width_ratios=[3, 2]
        )
        self.title = self.figure.suptitle("", x=0.01, ha="left")
        self.density = _Density(cells["data"], told, points)
        cells["data"].set_xlabel(wrapped(xlabel))
        thin = f"{len(points)} of the {told.n_iter + 1} points of the climb are drawn"
        lost = outside(self.density.shown, told.sample)
        remark(cells["data"], told.fit, lost, thin if len(points) <= told.n_iter else "")
        self.climb = _Climb(cells["climb"], told, self.halves)
        self.slice = _Slice(cells["slice"], told)
        self.draw(min(1, len(self.halves) - 1))
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine(None)  # from now on nothing moves but what is drawn

    def draw(self, number_of: int) -> None:
        """Draw one of the halves."""
        half = self.halves[number_of]
        self.title.set_text(self.told.sentence(half))
        belonging = [each.point for each in self.halves[: number_of + 1] if each.what == "E"]
        if half.what in ("newton", "squarem", "end"):
            belonging = [half.point]
        self.density.draw(half.point, belonging[-1] if belonging else None)
        self.climb.draw(number_of)
        self.slice.draw(half, min(half.point, self.halves[max(number_of - 1, 0)].point))


class _Density:
    """The data, the components and their sum."""

    def __init__(self, ax: Axes, told: Replay, points: NDArray[np.intp]) -> None:
        self.told = told
        self.colour_of = np.argsort(told.fit.order)  # as in the other pictures: by mean at the end
        mixtures = [self._mixture(i)[0] for i in points]
        low, high = told.span
        self.shown = views.between(low, high, told.sample)
        bars = self._draw_data(ax)
        peaks = [float(m.pdf(views.curve_points(m, self.shown)).max()) for m in mixtures]
        height = views.top(bars, peaks[-1])
        height = min(max(height, 1.05 * max(peaks)), HIGHER * height)
        ax.set(xlim=(low, high), ylim=(0, height), ylabel="density")
        self.parts = [ax.plot([], [], zorder=3, **look(j))[0] for j in self.colour_of]
        (self.total,) = ax.plot([], [], color="black", lw=2.6, alpha=0.75, zorder=2)
        names = [component(m, j) for m in (mixtures[0], mixtures[-1]) for j in range(told.k)]
        drawn = cast("Figure", ax.figure)
        columns = int(drawn.get_figwidth() / (0.6 + LETTER * max(map(len, names))))
        self.legend = drawn.legend(
            [*(self.parts[j] for j in told.fit.order), self.total],
            [*names[-told.k :], "sum"],
            loc="outside lower left",
            ncols=max(columns, 1),
            fontsize="small",
            frameon=False,
        )

    def _draw_data(self, ax: Axes) -> float:
        """Draw bars and ticks, of many and of few values; return the height of the bars."""
        sample = self.told.sample
        collections = require("matplotlib.collections", "plot")
        self.places: list[tuple[Any, Array]] = []  # what is coloured, and by which values
        bars = 0.0
        x = views.distinct(sample)[0]
        if views.ticks(x, views.count_of(sample), self.shown) is None:
            heights, edges = views.histogram(sample, self.shown)
            left, right, zero = edges[:-1], edges[1:], np.zeros_like(heights)
            corners = [(left, zero), (left, heights), (right, heights), (right, zero)]
            drawn = collections.PolyCollection(
                np.stack([np.stack(corner, axis=1) for corner in corners], axis=1),
                alpha=0.35,
                lw=0,
                zorder=1,
            )
            ax.add_collection(drawn, autolim=False)
            self.places.append((drawn, (left + right) / 2))
            bars = float(heights.max())
        if x.size <= TICKS:
            across = ax.get_xaxis_transform()
            ticks = ax.vlines(x, 0.0, 0.05, transform=across, lw=1.5, zorder=4)
            self.places.append((ticks, x))
        return bars

    def _mixture(self, point: int) -> tuple[Mixture, NDArray[np.intp]]:
        """Return the mixture there, and which of the start's components are its own."""
        told = self.told
        theta = (told.weights[point], told.means[point], told.stds[point])
        return Mixture(*theta), Mixture.sorting(*theta)

    def draw(self, point: int, belonging: int | None) -> None:
        """Draw the components at one point, and the data by the responsibilities at another, or grey."""
        m, order = self._mixture(point)
        x, parts, total = views.curves(m, self.shown)
        back = np.argsort(order)
        for j, line in enumerate(self.parts):
            line.set_data(x, parts[back[j]])
        self.total.set_data(x, total)
        for text, j in zip(self.legend.get_texts(), self.told.fit.order, strict=False):
            text.set_text(component(m, int(back[j])))
        for drawn, values in self.places:
            drawn.set_color("0.5" if belonging is None else self._blend(belonging, values))

    def _blend(self, point: int, values: Array) -> Array:
        """Mix the components' colours by the responsibilities of values (m,)."""
        m, order = self._mixture(point)
        to_rgb = require("matplotlib.colors", "plot").to_rgb
        colours = [to_rgb(look(j)["color"]) for j in self.colour_of[order]]
        return np.asarray(np.clip(m.responsibilities(values) @ np.array(colours), 0, 1))


class _Climb:
    """The log-likelihood and the bound against the step, up to the present one."""

    def __init__(self, ax: Axes, told: Replay, pictures: list[Half]) -> None:
        self.ax, self.told, self.pictures = ax, told, pictures
        low, high = told.window
        margin = 0.08 * max(high - low, LEAST * (abs(high) + told.sample.n))
        ax.set(ylim=(low - margin, high + margin), xlabel="step")
        ax.locator_params("x", integer=True)
        ax.ticklabel_format(axis="y", useOffset=False)
        if told.log_likelihood[0] < low:
            start = f"start: {number(told.log_likelihood[0])}"
            ax.set_title(start, **SMALL)
        style: dict[str, Any] = {"color": "0.7", "mfc": "black", "mec": "black", "ms": 3, "lw": 1}
        (self.line,) = ax.plot([], [], "o-", label="log-likelihood", **style)
        (self.bound,) = ax.plot([], [], color=BOUND, lw=1.2, label="lower bound", zorder=3)
        (self.here,) = ax.plot([], [], "o", color=BOUND, ms=7, zorder=4)
        ax.legend(fontsize="small", frameon=False, loc="lower right")
        self.path = [self._stairs(i) for i in range(len(pictures))]

    def _stairs(self, i: int) -> list[tuple[float, float]]:
        """Return the places where the bound is led to in one of the pictures."""
        what, point = self.pictures[i]
        step, told = float(self.told.iterations[point]), self.told
        if what == "E":
            lifted = [(step, float(told.log_likelihood[point]))]
            came = self.pictures[i - 1].what == "em"
            return lifted if came else [(np.nan, np.nan), (step, told.bound[point]), *lifted]
        return [(step, float(told.bound[point]))] if what == "em" else []

    def draw(self, i: int) -> None:
        """Draw what has happened until one of the pictures."""
        point = self.pictures[i].point
        stairs = [place for places in self.path[: i + 1] for place in places]
        self.bound.set_data(*np.array(stairs or [(np.nan, np.nan)]).T)
        self.line.set_data(self.told.iterations[: point + 1], self.told.log_likelihood[: point + 1])
        step = float(self.told.iterations[point])
        on_it = [(step, float(self.told.log_likelihood[point]))]  # steps that climb no bound
        self.here.set_data(*np.array(self.path[i][-1:] or on_it).T)
        self.ax.set_xlim(-0.05 * max(step, FIRST), 1.05 * max(step, FIRST))


class _Slice:
    """The log-likelihood and the bound along the line to the next point, as differences from where they touch."""

    def __init__(self, ax: Axes, told: Replay) -> None:
        self.ax, self.told = ax, told
        ax.set(xlim=(told.along[0], told.along[-1]), ylim=(-1, 1))
        ax.set_xticks([0, 1], ["here", "next"])
        ax.set_title("rise along the line to the next point", y=1.0, **(SMALL | {"loc": "right"}))
        (self.bound,) = ax.plot([], [], color=BOUND, lw=1.2)
        (self.line,) = ax.plot([], [], color="black", lw=1.5)
        (self.here,) = ax.plot([], [], "o", color=BOUND, ms=7, zorder=4)

    def draw(self, half: Half, point: int) -> None:
        """Draw the slice that begins at a point of the replay, and where the bound is."""
        told = self.told
        if not len(told.slice_bound):
            return
        point = min(point, len(told.slice_bound) - 1)
        base = told.log_likelihood[point]
        heights, bound = told.slice_log_likelihood[point] - base, told.slice_bound[point] - base
        self.line.set_data(told.along, heights)
        self.bound.set_data(told.along, bound)
        place = told.along == (0 if half.point == point else 1)
        on_bound = half.what in ("E", "em")
        self.here.set_data(told.along[place], (bound if on_bound else heights)[place])
        self.bound.set_visible(on_bound)
        between = heights[(told.along >= 0) & (told.along <= 1)]
        low, high = min(between), max(heights)
        span = max(high - low, SEEN * (abs(base) + told.sample.n))
        self.ax.set_ylim(low - 0.6 * span, high + 0.15 * span)
