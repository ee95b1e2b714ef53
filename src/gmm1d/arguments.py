"""What is accepted: parameters, numbers, probabilities, whole numbers, shapes, seeds; else a clear error."""

from __future__ import annotations

import math
import os
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.errors import InputError, ScaleError
from gmm1d.formatting import number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]

SUM_TOLERANCE = 1e-8  # weights written with nine digits still have the sum 1
ROUNDING = 4 * float(np.finfo(float).eps)  # weights this close to the sum 1 keep their bits
LONGEST = 60  # letters of a value in a sentence
MOST_STEPS = 2**31 - 1  # so much as the engine counts
LARGEST_MEAN = 2.0**1022  # differences of means stay finite
SMALLEST_SQUARE, LARGEST_SQUARE = float(np.finfo(float).tiny), float(np.finfo(float).max)


def shown(value: object) -> str:
    """Write what was handed in as a sentence quotes it: in one line, cut where it is long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # of more digits than Python writes
        return f"that {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def real(value: object) -> float:
    """Return a real number as a float; NaN where it is none, or too large for one."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def whole(name: str, value: object, least: int, default: int) -> int:
    """Return a whole number from `least` on, as large as the engine counts; the default for None.

    Raises
    ------
    InputError
        If it is none.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be a whole number from {least} on, not {shown(value)}")
    return min(int(value), MOST_STEPS)


def workers(threads: object) -> int:
    """Return a number of threads: as many as there are processors for None.

    Raises
    ------
    InputError
        If it is no whole number from 1 on.
    """
    if threads is not None:
        return whole("threads", threads, least=1, default=1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def single(name: str, array: FloatArray) -> float:
    """Return the one number of an array without dimensions.

    Raises
    ------
    InputError
        If it has some.
    """
    if array.ndim:
        raise InputError(f"{name} must be a single number, not an array of the shape {array.shape}")
    return float(array)


def numbers(name: str, values: ArrayLike) -> FloatArray:
    """Return real numbers, an array of any shape, as float64; masked values become NaN.

    Raises
    ------
    InputError
        If they are text, booleans, complex, missing or of unequal lengths.
    """
    try:
        array = np.asanyarray(values)
    except ValueError as error:
        raise InputError(f"{name} is ragged: make all its rows equally long") from error
    if array.dtype.kind == "O":
        bad = [v for v in array.flat if isinstance(v, bool) or not isinstance(v, Real | Decimal)]
        if bad:
            raise InputError(
                f"{name} holds {shown(bad[0])}, which is not a real number: convert or drop it"
            )
    elif array.dtype.kind not in "iuf":
        raise InputError(
            f"{name} must be real numbers, not {array.dtype}: convert them with astype(float)"
        )
    try:
        with np.errstate(over="ignore"):
            array = array.astype(np.float64, copy=False)
    except OverflowError as error:
        raise InputError(f"{name} holds a whole number beyond 1.8e308: rescale the data") from error
    return array.filled(np.nan) if isinstance(array, np.ma.MaskedArray) else np.asarray(array)


def finite_numbers(name: str, values: ArrayLike) -> FloatArray:
    """Return `numbers` that are all finite.

    Raises
    ------
    InputError
        As `numbers` does, or at the first value that is NaN or infinite.
    """
    array = numbers(name, values)
    _refuse(name, array, ~np.isfinite(array), "is not finite: drop it or put a number there")
    return array


def finite_number(name: str, value: object) -> float:
    """Return one finite number.

    Raises
    ------
    InputError
        As `finite_numbers` does, or if it is an array.
    """
    return single(name, finite_numbers(name, value))  # type: ignore[arg-type]


def probabilities(name: str, values: ArrayLike) -> FloatArray:
    """Return `numbers` in [0, 1].

    Raises
    ------
    InputError
        As `numbers` does, or at the first value that is NaN or outside [0, 1].
    """
    array = numbers(name, values)
    _refuse(name, array, ~((array >= 0) & (array <= 1)), "is no probability: it must lie in [0, 1]")
    return array


def parameters(
    weights: ArrayLike, means: ArrayLike, stds: ArrayLike | None, variances: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights, means and stds (k,) of a mixture, in the caller's order.

    Raises
    ------
    InputError
        If they are not those of a mixture, or not exactly one of stds and variances is given.
    ScaleError
        If a mean is beyond 4.4e307, or the square of a std is no normal float64.
    """
    if (stds is None) == (variances is None):
        raise InputError("give exactly one of stds and variances")
    spread_name, given = ("stds", stds) if variances is None else ("variances", variances)
    assert given is not None
    named = {"weights": weights, "means": means, spread_name: given}
    columns = {name: finite_numbers(name, values) for name, values in named.items()}
    for name, column in columns.items():
        if column.ndim != 1:
            raise InputError(
                f"{name} has the shape {column.shape}: hand in a flat list, one number each"
            )
    lengths = {name: column.size for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{n} {name}" for name, n in lengths.items())
        raise InputError(f"{counts}: give as many of each, one per component")
    if not lengths["weights"]:
        raise InputError(
            "a mixture needs at least one component: weights, means and stds are empty"
        )
    mu, spread = columns["means"], columns[spread_name]
    _refuse(
        "means", mu, np.abs(mu) > LARGEST_MEAN, "is beyond 4.4e307: rescale the data", ScaleError
    )
    _refuse(spread_name, spread, spread <= 0, "is not positive: remove or widen that component")
    stds_ = spread.copy() if variances is None else np.sqrt(spread)
    with np.errstate(over="ignore", under="ignore"):
        square = np.square(stds_)
    outside = ~((square >= SMALLEST_SQUARE) & (square <= LARGEST_SQUARE))
    advice = "is out of range, the variance must be a normal float64: rescale the data"
    _refuse(spread_name, spread, outside, advice, ScaleError)
    return _weights(columns["weights"]), mu + 0.0, stds_


def _weights(w: FloatArray) -> FloatArray:
    """Weights with the sum 1, unchanged if only rounding is amiss: a round trip keeps the bits."""
    _refuse("weights", w, w < 0, "is negative: weights must be 0 or more")
    with np.errstate(over="ignore"):
        total = math.fsum(w.tolist()) if w.max() <= 2 else float(w.sum())
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise InputError(
            f"weights have the sum {number(total, 12)}, not 1: divide them by their sum"
        )
    return w + 0.0 if abs(total - 1) <= ROUNDING else w / total


def _refuse(
    name: str,
    array: FloatArray,
    bad: NDArray[np.bool_],
    why: str,
    error: type[InputError] = InputError,
) -> None:
    """Raise an error that names the first bad entry."""
    if bad.any():
        place = np.unravel_index(int(bad.argmax()), array.shape)
        index = f"[{', '.join(str(int(i)) for i in place)}]" if place else ""
        raise error(f"{name}{index} = {number(float(array[place]))} {why}")


def generator(rng: object) -> np.random.Generator:
    """Return a NumPy Generator from one, or from a seed.

    Raises
    ------
    InputError
        If it is neither: there is no hidden randomness.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise InputError(f"rng={shown(rng)}: hand in a seed such as rng=1, or a numpy.random.Generator")


def shape(size: object) -> tuple[int, ...]:
    """Return the shape that a `size` means: None, a whole number or a tuple of them.

    Raises
    ------
    InputError
        If it is none of these, or negative.
    """
    sides = () if size is None else size if isinstance(size, tuple) else (size,)
    for side in sides:
        if isinstance(side, bool) or not isinstance(side, int | np.integer) or side < 0:
            raise InputError(
                f"size={shown(size)}: hand in a whole number, 0 or more, or a tuple of them"
            )
    return tuple(int(side) for side in sides)
