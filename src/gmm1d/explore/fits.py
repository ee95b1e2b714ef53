"""Fits of one data set for a page that waits: what was searched once serves again, large data are searched roughly first.

A rough search climbs from a few likely places on few leaves of the sketch, and on with all of them. Where it ends is
certified as always, and mostly the optimum that `gmm1d.fit` finds; a thorough search, which is that of `fit`, makes sure.
"""

from __future__ import annotations

import math
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import climbing, starts
from gmm1d.choice import CRITERIA, Candidates
from gmm1d.climbing import Search
from gmm1d.comparison import Comparison
from gmm1d.constraints import Constraints
from gmm1d.errors import InputError
from gmm1d.families import EQUAL, FAMILIES, keys
from gmm1d.fitting import QUICK, finish, fit_from
from gmm1d.options import check_k, check_rules
from gmm1d.sample import Sample
from gmm1d.sketch import Sketch
from gmm1d.starts import Start
from gmm1d.views import distinct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gmm1d.climbing import Rules
    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit

MOST_COMPONENTS = 40
AUTO = range(1, 7)  # components among which "auto" chooses
MOST_STEPS = 10_000  # of a climb from a given start
MANY = 500  # nodes, of which so many are searched roughly first
LEAVES = 128  # of a rough look
STEPS = 100  # of a climb there


def check_components(k: object, sample: Sample) -> int:
    """Return k if the page fits so many.

    Raises
    ------
    InputError
        If it does not, or as `check_k` does.
    """
    components = check_k(k, sample)  # type: ignore[arg-type]  # which is what it finds out
    if components > MOST_COMPONENTS:
        raise InputError(
            f"k is {components}: this page fits up to {MOST_COMPONENTS} components, gmm1d.fit any number"
        )
    return components


