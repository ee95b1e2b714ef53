"""What `fit` is asked to do, validated: the number of components, the rules of a climb, random starts."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.arguments import generator, real, shown, whole, workers
from gmm1d.climbing import METHODS, Rules
from gmm1d.constraints import Constraints
from gmm1d.errors import InputError
from gmm1d.families import EQUAL, FAMILIES
from gmm1d.formatting import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gmm1d.sample import Sample

MAX_ITER = {"newton": 1_000, "squarem": 100_000, "em": 100_000}


def check_k(k: int, sample: Sample) -> int:
    """Return k as an int that the sample can bear.

    Raises
    ------
    InputError
        If k is no whole number from 1 to the number of distinct values, or all values are equal.
    """
    components = whole_k(k)
    if sample.constant:
        raise InputError(
            f"all values equal {number(sample.low, 17)}: a Gaussian needs at least two distinct values"
        )
    if not sample.has_distinct(components):
        raise InputError(too_few(components))
    return components


def too_few(k: int) -> str:
    """Say that there are fewer distinct values than components."""
    return f"k is {shown(k)}, more than there are distinct values: choose a smaller k"


def whole_k(k: int) -> int:
    """Return k as an int.

    Raises
    ------
    InputError
        If k is no whole number from 1 on.
    """
    try:
        components = -1 if isinstance(k, bool) else operator.index(k)
    except TypeError:
        components = -1
    if components < 1:
        raise InputError(f"k must be a whole number from 1 on, not {shown(k)}")
    return components


def check_ks(ks: Iterable[int], sample: Sample) -> list[int]:
    """Return several k in ascending order, each once.

    Raises
    ------
    InputError
        If there are none, one is no number of components, or `check_k` refuses the smallest.
    """
    if isinstance(ks, str | bytes) or not np.iterable(ks):
        raise InputError(f"ks must be several numbers, such as range(1, 7), not {shown(ks)}")
    numbers = sorted({whole_k(k) for k in ks})
    if not numbers:
        raise InputError("ks is empty: give at least one number of components")
    check_k(numbers[0], sample)
    return numbers


def check_families(families: object, equal_variances: object) -> tuple[str, ...] | None:
    """Return the families that are asked for, each once; None where neither argument says.

    Raises
    ------
    InputError
        If one is unknown, or the two arguments disagree.
    """
    only_equal = Constraints.of(1, equal_variances, None).equal_variances
    if families is None:
        return (EQUAL,) if only_equal else None
    given = (families,) if isinstance(families, str) else families
    if not np.iterable(given) or isinstance(given, bytes | Mapping | AbstractSet):
        given = ()
    listed: list[Any] = list(given)
    if not listed or any(not isinstance(each, str) or each not in FAMILIES for each in listed):
        raise InputError(
            f'families must be "unequal", "equal", or both in a tuple, not {shown(families)}'
        )
    found = tuple(dict.fromkeys(listed))
    if only_equal and found != (EQUAL,):
        raise InputError(
            f"equal_variances=True and families={found} contradict each other: give one of them"
        )
    return found


def check_exact(exact: object, sample: Sample) -> None:
    """Refuse passes over data that are not there.

    Raises
    ------
    InputError
        If the sample is only a sketch, or `exact` is neither True nor False.
    """
    if not isinstance(exact, bool | np.bool_):
        raise InputError(f"exact must be True or False, not {shown(exact)}")
    if exact and sample.points is None:
        raise InputError("exact=True needs the data themselves: a Sketch does not hold them")


def check_rules(method: object, tol: object, max_iter: object, threads: object) -> Rules:
    """Validate the options that say how to climb and when to stop.

    Raises
    ------
    InputError
        If one of them is out of range.
    """
    if not isinstance(method, str) or method not in METHODS:
        raise InputError(f"method={shown(method)} is unknown: use one of {', '.join(METHODS)}")
    return Rules(
        method=method,
        tol=None if tol is None else _tolerance(tol),
        max_iter=whole("max_iter", max_iter, least=0, default=MAX_ITER[method]),
        threads=workers(threads),
    )


def random_starts(
    n_random: object, rng: object, start: object
) -> tuple[int, np.random.Generator | None]:
    """Return how many random starts are wanted, and the caller's generator: nothing is drawn without one.

    Raises
    ------
    InputError
        If there is none, or an explicit start beside it.
    """
    count = whole("n_random", n_random, least=0, default=0)
    if count > 0 and start is not None:
        raise InputError("n_random adds to the search, but start replaces it: drop one")
    if rng is not None:
        return count, generator(rng)
    if count > 0:
        raise InputError("n_random needs rng: a seed such as rng=1, or a numpy.random.Generator")
    return 0, None


def _tolerance(tol: object) -> float:
    value = real(tol)
    if not 0 <= value < np.inf:
        raise InputError(f"tol must be a finite number, zero or more, not {shown(tol)}")
    return value
