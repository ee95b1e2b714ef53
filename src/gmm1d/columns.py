"""``column``: whatever holds one column of real numbers, as float64; it refuses everything else.

Taken: NumPy arrays (strided, memory-mapped, big-endian, of any real type), lists, tuples, ranges,
iterators (read into a list once), pandas, Arrow and polars columns, one-column frames and tables,
``array.array``, whatever offers ``__array__`` or the buffer protocol; none of their libraries is
imported. float64 is used where it lies, every other real type becomes float64 before any
arithmetic: whole numbers beyond 2**53 are rounded, categories stand for their values. Missing
values (NaN, None, pandas.NA, masked) are refused with their number, never dropped.
"""

from __future__ import annotations

import datetime
import math
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from gmm1d.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[np.float64]

SEQUENCE = "hand in a list, an array or a column of numbers"
FINITE = "every value must be a finite float64"
NUMERIC = "convert the values to numbers first"
DROP = "drop or fill missing values first"
MISSING = "a missing value"

# Types of arrays that NumPy would turn into numbers without a word, by their dtype.kind.
NO_NUMBERS = {
    "b": "true and false values: convert them with astype(float) if 0 and 1 are meant",
    "c": "complex numbers: choose the real or the imaginary part",
    "M": "dates: convert them to numbers first, such as days since the first one",
    "m": "durations: convert them to numbers first, such as seconds",
    "V": "records with several fields: choose one field",
}


def column(data: object, name: str = "data") -> Array:
    """Turn one column of real numbers into a float64 array, without a copy if it is one already.

    Parameters
    ----------
    data : array, list, Series, Arrow column, iterator … of shape (m,) or (m, 1)
    name : str
        What the column is called in the sentence of an error.

    Returns
    -------
    ndarray (m,), m >= 1
        May still hold NaN and infinities, which `extremes` refuses in the pass it makes anyway.

    Raises
    ------
    InputError
        If it is no such column, or holds None, text or other values that are no real numbers.
    """
    values = _one_column(_array(data, name), data, name)
    if values.size == 0:
        raise InputError(f"no {name}: the {type(data).__name__} is empty")
    masked = np.flatnonzero(np.ma.getmask(values))
    if masked.size:
        refuse(f"{name} with a masked value", masked, values.size, DROP)
    return _float64(np.asarray(values), name)


def extremes(values: Array, name: str = "data") -> tuple[float, float]:
    """Return the smallest and the largest of the values (m,), neither of them a negative zero.

    Raises
    ------
    InputError
        If a value is NaN or infinite, which shows in one of the two.
    """
    with np.errstate(invalid="ignore"):
        low, high = float(np.min(values)) + 0.0, float(np.max(values)) + 0.0
    if math.isnan(low):
        refuse(f"{name} with NaN", np.flatnonzero(np.isnan(values)), values.size, DROP)
    if math.isinf(low) or math.isinf(high):
        wrong = np.flatnonzero(np.isinf(values))
        sign = "-" if values[wrong[0]] < 0 else ""
        refuse(f"{name} with {sign}infinity", wrong, values.size, FINITE)
    return low, high


def refuse(what: str, wrong: Sequence[int] | npt.NDArray[np.intp], m: int, advice: str) -> NoReturn:
    """Raise the one sentence about single values: what, where first, how many of m, what to do."""
    if advice == DROP and len(wrong) == m:
        raise InputError(f"no {what.split()[0]}: all {m} values are missing")
    raise InputError(f"{what} at index {wrong[0]} ({len(wrong)} of {m} values): {advice}")


def _array(data: object, name: str) -> npt.NDArray[Any]:
    """See the data as an array of any type and shape; masked arrays keep their mask."""
    if data is None:
        raise InputError(f"no {name}: None was handed in, {SEQUENCE}")
    if isinstance(data, str | bytes | bytearray):
        raise InputError(f"{name} as one text, {reprlib.repr(data)}: {SEQUENCE}")
    if isinstance(data, AbstractSet | Mapping):
        kind = type(data).__name__
        raise InputError(f"{name} in a {kind}, which has no order or no repeats: {SEQUENCE}")
    if isinstance(data, np.ma.MaskedArray):
        return data
    try:
        if isinstance(data, Iterable) and not _is_array_like(data):
            return _from_list(list(data))
        return np.asarray(data)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InputError(f"{name} that are no column of numbers ({error}): {SEQUENCE}") from error