class Fitter:
    """All fits of one sample, each searched once."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self._searches: dict[bool, tuple[Search, Lock]] = {}
        self._found: dict[tuple[int, bool, bool], Fit] = {}
        self._lock = Lock()

    def fit(
        self,
        k: object,
        *,
        equal_variances: bool = False,
        thorough: bool = False,
        gone: Callable[[], bool] = bool,
    ) -> tuple[Fit, bool]:
        """Return the fit of k components, and whether the search was thorough.

        Raises
        ------
        InputError
            If k is no number of components for these data, or who asked is `gone`.
        """
        components = check_components(k, self.sample)
        for full in (True, False):
            known = self._found.get((components, equal_variances, full))
            if known is not None and (full or not thorough):
                return known, full
        if not thorough and components > QUICK:
            rough = self._rough(components, equal_variances)
            if rough is not None:
                self._found[components, equal_variances, False] = rough
                return rough, False
        rules = _rules(components, equal_variances=equal_variances)
        search, turn = self._search(equal_variances)
        with turn:
            for fewer in range(1, components):
                _heed(gone)
                search.look(fewer)
            found = finish(self.sample, search.best(components), "search", rules)
        self._found[components, equal_variances, True] = found
        return found, True

    def compare(
        self, criterion: object, *, equal_variances: bool = False, **options: Any
    ) -> tuple[Comparison, bool]:
        """Return the fits among which "auto" chooses with its choice, and whether all searches were thorough.

        Raises
        ------
        InputError
            If the criterion is unknown, nothing is chosen, or who asked is gone; `options` are those of `fit`.
        """
        if criterion not in CRITERIA:
            raise InputError(
                f"criterion {criterion!r} is unknown: use one of {', '.join(CRITERIA)}"
            )
        families = (EQUAL,) if equal_variances else FAMILIES
        numbers = [k for k in AUTO if self.sample.has_distinct(k)]
        found = {
            (k, family): self.fit(k, equal_variances=family == EQUAL, **options)
            for k, family in keys(numbers, families)
        }
        fits = {key: fit for key, (fit, _) in found.items()}
        comparison = Comparison.of(Candidates(families, fits, {}), str(criterion))
        return comparison, all(full for _, full in found.values())

    def climb(self, start: object, method: object, max_iter: object, tol: object) -> Fit:
        """Climb from a given start.

        Raises
        ------
        InputError
            If it is none, or an option is unknown.
        CollapseError
            If the climb runs into a spike.
        """
        means = start.get("means") if isinstance(start, dict) else None
        if not isinstance(start, dict) or not isinstance(means, list):
            raise InputError("start must have weights, means and stds, a list of numbers each")
        k = check_components(len(means), self.sample)
        rules = check_rules(method, tol, MOST_STEPS if max_iter is None else max_iter, None)
        if rules.max_iter > MOST_STEPS:
            raise InputError(f"max_iter is {rules.max_iter}: this page climbs {MOST_STEPS} steps")
        return fit_from(self.sample, k, start, rules.under(Constraints.of(k, False, None)))

    def start(self, k: object, name: object) -> dict[str, list[float]]:
        """Return the parameters of a named start.

        Raises
        ------
        InputError
            If k or the name is unknown.
        """
        components = check_components(k, self.sample)
        if not isinstance(name, str) or name not in starts.NAMED:
            raise InputError(f"start {name!r} is unknown: use one of {', '.join(starts.NAMED)}")
        found = starts.NAMED[name](self.sample, components)
        return {part: getattr(found, part).tolist() for part in ("weights", "means", "stds")}

    def _rough(self, k: int, equal: bool) -> Fit | None:
        """Climb from a few likely places on few nodes, and on with all of them from the best; None if that is nowhere."""
        few = self._few
        if few is None or not few.has_distinct(k):
            return None
        fewer = self.fit(k - 1, equal_variances=equal)[0].mixture
        named = [starts.NAMED[name](few, k) for name in ("kmeans", "quantile")]
        rules = _rules(k, equal_variances=equal, max_iter=STEPS)
        climbs = [climbing.climb(few, place, rules) for place in (*named, *_splits(fewer))]
        for seen in sorted(climbs, key=lambda each: -each.log_likelihood):
            if seen.collapsed is None:
                found = climbing.climb(self.sample, seen.end, rules)
                if found.collapsed is None and found.certificate is not None:
                    return finish(self.sample, found, "search", rules)
        return None

    @cached_property
    def _few(self) -> Sample | None:
        """Few nodes that stand for many; None if there are not many, or they cannot."""
        if self.sample.nodes[0].size <= MANY:
            return None
        try:
            sketch = self.sample.sketch or Sketch().add(*distinct(self.sample))
            return Sample.of(*sketch.nodes(max_leaves=LEAVES), weights_are="counts")
        except InputError:  # values too close to each other for so few
            return None

    def _search(self, equal: bool) -> tuple[Search, Lock]:
        """Return the search for all k, in which requests take turns."""
        with self._lock:
            if equal not in self._searches:
                search = Search(self.sample, _rules(1, equal_variances=equal))
                self._searches[equal] = search, Lock()
            return self._searches[equal]


def _heed(gone: Callable[[], bool]) -> None:
    if gone():
        raise InputError("nobody waits for this search any more")


def _splits(mixture: Mixture) -> Iterator[Start]:
    """Yield starts with two components, one std apart, in the place of each one; the variance of both together stays."""
    w, mu, s = mixture.weights, mixture.means, mixture.stds
    for j in range(mixture.k):
        weights, means, stds = (
            np.append(w, w[j] / 2),
            np.append(mu, mu[j] + s[j] / 2),
            np.append(s, 0),
        )
        weights[j], means[j], stds[[j, -1]] = w[j] / 2, mu[j] - s[j] / 2, math.sqrt(3) / 2 * s[j]
        yield Start(weights, means, stds)


def _rules(k: int, *, equal_variances: bool, max_iter: int | None = None) -> Rules:
    rules = check_rules("newton", None, max_iter, None)
    return rules.under(Constraints.of(k, equal_variances, None))


def arguments(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return those arguments of `fit` that are not what they are by default."""
    usual = {"method": "newton", "equal_variances": False, "start": None, "tol": None}
    return {name: value for name, value in recipe.items() if value != usual.get(name, ...)}
