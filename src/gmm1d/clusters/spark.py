"""Spark: a column of a DataFrame becomes a `Sketch` where its partitions lie (extra ``spark``).

Each partition is sketched by the Python worker beside it, to which its values come through Arrow; the sketches
are added up by Spark, 32 sums of them by the driver, always in the order of the partitions. A partition that is
computed again, on another executor perhaps, gives the same bits if Spark gives its rows in the same order. gmm1d
must be installed on the workers. NULL and NaN are refused alike. Whatever is read more than once is better cached.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gmm1d import scoring
from gmm1d.arguments import shown
from gmm1d.clusters import spark_workers as workers
from gmm1d.clusters.partitions import EMPTY, labelled, mixture_of, read_all
from gmm1d.errors import InputError, require
from gmm1d.sketch import Sketch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame, Row

    from gmm1d.clusters.partitions import Again
    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit

LEAST = (4, 0)
LEAST_ARROW = (4, 1)  # has functions of Arrow arrays
FAN = (
    32  # sums of sketches that the driver adds up, each of as few sketches as that leaves to a task
)
NUMBERS = (
    "ByteType",
    "ShortType",
    "IntegerType",
    "LongType",
    "FloatType",
    "DoubleType",
    "DecimalType",
)
LABELS = (*NUMBERS, "StringType", "BooleanType", "DateType", "TimestampType", "TimestampNTZType")


def sketch(
    data: DataFrame,
    column: str | Column | None = None,
    *,
    sample_weight: str | Column | None = None,
) -> Sketch:
    """Return the sketch of a column, made of a sketch of each partition on the cluster.

    Parameters
    ----------
    data : Spark DataFrame
        Classic or of Spark Connect.
    column : name or Column, optional
        Of any type of numbers; it may be left out where there is one column.
    sample_weight : name or Column, optional
        Weights of the values, as in `gmm1d.fit`.

    Returns
    -------
    Sketch
        To be handed to `gmm1d.fit`, which lets Spark read the data once more if the optimum asks for finer leaves.

    Raises
    ------
    InputError
        If there is no such column of numbers, there are no rows, or a value is no finite number; the
        sentence names the partition.
    MissingExtraError
        If PySpark is not installed, or older than 4.0.

    Examples
    --------
    >>> import gmm1d
    >>> from gmm1d.clusters.spark import sketch
    >>> f = gmm1d.fit(sketch(spark.read.parquet("sales/"), "price"), 3)  # doctest: +SKIP
    """
    frame = _projected(data, column, sample_weight)

    def read(again: Again | None) -> Sketch:
        parts = frame.mapInArrow(partial(workers.sketch_of, again=again), workers.SKETCH)
        rows = _sound(_added_up(parts, parts["part"] % FAN))
        return sum((Sketch.from_bytes(bytes(row["sketch"])) for row in rows), Sketch())

    return read_all(read)


def sketches(
    data: DataFrame,
    column: str | Column,
    by: str | Column | Sequence[str | Column],
    *,
    sample_weight: str | Column | None = None,
) -> dict[Any, Sketch]:
    """Return the sketch of each group of rows: ``gmm1d.fit_many(sketches(df, "price", by="city"), 2)``.

    Parameters
    ----------
    data : Spark DataFrame
    column : name or Column
    by : name or Column, or a list of them
        Labels: numbers, text, truth values, dates or times. The rows of a group may be spread over partitions.
    sample_weight : name or Column, optional

    Returns
    -------
    dict
        By label, or by tuple of labels where there are several columns of them, in their order; None, for NULL, is a label as
        in Spark's groupBy, and comes last.

    Raises
    ------
    InputError, MissingExtraError
        As `sketch` does.
    """
    names = list(by) if isinstance(by, list | tuple) else [by]
    frame = _projected(data, column, sample_weight, names)
    labels = [name for name in frame.columns if name not in ("x", "w")]
    kinds = ", ".join(f"{name} {kind}" for name, kind in frame.dtypes if name in labels)
    parts = frame.mapInArrow(workers.sketches_of, f"{kinds}, {workers.SKETCH}")
    some = _added_up(parts, *labels, parts["part"] % FAN)
    found = {}
    for row in _sound(_added_up(some, *labels)):
        label = tuple(row[name] for name in labels)
        found[label if len(labels) > 1 else label[0]] = Sketch.from_bytes(bytes(row["sketch"]))
    return labelled(found)


def log_likelihood(
    model: Mixture | Fit,
    data: DataFrame,
    column: str | Column | None = None,
    *,
    sample_weight: str | Column | None = None,
) -> float:
    """Return sum_i w_i log p(x_i), in nats, of a column under a fitted mixture.

    Parameters
    ----------
    model : Mixture or Fit
    data, column, sample_weight
        As in `sketch`.

    Raises
    ------
    InputError, MissingExtraError
        As `sketch` does, or if a value has a log-density that leaves float64.
    """
    mixture = mixture_of(model)
    frame = _projected(data, column, sample_weight)
    rows = _sound(frame.mapInArrow(partial(workers.scores_of, mixture=mixture), workers.SCORE))
    return scoring.added((row["total"], row["n"]) for row in rows)[0]


def predict(model: Mixture | Fit, column: str | Column) -> Column:
    """Return the most likely component, from 0: ``df.withColumn("component", predict(f, "price"))``.

    Parameters
    ----------
    model : Mixture or Fit
    column : name or Column
        NULL stays NULL; whatever else is no finite number fails when Spark computes it.

    Returns
    -------
    Column
        Of the type int.

    Raises
    ------
    MissingExtraError
        If PySpark is not installed, or older than 4.1.
    """
    return _mapped(mixture_of(model), "predict", column, "int")


def log_density(model: Mixture | Fit, column: str | Column) -> Column:
    """Return log p(x), in nats, as a Column of the type double; parameters and errors as in `predict`."""
    return _mapped(mixture_of(model), "logpdf", column, "double")


def responsibilities(model: Mixture | Fit, column: str | Column) -> Column:
    """Return the probability of each component, a Column of array<double>; parameters and errors as in `predict`."""
    return _mapped(mixture_of(model), "responsibilities", column, "array<double>")


def _projected(data: Any, column: Any, sample_weight: Any, by: Sequence[Any] = ()) -> DataFrame:
    """Return a frame of x, perhaps w, both of doubles that may be NaN, and of label0, label1 and so on."""
    asked = {"x": column, "w": sample_weight, **{f"label{i}": each for i, each in enumerate(by)}}
    there = _frame(data).columns
    if column is None and len(there) == 1:
        asked["x"] = there[0]
    elif column is None:
        raise InputError(f"data with {len(there)} columns ({', '.join(there)}): name one of them")
    if sample_weight is None:
        del asked["w"]
    columns = [_known(there, each) for each in asked.values()]
    try:
        chosen = data.select(*columns)
        fields = chosen.schema.fields
    except require("pyspark.errors", "spark").AnalysisException as error:
        raise InputError(f"Spark finds no such columns: {str(error).splitlines()[0]}") from error
    if len(fields) != len(asked):
        raise InputError(f"{len(fields)} columns where {len(asked)} are meant: name each of them")
    for name, field in zip(asked, fields, strict=True):
        wanted, kinds = ("numbers", NUMBERS) if name in ("x", "w") else ("labels", LABELS)
        if type(field.dataType).__name__ not in kinds:
            raise InputError(
                f"column {field.name!r} is of the type {field.dataType.simpleString()}: "
                f"name a column of {wanted}, or cast it"
            )
    number = "coalesce(cast({0} AS double), double('NaN')) AS {0}"
    frame: DataFrame = chosen.toDF(*asked).selectExpr(
        *(number.format(name) if name in ("x", "w") else name for name in asked)
    )
    return frame


def _frame(data: Any) -> DataFrame:
    """Refuse what is no DataFrame of Spark, and a Spark that cannot send it through Arrow."""
    sql = require("pyspark", "spark", LEAST).sql
    for library in ("pyarrow", "pandas"):  # PySpark wants both, and would say so without the extra
        require(library, "spark")
    if isinstance(data, sql.DataFrame):
        frame: DataFrame = data
        return frame
    kind = f"{type(data).__module__}.{type(data).__name__}".removeprefix("builtins.")
    raise InputError(f"data in a {kind}: hand in a Spark DataFrame, then the column")


def _known(there: list[str], column: Any) -> Any:
    """Return a Column, or a name as Spark reads names; refuse what is neither, and names of nothing."""
    if isinstance(column, require("pyspark", "spark").sql.Column):
        return column
    if not isinstance(column, str):
        raise InputError(f"column {shown(column)}: give one name, or one Column")
    if column in there:
        return f"`{column.replace('`', '``')}`"
    begin = column.partition(".")[0].strip("`").lower()  # of a field, or in other letters
    if begin not in map(str.lower, there):
        raise InputError(f"no column {column!r}: the DataFrame has {', '.join(there)}")
    return column


def _added_up(parts: DataFrame, *keys: str | Column) -> DataFrame:
    """Add the sketches of each group, in the order of the partitions, in tasks of Spark."""
    return parts.groupBy(*keys).applyInArrow(workers.sum_of, parts.schema)


def _sound(frame: DataFrame) -> list[Row]:
    """Return the rows in the order of their partitions, or raise the first sentence that one brought."""
    rows = sorted(frame.collect(), key=lambda row: row["part"])
    for row in rows:
        if row["fault"]:
            raise InputError(row["fault"])
    if not rows:
        raise InputError(EMPTY)
    return rows


def _mapped(mixture: Mixture, method: str, column: str | Column, kind: str) -> Column:
    """Apply a method of the mixture to a column, as Spark maps Arrow arrays."""
    functions = require("pyspark.sql.functions", "spark", LEAST_ARROW)

    def over(x):  # type: ignore[no-untyped-def]  # Spark wants hints to be of Arrow, or none
        return workers.values_of(x, mixture, method)

    over.__name__ = method  # of which Spark makes the name of the column
    found: Column = functions.arrow_udf(over, kind)(column)
    return found