def _is_array_like(data: object) -> bool:
    """Say whether NumPy reads the object without making a Python object of every value."""
    if isinstance(data, range) or hasattr(data, "__array__"):
        return True
    try:
        memoryview(data).release()  # type: ignore[arg-type]  # the question is whether it can
    except (TypeError, BufferError):
        return False
    return True


def _from_list(values: list[Any]) -> npt.NDArray[Any]:
    """Make an array of a list: of objects, judged one by one, unless plainly numbers or rows."""
    types = set(map(type, values))
    plain = (int, float, np.integer, np.floating, list, tuple, np.ndarray)
    judged = {bool, type(np.ma.masked)}  # which NumPy would quietly make numbers of
    if judged.isdisjoint(types) and all(issubclass(each, plain) for each in types):
        return np.asarray(values)
    return np.fromiter(values, dtype=object, count=len(values))


def _one_column(values: npt.NDArray[Any], data: object, name: str) -> npt.NDArray[Any]:
    """Take (m,) and (m, 1); refuse every other shape."""
    if values.ndim == 1:
        return values
    if values.ndim == 0:
        raise InputError(f"{name} as a single {type(data).__name__}: {SEQUENCE}")
    if values.ndim > 2:
        raise InputError(f"{name} with {values.ndim} dimensions (shape {values.shape}): {SEQUENCE}")
    if values.shape[1] == 1:
        return values[:, 0]
    if values.shape[0] == 1:
        raise InputError(
            f"{name} in one row (shape {values.shape}): hand in x.ravel() if these are "
            f"{values.shape[1]} observations of one variable"
        )
    raise InputError(
        f"{name} with {values.shape[1]} columns (shape {values.shape}): gmm1d takes one, "
        "choose it, such as x[:, 0] or frame['name']"
    )


def _float64(values: npt.NDArray[Any], name: str) -> Array:
    """Convert an array (m,) of any type; one of native, aligned float64 is returned as it is."""
    if values.dtype.kind in NO_NUMBERS:
        raise InputError(f"{name} made of {NO_NUMBERS[values.dtype.kind]}")
    if values.dtype.kind not in "iuf":
        return _from_objects(values.tolist(), name)
    with np.errstate(over="ignore"):  # a long double beyond float64 shows as infinity
        converted: Array = np.require(values.astype(np.float64, copy=False), requirements="A")
    return converted


def _from_objects(values: list[Any], name: str) -> Array:
    """Convert Python objects one by one, or name the first that is no number."""
    faults = [_fault(value) for value in values]
    wrong = [i for i, fault in enumerate(faults) if fault]
    if wrong:
        fault = faults[wrong[0]]
        same = [i for i in wrong if faults[i] == fault]
        shown = f"{name} with {fault} ({reprlib.repr(values[same[0]])})"
        refuse(shown, same, len(values), DROP if fault == MISSING else NUMERIC)
    return np.array([float(value) for value in values])


def _fault(value: Any) -> str:
    """Say what is wrong with a value that should be a real number; nothing if it is one."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return MISSING
    if isinstance(value, str | bytes):
        return "text"
    if isinstance(value, bool | np.bool_):
        return "a truth value"
    if isinstance(value, np.ndarray):
        return "an array"
    if isinstance(value, complex | np.complexfloating):
        return "a complex number"
    if isinstance(value, datetime.date | datetime.timedelta | np.datetime64 | np.timedelta64):
        return "a date or a duration"
    try:
        return MISSING if math.isnan(float(value)) else ""
    except OverflowError:
        return "a number too large for float64"
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
