"""``data_sets``: whatever holds many columns of numbers, as rows of one array or as a list.

Taken: 2-D arrays, by column or by row; frames and tables of pandas, polars and Arrow, none of which
is imported; lists, tuples, dicts and iterators of whatever `gmm1d.columns` takes, of any lengths.
What is wrong with one column is kept in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gmm1d.columns import NO_NUMBERS, READ_AS_THEY_ARE, column
from gmm1d.errors import InputError
from gmm1d.sample import Sample
from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gmm1d.columns import Column

    DataSet: TypeAlias = Column | Sample | Sketch | InputError
    Rows: TypeAlias = Column | list[DataSet]

MANY = "hand in a 2-D array, a frame, or a list of arrays"


@dataclass(frozen=True, eq=False)
class DataSets:
    """Many data sets.

    Attributes
    ----------
    rows : ndarray (m, n) or list of length m
        One data set each: in an array of a type that the engine reads, or as columns, Samples and
        Sketches, with an InputError in the place of what is none.
    names : tuple of length m, or None
    """

    rows: Rows
    names: tuple[Any, ...] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def largest(self) -> int:
        """Return the number of values of the largest one; 0 if there is none."""
        if isinstance(self.rows, np.ndarray):
            return int(self.rows.shape[1])
        sizes = (each.size for each in self.rows if not isinstance(each, InputError))
        return max(sizes, default=0)


def data_sets(data: object, axis: object = 0, name: str = "data") -> DataSets:
    """See `data` as many data sets, without a copy of what the engine reads as it is.

    Parameters
    ----------
    data : 2-D array, frame, or list, tuple, dict or iterator of columns
    axis : {0, 1}
        Whether a data set is a column (0) or a row (1) of a 2-D array or a frame.
    name : str
        What the data are called in the sentence of an error.

    Raises
    ------
    InputError
        If it is none of these, or there is no data set in it.
    """
    if isinstance(axis, bool) or axis not in (0, 1):
        raise InputError(f"axis must be 0 (one mixture per column) or 1 (per row), not {axis!r}")
    array = _matrix(data, by_row=axis == 1, name=name)
    if array is not None:
        found = _of_matrix(
            array if axis == 1 else array.T, name, _names(data) if axis == 0 else None
        )
    elif _names(data) is not None and not isinstance(data, Mapping):
        found = _of_list(_columns_of_frame(data), name, _names(data))
    else:
        items, names = _items(data, name)
        if axis == 1:
            kind = type(data).__name__
            raise InputError(f"axis=1 is for 2-D arrays: each item of a {kind} is one data set")
        found = _of_list(items, name, names)
    if len(found) == 0:
        raise InputError(f"no {name}: the {type(data).__name__} holds no data set")
    return found


def paired(data: DataSets, sample_weight: object, axis: object) -> tuple[DataSets, Rows | None]:
    """Return data and weights so that both are arrays of one shape, or both are lists.

    Raises
    ------
    InputError
        If `sample_weight` is neither one column for all data sets nor one for each.
    """
    if sample_weight is None:
        return data, None
    rows, weights = data.rows, _weights(sample_weight, data, axis)
    if isinstance(rows, np.ndarray) and isinstance(weights, np.ndarray):
        if rows.shape != weights.shape:
            given, wanted = weights.shape[1], rows.shape[1]
            raise InputError(
                f"sample_weight of {given} values for data sets of {wanted}: give one per value"
            )
        return data, weights
    return DataSets(list(rows), data.names), list(weights)


def _weights(sample_weight: object, data: DataSets, axis: object) -> Rows:
    """Return weights in the order of the data sets."""
    if _is_one_column(sample_weight):
        shared = column(sample_weight, "sample_weight")
        return np.broadcast_to(shared, (len(data), shared.size))
    given = data_sets(sample_weight, axis, "sample_weight")
    if len(given) != len(data):
        raise InputError(
            f"sample_weight for {len(given)} data sets, but there are {len(data)}: "
            "give one column for all, or one for each"
        )
    if given.names is None or data.names is None or given.names == data.names:
        return given.rows
    if sorted(map(repr, given.names)) != sorted(map(repr, data.names)):
        raise InputError("sample_weight has other names than the data: name its columns like those")
    return [given.rows[given.names.index(name)] for name in data.names]


def _is_one_column(data: object) -> bool:
    """Say whether these are the values of one column, not many columns."""
    if isinstance(data, list | tuple):
        return len(data) > 0 and all(isinstance(each, Number) for each in data)
    if not hasattr(data, "__array__") or _names(data) is not None:
        return False
    array = np.asarray(data)
    return array.ndim == 1 and array.dtype != object


def _matrix(data: object, *, by_row: bool, name: str) -> Any:
    """Return the 2-D array that `data` are or hold, or None for a list or a frame of mixed columns."""
    array: Any = data
    if not isinstance(data, np.ndarray):
        if not hasattr(data, "__array__") or (
            _names(data) is not None and not (by_row or _is_uniform(data))
        ):
            return None
        array = np.asarray(data)
    if array.ndim == 1 and array.dtype == object:  # of arrays, perhaps
        return None
    if array.ndim != 2:
        one = f"; one column is for gmm1d.fit, or {name}[:, None]" if array.ndim == 1 else ""
        raise InputError(f"{name} of shape {array.shape} have no columns: {MANY}{one}")
    if array.dtype.kind in NO_NUMBERS:
        raise InputError(f"{name} made of {NO_NUMBERS[array.dtype.kind]}")
    return array


def _of_matrix(rows: Any, name: str, names: tuple[Any, ...] | None) -> DataSets:
    masked = np.ma.getmaskarray(rows).any() if isinstance(rows, np.ma.MaskedArray) else False
    if masked or rows.dtype not in READ_AS_THEY_ARE or rows.shape[1] == 0:
        return _of_list(rows, name, names)
    return DataSets(np.asarray(rows), names)


def _of_list(items: Iterable[object], name: str, names: tuple[Any, ...] | None) -> DataSets:
    return DataSets([_read(each, name) for each in items], names)


def _read(item: object, name: str) -> DataSet:
    if isinstance(item, Sample | Sketch):
        return item
    try:
        return column(item, name)
    except InputError as error:
        return error


def _names(data: object) -> tuple[Any, ...] | None:
    """Return the names of a frame's columns, or a dict's keys."""
    if isinstance(data, Mapping):
        return tuple(data)
    names = getattr(data, "column_names", None)  # Arrow
    if names is None:
        names = getattr(data, "columns", None)  # pandas, polars
    return tuple(names) if isinstance(names, Iterable) else None


def _is_uniform(frame: Any) -> bool:
    """Say whether all columns of a pandas frame have one NumPy type, so that it holds one array."""
    types = getattr(frame, "dtypes", None)
    if types is None or not hasattr(frame, "iloc"):
        return False
    first = types.iloc[0] if len(types) else None
    return (
        isinstance(first, np.dtype) and first in READ_AS_THEY_ARE and bool((types == first).all())
    )


def _columns_of_frame(frame: Any) -> Iterator[object]:
    """Return the columns of a frame by their numbers, since names may occur twice."""
    count = range(frame.shape[1])
    for kind in ("column", "to_series"):  # Arrow, polars
        if hasattr(frame, kind):
            return (getattr(frame, kind)(j) for j in count)
    return (frame.iloc[:, j] for j in count)


def _items(data: Any, name: str) -> tuple[Sequence[object], tuple[Any, ...] | None]:
    """Return the items of a list, dict or iterator, and their names."""
    if isinstance(data, Mapping):
        return list(data.values()), tuple(data)
    if isinstance(data, str | bytes | bytearray | AbstractSet) or not isinstance(data, Iterable):
        raise InputError(f"{name} in a {type(data).__name__}: {MANY}")
    items = list(data)
    if _is_one_column(items):
        raise InputError(f"{name} are one column of numbers: {MANY}; one column is for gmm1d.fit")
    return items, None
