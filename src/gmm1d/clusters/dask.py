"""Dask: a column of a DataFrame, a Series or an Array becomes a `Sketch` where its partitions lie (extra ``dask``).

Everything runs on the scheduler that Dask would take: the distributed client where there is one, threads
otherwise. Partitions that are persisted are read where they are; others are computed as they are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import scoring
from gmm1d.clusters.dask_tasks import kind_of, mapped, one_column, parts_of, reduced, shared
from gmm1d.clusters.partitions import (
    evaluated,
    joined,
    labelled,
    merged,
    mixture_of,
    read_all,
    scored,
    sketched,
)
from gmm1d.errors import InputError, require

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from gmm1d.clusters.partitions import Again
    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit
    from gmm1d.sketch import Sketch


def sketch(data: Any, column: Hashable = None, *, sample_weight: Any = None) -> Sketch:
    """Return the sketch of a column, made of a sketch of each partition, on whatever runs Dask's tasks.

    Parameters
    ----------
    data : Dask DataFrame, Series or Array
        An Array has one dimension, or one column.
    column : name, optional
        Which column of a DataFrame; it may be left out where there is one.
    sample_weight : name, Series or Array, optional
        Weights of the values, as in `gmm1d.fit`: another column of the DataFrame, or one with the same partitions.

    Returns
    -------
    Sketch
        To be handed to `gmm1d.fit`, which lets Dask read the data once more if the optimum asks for finer leaves.

    Raises
    ------
    InputError
        If there is no such column, or a value is no finite number; the sentence names the partition.
    MissingExtraError
        If Dask is not installed, or older than 2025.1.

    Examples
    --------
    >>> import dask.dataframe as dd, numpy as np, pandas as pd
    >>> import gmm1d
    >>> from gmm1d.clusters.dask import sketch
    >>> rng = np.random.default_rng(1)
    >>> prices = pd.DataFrame({"price": np.append(rng.normal(3, 1, 600), rng.normal(9, 2, 400))})
    >>> ddf = dd.from_pandas(prices, npartitions=4)
    >>> gmm1d.fit(sketch(ddf["price"]), 2)
    <Fit of 2 Gaussians to 1000 values: CONVERGED, log-likelihood -2287.614741>
    """
    parts = parts_of(data, column, sample_weight)

    def read(again: Again | None) -> Sketch:
        found: Sketch = reduced(mapped(parts, _sketch_of, shared(again)), sum)
        return found

    return read_all(read)


def sketches(
    data: Any, column: Hashable, by: Hashable | Sequence[Hashable], *, sample_weight: Any = None
) -> dict[Any, Sketch]:
    """Return the sketch of each group of rows: ``gmm1d.fit_many(sketches(ddf, "price", by="city"), 2)``.

    Parameters
    ----------
    data : Dask DataFrame
    column : name
    by : name or list of names
        Columns of labels; the rows of a group may be spread over partitions.
    sample_weight : name, optional

    Returns
    -------
    dict
        By label, or by tuple of labels where there are several columns of them, in their order, None
        (for whatever is missing) at the end.

    Raises
    ------
    InputError, MissingExtraError
        As `sketch` does.
    """
    names = list(by) if isinstance(by, list | tuple) else [by]
    parts = parts_of(data, column, sample_weight, names)
    return labelled(reduced(mapped(parts, _sketches_of, len(names)), merged))


def log_likelihood(
    model: Mixture | Fit, data: Any, column: Hashable = None, *, sample_weight: Any = None
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
        As `sketch` does, or if the column holds no value, or one whose log-density leaves float64.
    """
    parts = parts_of(data, column, sample_weight)
    return scoring.added(reduced(mapped(parts, _score_of, mixture_of(model)), joined))[0]


def predict(model: Mixture | Fit, column: Any) -> Any:
    """Return the most likely component of each value, counted from 0, as a Series or Array to be computed.

    Parameters
    ----------
    model : Mixture or Fit
    column : Dask Series, or Array (m,)

    Raises
    ------
    InputError
        If `column` is neither; when it is computed, if a value is no finite number.
    """
    return _mapped(mixture_of(model), "predict", column, np.intp)


def log_density(model: Mixture | Fit, column: Any) -> Any:
    """Return log p(x), in nats, as a Series or Array to be computed; parameters and errors as in `predict`."""
    return _mapped(mixture_of(model), "logpdf", column, np.float64)


def responsibilities(model: Mixture | Fit, column: Any) -> Any:
    """Return the probability of each component, as a DataFrame or Array (m, k) to be computed.

    Columns are counted from 0; parameters and errors as in `predict`.
    """
    return _mapped(mixture_of(model), "responsibilities", column, np.float64)


def _sketch_of(number: int, again: Again | None, *columns: Any) -> Sketch:
    return sketched([columns], f"partition {number}", again)


def _score_of(number: int, mixture: Mixture, *columns: Any) -> list[tuple[float, float]]:
    return scored(mixture, [columns], f"partition {number}")


def _sketches_of(number: int, n_labels: int, *columns: Any) -> dict[Any, Sketch]:
    """Return the sketch of each group of a partition."""
    pandas = require("pandas", "dask")
    values, labels = columns[:-n_labels], columns[-n_labels:]
    keys = pandas.DataFrame(dict(enumerate(label.array for label in labels)))
    groups = keys.groupby(list(keys), sort=False, dropna=False, observed=True)
    numbers = groups.ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(keys) else []
    found = {}
    for each in rows:
        label = tuple(_plain(keys[j].iloc[each[0]]) for j in keys)
        key = label if n_labels > 1 else label[0]
        batch = [value.iloc[each] for value in values]
        found[key] = sketched([batch], f"partition {number}, group {key!r}")
    return found


def _plain(label: Any) -> Any:
    """Return a label as Python has it, None where it is missing."""
    if require("pandas", "dask").isna(label):
        return None
    return label.item() if isinstance(label, np.generic) else label


def _mapped(mixture: Mixture, method: str, column: Any, dtype: type) -> Any:
    """Apply a method of the mixture to each partition, as Dask maps."""
    kind, k = kind_of(column), mixture.k
    if kind == "Series":
        pandas = require("pandas", "dask")
        empty = _of_series(pandas.Series([], dtype=np.float64), mixture, method)
        return column.map_partitions(_of_series, mixture, method, meta=empty)
    if kind != "Array":
        raise InputError(f"column is a {type(column).__name__}: hand in a Dask Series or Array")
    x, several = one_column(column), method == "responsibilities"
    shape = {"chunks": (x.chunks[0], (k,)), "new_axis": 1} if several else {}
    return x.map_blocks(
        _of_block, mixture, method, dtype=dtype, meta=np.empty((0,) * (1 + several), dtype), **shape
    )


def _of_block(x: Any, mixture: Mixture, method: str, block_info: Any = None) -> Any:
    number = block_info[0]["chunk-location"][0] if block_info else 0
    return evaluated(mixture, method, x, f"partition {number}")


def _of_series(x: Any, mixture: Mixture, method: str, partition_info: Any = None) -> Any:
    number = partition_info["number"] if partition_info else 0
    values = evaluated(mixture, method, x, f"partition {number}")
    pandas = require("pandas", "dask")
    return (pandas.Series if values.ndim == 1 else pandas.DataFrame)(values, index=x.index)
