"""``column``: whatever holds one column of real numbers, as an array; it refuses everything else.

Taken: NumPy arrays (strided, memory-mapped, big-endian, of any real type), lists, tuples, ranges,
iterators (read into a list once), pandas, Arrow and polars columns, one-column frames and tables,
``array.array``, whatever offers ``__array__``, DLPack, the buffer protocol or Arrow's C interface (read
by PyArrow, extra ``frames``); none of their libraries is imported. The machine's own float64, float32 and whole numbers are used where they lie, every other
real type becomes float64. All arithmetic is that of float64: whole numbers beyond 2**53 are rounded
as they are read, categories stand for their values. Missing values (NaN, None, pandas.NA, masked)
are refused with their number, never dropped.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from gmm1d import _engine
from gmm1d.arguments import shown
from gmm1d.errors import InputError, ScaleError, require
from gmm1d.formatting import number

if TYPE_CHECKING:
    import numpy.typing as npt

    Column: TypeAlias = npt.NDArray[np.floating[Any] | np.integer[Any]]

FLOAT64 = np.dtype(np.float64)
READ_AS_THEY_ARE = frozenset(
    map(np.dtype, ("f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"))
)

SEQUENCE = "hand in a list, an array or a column of numbers"
COLLECT = "collect() it first, or hand in gmm1d.clusters.spark.sketch of it"
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


def column(data: object, name: str = "data") -> Column:
    """Turn one column of real numbers into an array, without a copy if it is one already.

    Parameters
    ----------
    data : array, list, Series, Arrow column, iterator … of shape (m,) or (m, 1)
    name : str
        What the column is called in the sentence of an error.

    Returns
    -------
    ndarray (m,), m >= 1
        Of a native type that the engine reads, at any stride, aligned or not. May still hold NaN
        and infinities, which whoever reads it finds, and leaves to `refuse_faults`.

    Raises
    ------
    InputError
        If it is no such column, or holds None, text or other values that are no real numbers.
    """
    if type(data) is np.ndarray and data.dtype is FLOAT64 and data.ndim == 1 and data.size:
        return data  # the common case, in no time
    values = _one_column(_array(data, name), data, name)
    if values.size == 0:
        raise InputError(f"no {name}: the {type(data).__name__} is empty")
    masked = np.flatnonzero(np.ma.getmask(values))
    if masked.size:
        refuse(f"{name} with a masked value", masked, values.size, DROP)
    return _real(np.asarray(values), name)


def has_faults(points: Column, weights: Column | None) -> bool:
    """Say whether `refuse_faults` would find a fault."""
    if not np.isfinite(points).all():
        return True
    return weights is not None and not (np.isfinite(weights) & (weights >= 0)).all()


def refuse_faults(points: Column, weights: Column | None) -> NoReturn:
    """Raise the sentence about the first fault that a reading came upon, in points or weights (m,)."""
    for values, name in ((points, "data"), (weights, "sample_weight")):
        if values is None:
            continue
        missing = np.flatnonzero(np.isnan(values))
        if missing.size:
            refuse(f"{name} with NaN", missing, values.size, DROP)
        infinite = np.flatnonzero(np.isinf(values))
        if infinite.size:
            sign = "-" if values[infinite[0]] < 0 else ""
            refuse(f"{name} with {sign}infinity", infinite, values.size, FINITE)
    assert weights is not None
    negative = np.flatnonzero(weights < 0)
    refuse("sample_weight with a negative value", negative, points.size, "give numbers >= 0")


def check_scale(low: float, high: float, centre: float, unit: float) -> None:
    """Refuse data whose spread, or what is standardised by the unit, has no square that is a normal float64.

    Raises
    ------
    InputError, ScaleError
        If they have none.
    """
    spread = high - low
    if unit == 0 and spread >= _engine.SMALLEST:
        raise InputError(
            f"all values but those of vanishing weight equal {number(centre, 17)}: leave the others out"
        )
    for extent in (spread, unit):
        if extent > _engine.LARGEST:
            raise ScaleError(
                f"the data spread over {number(extent)}, too far for its square to be a float64: "
                "divide them by a power of ten"
            )
        if spread > 0 and extent < _engine.SMALLEST:
            raise ScaleError(
                f"the data have a spread near {number(extent)}, too small for its square to be a "
                "normal float64: multiply them by a power of ten"
            )
    if spread / unit > _engine.LARGEST:
        raise ScaleError(
            f"the data spread over {number(spread)}, but half of them over about {number(unit)}, "
            "too small a part for its square to be a float64: look at the extreme values"
        )


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
        raise InputError(f"{name} as one text, {shown(data)}: {SEQUENCE}")
    if isinstance(data, AbstractSet | Mapping):
        kind = type(data).__name__
        raise InputError(f"{name} in a {kind}, which has no order or no repeats: {SEQUENCE}")
    if isinstance(data, np.ma.MaskedArray):
        return data
    try:
        if _is_arrow(data):
            return _from_arrow(data, name)
        if hasattr(data, "__dlpack__") and not hasattr(data, "__array__"):
            return np.from_dlpack(data)
        if isinstance(data, Iterable) and not _is_array_like(data):
            return _from_list(list(data))
        return np.asarray(data)
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InputError(f"{name} that are no column of numbers ({error}): {SEQUENCE}") from error


def _is_arrow(data: object) -> bool:
    """Say whether only Arrow's C interface shows the values where they lie."""
    copies = hasattr(data, "__array__") and not hasattr(data, "num_columns")  # as Arrow's tables do
    return not copies and (
        hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    )


