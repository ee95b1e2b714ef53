"""What Spark's Python workers do: the Arrow batches of one partition become rows of sums, and rows are added up.

A fault in the data is a sentence in a row, for the driver to raise: an exception would be wrapped in Spark's,
after the task has been tried again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gmm1d.clusters.partitions import evaluated, scored, sketched
from gmm1d.errors import InputError, require
from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gmm1d.clusters.partitions import Again
    from gmm1d.mixture import Mixture

    Table: TypeAlias = Any  # of Arrow, which has no types
    Batch: TypeAlias = Any
    Batches: TypeAlias = Iterable[Any]

SKETCH = "part bigint, turn bigint, fault string, sketch binary"
SCORE = "part bigint, fault string, total double, n double"
PART = 1 << 20  # values added to a sketch at a time: batches of Spark are as small as 10 000 rows
HELD = 1 << 22  # values that a task has in sketches of groups before it hands them on


def _here() -> int:
    """Return the number of the partition."""
    number: int = require("pyspark", "spark").TaskContext.get().partitionId()
    return number


def _tables(batches: Batches) -> Iterator[Table]:
    """Yield the rows in parts of a fixed size, whatever the batches in which Spark sends them."""
    make = require("pyarrow", "spark").Table.from_batches
    held, size = [], 0
    for batch in batches:
        held.append(batch)
        size += batch.num_rows
        while size >= PART:
            table = make(held)
            yield table.slice(0, PART).combine_chunks()
            held, size = table.slice(PART).to_batches(), size - PART
    if size:
        yield make(held).combine_chunks()


def _numbers(table: Table) -> list[Any]:
    """See x and w as NumPy does."""
    return [np.from_dlpack(table[n].chunk(0)) for n in ("x", "w") if n in table.column_names]


def _rows(labels: Any = (), **columns: list[Any]) -> Batch:
    """Return rows of the schemas above."""
    pa = require("pyarrow", "spark")
    kinds = {"fault": pa.string(), "sketch": pa.binary(), "total": pa.float64(), "n": pa.float64()}
    kinds |= {field.name: field.type for field in labels}
    arrays = [pa.array(values, kinds.get(n, pa.int64())) for n, values in columns.items()]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def sketch_of(batches: Batches, again: Again | None) -> Iterator[Batch]:
    """Yield the sketch of a partition as a row of the schema `SKETCH`."""
    here, fault, found = _here(), None, Sketch()
    try:
        found = sketched(map(_numbers, _tables(batches)), f"partition {here}", again)
    except InputError as error:
        fault = str(error)
    yield _rows(part=[here], turn=[0], fault=[fault], sketch=[found.to_bytes()])


def scores_of(batches: Batches, mixture: Mixture) -> Iterator[Batch]:
    """Yield what `gmm1d.scoring.part` says of each part of a partition as rows of the schema `SCORE`."""
    here = _here()
    try:
        parts = scored(mixture, map(_numbers, _tables(batches)), f"partition {here}")
    except InputError as error:
        yield _rows(part=[here], fault=[str(error)], total=[0.0], n=[0.0])
        return
    totals, counts = [total for total, _ in parts], [n for _, n in parts]
    yield _rows(part=[here] * len(parts), fault=[None] * len(parts), total=totals, n=counts)


def sketches_of(batches: Batches) -> Iterator[Batch]:
    """Yield the sketches of the groups of a partition as rows of labels and `SKETCH`, in turns of some millions of values."""
    here, turn, held = _here(), 0, 0
    found: dict[tuple[Any, ...], Sketch] = {}
    labels = None
    for table in _tables(batches):
        labels = table.select([n for n in table.column_names if n not in ("x", "w")]).schema
        try:
            for key, values in _groups(table, labels.names):
                name = key if len(key) > 1 else key[0]
                part = sketched([values], f"partition {here}, group {name!r}")
                found[key] = found[key] + part if key in found else part
        except InputError as error:
            nothing = {(None,) * len(labels.names): Sketch()}
            yield _handed_on(nothing, labels, here, turn, str(error))
            return
        held += table.num_rows
        if held >= HELD:
            yield _handed_on(found, labels, here, turn)
            found, turn, held = {}, turn + 1, 0
    if found:
        yield _handed_on(found, labels, here, turn)


def _groups(table: Table, labels: list[str]) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Yield the labels of each group, and its values and weights, in the order of the rows."""
    names = [name for name in table.column_names if name not in labels]
    groups = table.group_by(labels, use_threads=False).aggregate([(n, "list") for n in names])
    groups = groups.combine_chunks()
    keys = zip(*(groups[name].to_pylist() for name in labels), strict=True)
    lists = [groups[f"{name}_list"].chunk(0) for name in names]
    values = [np.from_dlpack(each.flatten()) for each in lists]
    ends = np.cumsum(np.from_dlpack(lists[0].value_lengths()))
    for key, begin, end in zip(keys, [0, *ends[:-1]], ends, strict=True):
        yield key, [each[begin:end] for each in values]


def _handed_on(
    found: dict[tuple[Any, ...], Sketch],
    labels: Any,
    here: int,
    turn: int,
    fault: str | None = None,
) -> Batch:
    """Return the sketches of groups as rows."""
    m, keys = len(found), map(list, zip(*found, strict=True))
    columns: dict[str, list[Any]] = dict(zip(labels.names, keys, strict=True))
    columns |= {"part": [here] * m, "turn": [turn] * m, "fault": [fault] * m}
    return _rows(labels, **columns, sketch=[each.to_bytes() for each in found.values()])


def sum_of(table: Any) -> Any:
    """Add the sketches of a group of rows, in the order of their partitions, or keep the first fault."""
    pa = require("pyarrow", "spark")
    keys = [("part", "ascending"), ("turn", "ascending")]
    order = require("pyarrow.compute", "spark").sort_indices(table, sort_keys=keys).to_pylist()
    faulty = [i for i in order if table["fault"][i].is_valid]
    row = table.slice((faulty or order)[0], 1)
    if faulty:
        return row
    result: tuple[str, str | bytes]
    try:
        found = sum((Sketch.from_bytes(table["sketch"][i].as_py()) for i in order), Sketch())
        result = "sketch", found.to_bytes()
    except InputError as error:  # the sum of all weights leaves float64
        result = "fault", str(error)
    name, value = result
    at = table.column_names.index(name)
    return row.set_column(at, name, pa.array([value], row[name].type))


def values_of(x: Any, mixture: Mixture, method: str) -> Any:
    """Return what a method of the mixture says of an array; NULL of NULL."""
    pa = require("pyarrow", "spark")
    kind, where = x.type, f"partition {_here()}"
    is_number = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if not any(is_a(kind) for is_a in is_number):
        raise InputError(f"{where}: a column of the type {kind}: give {method} one of numbers")
    points = np.from_dlpack(x.cast(pa.float64(), safe=False).drop_null())
    found = evaluated(mixture, method, points, where)
    values = pa.array(found.ravel())
    if found.ndim == 2:
        ends = pa.array(np.arange(0, found.size + 1, mixture.k, dtype=np.int32))
        values = pa.ListArray.from_arrays(ends, values)
    if not x.null_count:
        return values
    there = np.array(x.is_valid().to_pylist())
    return values.take(pa.array(np.cumsum(there) - 1, mask=~there))
