"""`replay`: a climb told point by point, with the lower bound that EM climbs; climbs nothing itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gmm1d import views
from gmm1d.arguments import whole
from gmm1d.bounds import ALONG, along_climb
from gmm1d.errors import InputError, MissingExtraError
from gmm1d.files import write_text
from gmm1d.formatting import number, steps
from gmm1d.frozen import Frozen, guarded
from gmm1d.mixture import Mixture
from gmm1d.sample import Sample
from gmm1d.starts import Start

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from gmm1d.result import Fit

    Array = NDArray[np.float64]

MOST = 200  # points shown, unless the caller asks for another number
STEEP = 4  # times as high as all later rises together, a rise would flatten them in a picture
DIGITS = 6  # of what a slice spans, in which `Replay.content` writes it
SENTENCES = {
    "start": "Start: {gaussians}, log-likelihood {height}",
    "optimum": "Start: the optimum of data that were compressed more, log-likelihood {height}",
    "E": "E-step {next}: who belongs to whom; the bound touches the log-likelihood",
    "em": "M-step {step}: each Gaussian moves to its values, to the top of the bound",
    "newton": "Newton step {step}: all at once, by slope and curvature of the log-likelihood",
    "end": "After {method}: log-likelihood {height}",
    "squarem": "SQUAREM step {step}: farther along the way of EM",
}


class Half(NamedTuple):
    """One picture of a replay: what happens in it, and at which of the points shown."""

    what: str  # a key of SENTENCES
    point: int


@dataclass(frozen=True, eq=False, repr=False)
class Replay(Frozen):
    """A climb of EM or Newton's method, told point by point; F of the points θ_t are shown.

    Components are in the start's order, ``fit.order`` maps them to the mixture's. Every log-likelihood here is
    that of the parameters shown, of the nodes of the sample (see `Sample`) and without any penalty, so that
    bounds touch it; `Trace.log_likelihood` is penalised where the fit is, and of the points after ``exact=True``.

    Attributes
    ----------
    fit : Fit
        What is replayed.
    sample : Sample
        The data.
    iterations : ndarray of int (F,)
        Which points of the trace are shown: the first half of them one by one, then with ever larger gaps.
    kinds : tuple of str (F,)
        The step that led to each: "start", "em", "newton", "squarem" or "optimum".
    weights, means, stds : ndarray (F, k)
    log_likelihood : ndarray (F,)
    bound : ndarray (F,)
        B(θ_t) for the responsibilities at θ_(t−1), the point before it in the trace: where the step led on the
        bound; the next E-step lifts it to the log-likelihood. NaN for the first point.
    along : ndarray (41,)
        Places s on the straight line in log weights, means and log stds through a point θ_t, s = 0, and the next
        one of the trace, s = 1. Weights are normalised; stds stop when they have changed by a factor of 1e60.
    slice_log_likelihood, slice_bound : ndarray (F − 1, 41)
        ℓ and the bound that touches it at θ_t, along that line, for all points shown but the last. The bound is
        highest at s = 1 if the next step is one of EM, free of penalties and of weights that are fixed.
    """

    fit: Fit
    sample: Sample
    iterations: NDArray[np.intp]
    kinds: tuple[str, ...]
    weights: Array
    means: Array
    stds: Array
    log_likelihood: Array
    bound: Array
    along: Array
    slice_log_likelihood: Array
    slice_bound: Array

    def __len__(self) -> int:
        """Count the F points shown."""
        return len(self.kinds)

    @property
    def k(self) -> int:
        """The number of components."""
        return self.fit.k

    @property
    def n_iter(self) -> int:
        """The number of steps of the climb."""
        return int(self.iterations[-1])

    @property
    def method(self) -> str:
        """The steps of the climb, counted, in words."""
        assert self.fit.trace is not None
        return steps(self.fit.trace.kind)

    @property
    def window(self) -> tuple[float, float]:
        """The log-likelihoods between which a picture shows the climb.

        First steps so steep that the others would look flat are left out, up to a tenth of the steps, and so are
        bounds further below the first point shown than the last is above it.
        """
        heights, end = self.log_likelihood, float(self.log_likelihood[-1])
        most, first = -(-(len(self) - 1) // 10), 0
        while first < most and heights[first + 1] - heights[first] > STEEP * (
            end - heights[first + 1]
        ):
            first += 1
        start, shown = heights[first], np.concatenate([heights[first:], self.bound[first:]])
        return float(max(np.nanmin(shown), 2 * start - end)), float(heights[first:].max())

    @property
    def span(self) -> tuple[float, float]:
        """The stretch of x that a picture shows: that of the end, and of the start up to as much on either side."""
        ends = (Mixture(self.weights[i], self.means[i], self.stds[i]) for i in (0, -1))
        first, last = (views.view(mixture, self.sample.n, self.sample) for mixture in ends)
        room = last.high - last.low  # a start far out must not make the data small
        low = max(min(first.low, last.low), last.low - room)
        return low, min(max(first.high, last.high), last.high + room)

    def halves(self, points: NDArray[np.intp] | None = None) -> list[Half]:
        """List the pictures: E-step and M-step by turns, of all points shown or of some of them (p,).

        Only steps of EM have an E-step; where the next point is not shown, its M-step is not either.
        """
        found = [Half(self.kinds[0], 0)]
        shown = range(len(self)) if points is None else points.tolist()
        for here, there in pairwise(shown):
            adjacent = self.iterations[there] == self.iterations[here] + 1
            em = self.kinds[there] == "em"
            if em:
                found.append(Half("E", here))
            if adjacent or not em:
                found.append(Half(self.kinds[there], there))
        return [*found, Half("end", len(self) - 1)]

    def sentence(self, half: Half) -> str:
        """Say what happens in a picture."""
        step, height = int(self.iterations[half.point]), self.log_likelihood[half.point]
        names = {"step": step, "next": step + 1, "height": number(height, 8)}
        names |= {"method": self.method, "gaussians": self._gaussians}
        return SENTENCES[half.what].format(**names)

    @property
    def _gaussians(self) -> str:
        return f"{self.k} Gaussian{'s' * (self.k > 1)}"

    def __repr__(self) -> str:
        points = f"{len(self)} point{'s' * (len(self) > 1)}"
        return f"<Replay of {self.method} of {self._gaussians}: {points} shown>"

    def _repr_html_(self) -> str | None:
        from gmm1d.pages import replaying

        try:
            return replaying.frame(self)
        except MissingExtraError:  # then the line of text is shown
            return None

    def save(
        self, path: str | PathLike[str], *, xlabel: str = "x", title: str | None = None
    ) -> None:
        """Write an HTML page that replays the climb and needs no network, whole or not at all.

        Parameters
        ----------
        path : path-like
            Ends in .html.
        xlabel : str
            What x is, with its unit.
        title : str, optional

        Raises
        ------
        InputError
            If the suffix of `path` is another.
        MissingExtraError
            If what makes pages is not installed: the extra ``report``.
        OSError
            If the file cannot be written.
        """
        from gmm1d.pages import replaying

        if Path(path).suffix.lower() != ".html":
            raise InputError(f"{fspath(path)}: a replay is saved as .html")
        write_text(path, replaying.page(self, xlabel, title))

    def content(self) -> dict[str, Any]:
        """Return all that is shown as lists and numbers that JSON takes; NaN is None, slices are rounded."""
        slices = zip(self.slice_log_likelihood, self.slice_bound, strict=True)
        halves = self.halves()
        return {
            "method": self.method,
            "n": self.sample.n,
            "n_iter": self.n_iter,
            "iterations": self.iterations.tolist(),
            "weights": self.weights.tolist(),
            "means": self.means.tolist(),
            "stds": self.stds.tolist(),
            "log_likelihood": self.log_likelihood.tolist(),
            "bound": [None, *self.bound[1:].tolist()],
            "window": list(self.window),
            "halves": [list(half) for half in halves],
            "sentences": [self.sentence(half) for half in halves],
            "along": self.along.tolist(),
            "slices": [
                {"log_likelihood": _rounded(heights), "bound": _rounded(bound)}
                for heights, bound in slices
            ],
        }


def replay(fit: Fit, *, data: object = None, most: int = MOST) -> Replay:
    """Tell how a fit was reached, point by point.

    Parameters
    ----------
    fit : Fit
        With the trace of its climb. ``method="em"`` and a start show EM from the start on; a search shows only
        its last climb.
    data : column of m numbers, Sketch or Sample, optional
        Those that were fitted, if the fit does not hold them.
    most : int
        So many points are shown at most, of 2 and more.

    Raises
    ------
    InputError
        If the fit was loaded from a file, the data are not those of the fit, or `most` is no such number.

    Examples
    --------
    >>> import gmm1d
    >>> start = dict(means=[6, 7], variances=[1, 4])
    >>> gmm1d.fit([-1, 0, 4, 5, 6], 2, start=start, method="em").replay()
    <Replay of 7 EM steps of 2 Gaussians: 8 points shown>
    """
    most = whole("most", most, least=2, default=MOST)
    trace = fit.trace
    if trace is None or (fit.sample is None and data is None):
        what = "trace" if trace is None else "data"
        raise InputError(f"this fit was loaded from a file, which holds no {what}: fit again")
    sample = fit.sample if data is None else Sample.of(data)
    assert sample is not None
    shown = thinned(len(trace) - 1, most)
    thetas = np.stack(Start(trace.weights, trace.means, trace.stds).standardised(sample), axis=1)
    heights, bounds, slices = along_climb(thetas, shown, sample)
    return Replay(
        fit=fit,
        sample=sample,
        iterations=guarded(shown),
        kinds=tuple(trace.kind[t] for t in shown),
        weights=guarded(trace.weights[shown]),
        means=guarded(trace.means[shown]),
        stds=guarded(trace.stds[shown]),
        log_likelihood=guarded(heights),
        bound=guarded(bounds),
        along=guarded(ALONG),
        slice_log_likelihood=guarded(slices[0]),
        slice_bound=guarded(slices[1]),
    )


def thinned(last: int, most: int) -> NDArray[np.intp]:
    """Choose points 0 … last: all, or half of `most` one by one and the others in ever larger steps."""
    if last < most:
        return np.arange(last + 1)
    first = most // 2
    later = np.geomspace(first, last, most - first).round()
    return np.unique(np.concatenate([np.arange(first), later])).astype(np.intp)


def _rounded(heights: Array) -> list[float]:
    """Return numbers to a millionth of what they span, as much as a picture shows."""
    decimals = DIGITS - math.floor(math.log10(float(np.ptp(heights)) or 1e-9))
    return [round(height, min(decimals, 15)) for height in heights.tolist()]