def _from_arrow(data: Any, name: str) -> npt.NDArray[Any]:
    """Read an array, a stream of arrays, or a table of one column; its values stay where they lie."""
    pa = require("pyarrow", "frames")
    stream = hasattr(data, "__arrow_c_stream__")
    values = pa.chunked_array(data) if stream else pa.chunked_array([pa.array(data)])
    if pa.types.is_struct(values.type):
        columns = values.flatten()
        if len(columns) != 1:
            raise _several(name, (len(values), len(columns)))
        values = columns[0]
    found: npt.NDArray[Any] = values.to_numpy()
    return found


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
        advice = COLLECT if hasattr(data, "collect") else SEQUENCE  # polars and Spark
        raise InputError(f"{name} as a single {type(data).__name__}: {advice}")
    if values.ndim > 2:
        raise InputError(f"{name} with {values.ndim} dimensions (shape {values.shape}): {SEQUENCE}")
    if values.shape[1] == 1:
        return values[:, 0]
    if values.shape[0] == 1:
        raise InputError(
            f"{name} in one row (shape {values.shape}): hand in x.ravel() if these are "
            f"{values.shape[1]} observations of one variable"
        )
    raise _several(name, values.shape)


def _several(name: str, shape: tuple[int, ...]) -> InputError:
    return InputError(
        f"{name} with {shape[1]} columns (shape {shape}): gmm1d takes one, "
        "choose it, such as x[:, 0] or frame['name']"
    )


def _real(values: npt.NDArray[Any], name: str) -> Column:
    """Convert an array (m,) of any type; one that is read as it is, is returned as it is."""
    if values.dtype not in READ_AS_THEY_ARE:
        if values.dtype.kind in NO_NUMBERS:
            raise InputError(f"{name} made of {NO_NUMBERS[values.dtype.kind]}")
        if values.dtype.kind not in "iuf":
            return _from_objects(values.tolist(), name)
        with np.errstate(over="ignore"):  # a long double beyond float64 shows as infinity
            return values.astype(np.float64)
    return values


def _from_objects(values: list[Any], name: str) -> Column:
    """Convert Python objects one by one, or name the first that is no number."""
    faults = [_fault(value) for value in values]
    wrong = [i for i, fault in enumerate(faults) if fault]
    if wrong:
        fault = faults[wrong[0]]
        same = [i for i in wrong if faults[i] == fault]
        what = f"{name} with {fault} ({shown(values[same[0]])})"
        refuse(what, same, len(values), DROP if fault == MISSING else NUMERIC)
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
