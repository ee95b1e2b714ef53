"""Fits of one data set for a page that waits: those of `gmm1d.fit`; what was searched once serves again."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from gmm1d import starts
from gmm1d.candidates import Candidates
from gmm1d.choice import CRITERIA
from gmm1d.climbing import Search
from gmm1d.comparison import Comparison
from gmm1d.constraints import Constraints
from gmm1d.errors import InputError
from gmm1d.families import EQUAL, FAMILIES, keys
from gmm1d.fitting import finish, fit_from
from gmm1d.options import check_k, check_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gmm1d.climbing import Rules
    from gmm1d.result import Fit
    from gmm1d.sample import Sample

MOST_COMPONENTS = 40
AUTO = range(1, 7)  # components among which "auto" chooses
MOST_STEPS = 10_000  # of a climb from a given start


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
        self._found: dict[tuple[int, bool], Fit] = {}
        self._lock = Lock()

    def fit(
        self, k: object, *, equal_variances: bool = False, gone: Callable[[], bool] = bool
    ) -> Fit:
        """Return the fit of k components.

        Raises
        ------
        InputError
            If k is no number of components for these data, or who asked is `gone`.
        """
        components = check_components(k, self.sample)
        known = self._found.get((components, equal_variances))
        if known is not None:
            return known
        rules = _rules(components, equal_variances=equal_variances)
        search, turn = self._search(equal_variances)
        with turn:
            for each in range(1, components + 1):
                _heed(gone)
                search.look(each)
            found = finish(self.sample, search.best(components), "search", rules)
        self._found[components, equal_variances] = found
        return found

    def compare(
        self, criterion: object, *, equal_variances: bool = False, **options: Any
    ) -> Comparison:
        """Return the fits among which "auto" chooses, with its choice.

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
        fits = {
            (k, family): self.fit(k, equal_variances=family == EQUAL, **options)
            for k, family in keys(numbers, families)
        }
        return Comparison.of(Candidates(families, fits, {}), str(criterion))

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


def _rules(k: int, *, equal_variances: bool) -> Rules:
    rules = check_rules("newton", None, None, None)
    return rules.under(Constraints.of(k, equal_variances, None))


def arguments(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return those arguments of `fit` that are not what they are by default."""
    usual = {"method": "newton", "equal_variances": False, "start": None, "tol": None}
    return {name: value for name, value in recipe.items() if value != usual.get(name, ...)}
