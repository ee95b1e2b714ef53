"""Columns of Dask's collections as tasks, one for each partition, and what they return put together by Dask.

What a task does with its partition stands in `partitions`, what it is good for in `dask`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gmm1d.arguments import shown
from gmm1d.errors import InputError, require

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    Parts: TypeAlias = list[tuple[Any, ...]]  # what each partition is computed from

LEAST = (2025, 1)
FAN = 32  # results put together by one task: few transfers, and at most 5 MB each
EXPECTED = "hand in a Dask DataFrame, Series or Array"


def parts_of(data: Any, column: Hashable, sample_weight: Any, by: Sequence[Hashable] = ()) -> Parts:
    """See a column, its weights and labels as tasks, one for each partition."""
    kind = kind_of(data)
    if not kind:
        raise InputError(
            f"data is a {type(data).__module__.split('.')[0]} {type(data).__name__}: {EXPECTED}"
        )
    if kind == "DataFrame":
        if column is None and len(data.columns) > 1:
            names = ", ".join(map(str, data.columns))
            raise InputError(f"data with {len(data.columns)} columns ({names}): name one of them")
        first = data.columns[0] if column is None else column
        if not kind_of(sample_weight):
            weight = () if sample_weight is None else (sample_weight,)
            return _tasks(_chosen(data, [first, *weight, *by]))
        data, column = _chosen(data, [first]), None
    if column is not None or by:
        raise InputError(f"a Dask {kind} has no names of columns: hand in a DataFrame")
    if sample_weight is None:
        return _tasks(data)
    if not kind_of(sample_weight):
        raise InputError(
            f"sample_weight is {shown(sample_weight)}: {EXPECTED}, with the data's partitions"
        )
    return _tasks(data, sample_weight)


def kind_of(data: Any) -> str:
    """Return "DataFrame", "Series" or "Array" for those of Dask, else nothing."""
    require("dask", "dask", LEAST)
    if not hasattr(data, "__dask_graph__") or not hasattr(data, "to_delayed"):
        return ""
    if hasattr(data, "chunks"):
        return "Array"
    return {1: "Series", 2: "DataFrame"}.get(getattr(data, "ndim", 0), "")


def _chosen(frame: Any, names: list[Any]) -> Any:
    """Return these columns, each of which must be there once."""
    there = list(frame.columns)
    for name in names:
        if there.count(name) != 1:
            what = "no column" if name not in there else "more than one column"
            raise InputError(f"{what} {name!r}: the DataFrame has {', '.join(map(str, there))}")
    return frame[names]


def _tasks(*collections: Any) -> Parts:
    """Return the tasks of collections that are partitioned alike."""
    pieces = []
    for data in collections:
        if kind_of(data) == "Array":
            data = one_column(data)
        pieces.append(np.ravel(data.to_delayed()).tolist())
    if len(set(map(len, pieces))) > 1:
        raise InputError(
            f"sample_weight of {len(pieces[1])} partitions for {len(pieces[0])}: "
            "give it the partitions of the data"
        )
    return list(zip(*pieces, strict=True))


def one_column(array: Any) -> Any:
    """Return an array (m,) of one that may be (m, 1)."""
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim != 1:
        raise InputError(
            f"data of the shape {array.shape}: gmm1d takes one column, such as x[:, 0]"
        )
    return array


def mapped(pieces: Parts, function: Callable[..., Any], *args: Any) -> list[Any]:
    """Return a task ``[function(number, *args, *columns)]`` for the pieces of each partition."""
    task = require("dask", "dask").delayed(_alone)
    return [task(function, i, len(args), *args, *each) for i, each in enumerate(pieces)]


def shared(arg: Any) -> Any:
    """Return what may be large as one task for all; nothing for nothing, so that Dask fuses what is linear."""
    return None if arg is None else require("dask", "dask").delayed(arg)


def _alone(function: Callable[..., Any], number: int, n_args: int, *rest: Any) -> list[Any]:
    """Call the function of one partition; a list of one result is a partition of a Bag."""
    columns: list[Any] = []
    for piece in rest[n_args:]:
        if hasattr(piece, "columns"):
            columns += [piece.iloc[:, j] for j in range(piece.shape[1])]
        else:
            columns.append(piece)
    return [function(number, *rest[:n_args], *columns)]


def reduced(tasks: list[Any], function: Callable[[list[Any]], Any]) -> Any:
    """Put the results of tasks together by Dask's tree reduction."""
    bag = require("dask.bag", "dask").from_delayed(tasks)
    return bag.reduction(function, function, split_every=FAN).to_delayed().compute()
