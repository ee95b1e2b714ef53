"""Sample: what is taken, what is refused with which sentence, centre and unit, and their laws."""

import array
import ctypes
import datetime
import decimal
import fractions
import math
import re
import subprocess
import sys
import tracemalloc
from collections import deque

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gmm1d
from gmm1d.errors import InputError, ScaleError
from gmm1d.sample import Sample
from gmm1d.sketch import Sketch

VALUES = [1.5, 2.5, 9.0, 10.0, 11.0]
FLOATS = st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6)
COLUMNS = hnp.arrays(np.float64, st.integers(2, 60), elements=FLOATS)


def refused(data, sentence, sample_weight=None, error=InputError):
    """Check that exactly this sentence (or part of it) is raised."""
    with pytest.raises(error, match=re.escape(sentence)) as caught:
        Sample.of(data, sample_weight)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


class Wrapped:
    """Something of another library that only offers ``__array__``."""

    def __array__(self, dtype=None, copy=None):
        return np.array(VALUES, dtype=dtype, copy=copy)


CONTAINERS = {
    "list": list(VALUES),
    "tuple": tuple(VALUES),
    "deque": deque(VALUES),
    "iterator": iter(VALUES),
    "generator": (v for v in VALUES),
    "dict values": dict(enumerate(VALUES)).values(),
    "list of NumPy floats": [np.float64(v) for v in VALUES],
    "list of rows": [[v] for v in VALUES],
    "list of decimals": [decimal.Decimal(str(v)) for v in VALUES],
    "list of fractions": [fractions.Fraction(v) for v in VALUES],
    "ndarray": np.array(VALUES),
    "column": np.array(VALUES)[:, None],
    "reversed": np.array(VALUES[::-1])[::-1],
    "strided": np.repeat(VALUES, 3)[::3],
    "unaligned": np.frombuffer(b"\0" + np.array(VALUES).tobytes(), np.float64, offset=1),
    "packed records": np.array([(1, v) for v in VALUES], dtype="i1,f8")["f1"],
    "big-endian": np.array(VALUES, ">f8"),
    "float16": np.array(VALUES, "f2"),
    "float32": np.array(VALUES, "f4"),
    "long double": np.array(VALUES, np.longdouble),
    "objects": np.array(VALUES, object),
    "masked array without a mask": np.ma.array(VALUES),
    "array.array": array.array("d", VALUES),
    "memoryview": memoryview(array.array("d", VALUES)),
    "ctypes": (ctypes.c_double * 5)(*VALUES),
    "__array__": Wrapped(),
    "Series": pd.Series(VALUES),
    "Series, nullable": pd.Series(VALUES, dtype="Float64"),
    "Series, Arrow": pd.Series(VALUES, dtype="float64[pyarrow]"),
    "Series, categorical": pd.Series(VALUES).astype("category"),
    "Index": pd.Index(VALUES),
    "DataFrame": pd.DataFrame({"x": VALUES}),
    "Arrow array": pa.array(VALUES),
    "Arrow chunks": pa.chunked_array([VALUES[:2], VALUES[2:]]),
    "Arrow column": pa.table({"x": VALUES})["x"],
    "Arrow table": pa.table({"x": VALUES}),
    "Arrow dictionary": pa.array(VALUES).dictionary_encode(),
    "polars": pl.Series(VALUES),
    "polars frame": pl.DataFrame({"x": VALUES}),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_the_same_column(name):
    sample = Sample.of(CONTAINERS[name])
    assert sample.points.dtype in (np.float64, np.float32)
    assert sample.points.dtype.isnative
    assert sample.points.tolist() == VALUES
    assert (sample.n, sample.low, sample.high, sample.centre) == (5, 1.5, 11, 9)
    assert sample.weights is None
    assert sample.nodes[0].tolist() == [(v - 9) / 4 for v in VALUES]
    assert sample.nodes[1].tolist() == [1] * 5


INTEGERS = {
    "range": range(1, 200),
    "int8": np.array([100, 120, -100, 127, -128] * 20, "i1"),
    "uint8": array.array("B", [250, 251, 255]),
    "uint64": np.array([2**63, 2**63 + 2**12], "u8"),
    "beyond 2**53": 2**53 + np.arange(100),
    "beyond int64": [10**20, 2 * 10**20, 1],
    "nullable": pd.Series([1, 2, 3], dtype="Int64"),
    "categories": pd.Series([1, 2, 10]).astype("category"),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_whole_numbers_become_float64_before_any_arithmetic(name):
    data = INTEGERS[name]
    sample = Sample.of(data)
    numbers = [float(int(v)) for v in data]
    assert sample.points.astype(float).tolist() == numbers
    exact = [fractions.Fraction(v) for v in numbers]
    mean = sum(exact) / len(exact)
    variance = sum((v - mean) ** 2 for v in exact) / len(exact)
    assert sample.std == pytest.approx(math.sqrt(variance), rel=1e-14)


def test_float16_squares_do_not_overflow():
    sample = Sample.of(np.array([60000, 61000, 100, 200] * 20, "f2"))
    assert sample.high == 60992  # the float16 nearest to 61000
    assert math.isfinite(sample.std)


@pytest.mark.parametrize(
    "data",
    [
        np.array(VALUES),
        np.array(VALUES)[:, None],
        np.repeat(VALUES, 3)[::3],
        np.array(VALUES)[::-1],
        np.broadcast_to(2.5, 10),
        np.array(VALUES, "f4")[::-2],
        np.arange(-100, 100, dtype="i1"),
        np.arange(10, dtype="u8")[:, None],
        np.array([(1, v) for v in VALUES], [("id", "i4"), ("x", "f4")])["x"],
        CONTAINERS["packed records"],
        np.array(VALUES * 2)[1:-1].view("i1")[4:-4].view("i4"),
    ],
)
def test_numbers_are_used_where_they_lie_and_never_modified(data):
    before = data.copy()
    sample = Sample.of(data)
    assert np.shares_memory(sample.points, data)
    assert not sample.points.flags.writeable
    assert sample.std >= 0
    assert sample.nodes[0].size
    np.testing.assert_array_equal(data, before)


def test_other_libraries_share_their_memory_too():
    for data in (array.array("d", VALUES), pd.Series(VALUES), pa.array(VALUES), pl.Series(VALUES)):
        assert np.shares_memory(Sample.of(data).points, np.asarray(data))


def test_no_other_library_is_imported():
    code = (
        "import sys, gmm1d.sample\n"
        "gmm1d.sample.Sample.of([1.0, 2.0])\n"
        "assert not {'pandas', 'pyarrow', 'polars'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_matrix_is_a_column_or_a_row():
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.asmatrix(VALUES)
    assert Sample.of(matrix.T).points.shape == (5,)
    refused(matrix, "one row")


TYPES = ["f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def rounded(m, type_, seed=1):
    """Draw numbers that every type can hold."""
    return np.random.default_rng(seed).normal(60, 15, m).clip(0, 127).round().astype(type_)


def same(first, second):
    """Check that two samples are the same to the last bit."""
    for name in ("n", "low", "high", "centre", "unit", "std"):
        assert getattr(first, name) == getattr(second, name), name
    np.testing.assert_array_equal(first.nodes, second.nodes)


@pytest.mark.parametrize("m", [1000, 100_000])
@pytest.mark.parametrize("type_", TYPES)
def test_every_type_and_stride_gives_the_sample_of_its_float64_copy(type_, m):
    x, w = rounded(m, type_), rounded(m, type_, 2)
    for weights in (None, w):
        expected = Sample.of(x.astype("f8"), None if weights is None else w.astype("f8"))
        same(Sample.of(x, weights), expected)
        same(Sample.of(np.repeat(x, 3)[::3], weights), expected)
        packed = np.zeros(m, [("id", "i1"), ("x", type_)])
        packed["x"] = x
        same(Sample.of(packed["x"], weights), expected)
        same(Sample.of(x[::-1], None if weights is None else w[::-1]), expected)


def test_memory_map(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, VALUES)
    mapped = np.load(path, mmap_mode="r")
    assert np.shares_memory(Sample.of(mapped).points, mapped)


@pytest.mark.parametrize("type_", ["f8", "f4", "i2"])
def test_three_million_points_cost_less_than_a_megabyte(type_, tmp_path):
    x = rounded(3 * 10**6, type_)
    w = np.broadcast_to(np.arange(3, dtype="u1"), (10**6, 3)).ravel()  # some of them zero
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    packed = np.zeros(x.size, [("id", "i1"), ("x", type_)])
    packed["x"] = x
    strided = packed["x"]
    Sample.of(x[:30_000])  # whatever is imported or cached once
    for data, weights in ((x, None), (mapped, None), (strided, None), (x, w)):
        tracemalloc.start()
        try:
            sample = Sample.of(data, weights)
            assert sample.std > 0
            assert tracemalloc.get_traced_memory()[1] < 1e6
        finally:
            tracemalloc.stop()
        exact = np.average(x.astype("f8"), weights=weights)
        assert np.dot(*sample.nodes) / sample.n * sample.unit + sample.centre == pytest.approx(
            exact
        )


ARRAY = np.array(VALUES)
REFUSED = {
    "NaN at index 200 (1 of 201 values)": np.append(np.arange(200.0), np.nan),
    "infinity at index 5 (1 of 6 values)": np.append(ARRAY, np.inf),
    "-infinity at index 1 (2 of 4 values)": [1, -math.inf, 2, math.inf],
    "infinity at index 0 (1 of 1 values)": np.array([np.finfo(np.longdouble).max]),
    "no data: the ndarray is empty": np.array([]),
    "no data: the list is empty": [],
    "no data: the DataFrame is empty": pd.DataFrame({"x": []}),
    "no data: all 10 values are missing": np.ma.masked_all(10),
    "no data: all 2 values are missing": [np.nan, np.nan],
    "no data: all 3 values are missing": [None, None, None],
    "a masked value at index 1 (2 of 5 values): drop": np.ma.array(VALUES, mask=[0, 1, 0, 1, 0]),
    "NaN at index 1 (1 of 4 values): drop": pd.Series([1, None, 2, 3.0]),
    "NaN at index 1 (1 of 6 values): drop": pd.Series([1.5, None, 2.5, 9, 10, 11], dtype="Float64"),
    "NaN at index 0 (1 of 2 values): drop": pa.array([None, 1]),
    "NaN at index 1 (1 of 2 values): drop": pl.Series([1, None]),
    "a missing value (None) at index 1 (1 of 4 values): drop": np.array(
        [1.0, None, 2.0, 3.0], object
    ),
    "a missing value (<NA>) at index 0 (3 of 4 values): drop": [pd.NA, None, math.nan, 1],
    "a missing value (masked) at index 1 (1 of 2 values): drop": [1.0, np.ma.masked],
    "a missing value (NaT) at index 1 (1 of 2 values): drop": [1.0, pd.NaT],
    "text ('a') at index 0 (3 of 3 values): convert": np.array(["a", "b", "c"]),
    "text ('a') at index 1 (1 of 2 values): convert": [1.0, "a"],
    "text ('x') at index 2 (1 of 3 values): convert": np.array([1, 2, "x"], object),
    "text (b'1') at index 0 (1 of 1 values): convert": np.array([b"1"]),
    "text ('1') at index 0 (2 of 2 values): convert": pd.Series(["1", "2"]),
    "a truth value (True) at index 0 (1 of 2 values)": [True, 1.5],
    "a complex number (1j) at index 1 (1 of 2 values)": [1.0, 1j],
    "a number too large for float64": [1.0, 10**400],
    "a date or a duration": [datetime.date(2020, 1, 1)],
    "a dict ({}) at index 1 (1 of 2 values)": [1.0, {}],
    "an array (array([1.])) at index 0": pd.Series([np.ones(1), np.ones(2)]),
    "true and false values": np.array([True, False] * 50),
    "complex numbers": ARRAY + 0j,
    "dates: convert": np.array(["2020-01-01"], "M8[D]"),
    "dates: convert them": pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"])),
    "durations: convert": np.array([1, 2], "m8[s]"),
    "records with several fields": np.array([(1, 2.0)], dtype="i1,f8"),
    "2 columns (shape (5, 2)): gmm1d takes one": pd.DataFrame({"x": VALUES, "y": VALUES}),
    "0 columns (shape (5, 0))": np.empty((5, 0)),
    "one row (shape (1, 5)): hand in x.ravel()": ARRAY[None, :],
    "3 dimensions": ARRAY[:, None, None],
    "no column of numbers": [[1.0], [1.0, 2.0]],
    "as a single float": 3.0,
    "as a single float64": np.float64(3),
    "as a single object": object(),
    "in a set, which has no order": {1.0, 2.0, 3.0},
    "in a dict, which has no order": {"x": 1.0},
    "as one text, '1 2 3'": "1 2 3",
    "as one text, b'1 2 3'": b"1 2 3",
    "no data: None was handed in": None,
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_bad_input_is_refused_with_one_sentence(sentence):
    refused(REFUSED[sentence], sentence)


WEIGHTS = {
    "sample_weight of 2 values for 3 points": [1, 2],
    "sample_weight with a negative value at index 1 (2 of 3 values)": [1, -1, -2],
    "sample_weight with NaN at index 2 (1 of 3 values)": [1, 2, np.nan],
    "sample_weight with infinity at index 0 (1 of 3 values)": [np.inf, 2, 1],
    "sample_weight is zero for all 3 points": [0, 0, 0],
    "sample_weight adds up to inf": [1e308, 1e308, 1e308],
    "sample_weight adds up to 1.4": [5e-324, 5e-324, 5e-324],
    "sample_weight made of true and false": np.array([True, True, False]),
    "sample_weight as a single int": 1,
    "no sample_weight: all 3 values are missing": [None, None, None],
    "no sample_weight: the list is empty": [],
}


@pytest.mark.parametrize("sentence", WEIGHTS)
def test_bad_weights_are_refused_with_one_sentence(sentence):
    refused([1.0, 2.0, 3.0], sentence, WEIGHTS[sentence])


def test_weights_do_not_excuse_missing_points():
    refused([1.0, math.nan], "NaN at index 1", [1, 0])


def test_a_sample_passes_through_but_takes_no_weights():
    sample = Sample.of(VALUES)
    assert Sample.of(sample) is sample
    refused(sample, "sample_weight came with a Sample", [1] * 5)


def test_a_sample_is_frozen():
    sample = Sample.of(VALUES, [1, 2, 3, 4, 5])
    with pytest.raises(AttributeError):
        sample.centre = 0
    with pytest.raises(ValueError, match="read-only"):
        sample.points[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        sample.weights[0] = 0


def test_zero_weights_drop_their_points():
    sample = Sample.of([5.0, 1.0, 2.0, 9.0], [0, 1, 2.5, 0])
    assert sample.points.tolist() == [1, 2]
    assert sample.weights.tolist() == [1, 2.5]
    assert (sample.low, sample.high) == (1, 2)
    assert sample.n == pytest.approx(3.5**2 / 7.25)
    assert sample.nodes[1].sum() == pytest.approx(sample.n)
    assert Sample.of([5.0, 1.0, 2.0, 9.0], [0, 1, 2.5, 0], "counts").n == 3.5


def test_repr():
    assert repr(Sample.of(VALUES)) == "Sample(5 points from 1.5 to 11)"
    assert repr(Sample.of([-0.0])) == "Sample(1 point from 0 to 0)"
    weighted = Sample.of([1, 2], [0.5, 3])
    assert repr(weighted) == "Sample(2 points of n_eff = 1.32432 from 1 to 2)"
    counted = Sample.of([1, 2], [0.5, 3], "counts")
    assert repr(counted) == "Sample(2 points of total weight 3.5 from 1 to 2)"


BASE = np.concatenate([np.linspace(-2, 2, 100), np.linspace(4, 8, 100)])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (1e-300 * BASE, "too small for its square"),
        (1e300 * BASE, "too far for its square"),
        (1e307 * BASE * 2, "too far for its square"),
        (5e-324 * np.arange(1, 100), "too small for its square"),
        ([0.0] * 99 + [5e-324], "too small for its square"),
        ([0.0, 1e-200, 2e-200, 1.0, 3e-200], "too small for its square"),
        ([1e-100, 2e-100, 3e-100, 4e-100, 1e100], "look at the extreme values"),
        ([-1.7e308, 1.7e308], "spread over inf"),
    ],
)
def test_a_spread_without_a_square_is_a_scale_error(data, sentence):
    refused(data, sentence, error=ScaleError)


@pytest.mark.parametrize("scale", [1e-150, 1e-6, 1, 1e3, 1e150])
def test_the_promised_scales_are_taken(scale):
    sample = Sample.of(BASE * scale)
    assert sample.std == pytest.approx(np.std(BASE) * scale, rel=1e-14)
    assert 0.5 < sample.unit / scale < 8


@pytest.mark.parametrize("value", [0.0, -0.0, 2.5, -1e300, 5e-324, 1.7e308])
def test_constant_data_are_a_sample(value):
    sample = Sample.of(np.full(50, value))
    assert sample.constant
    assert sample.std == 0
    assert math.frexp(sample.unit)[0] == 0.5
    assert np.isfinite([sample.unit**2, 1 / sample.unit**2]).all()
    assert sample.has_distinct(1)
    assert not sample.has_distinct(2)
    z, w = sample.nodes
    assert (z.tolist(), w.tolist()) == ([0], [50])
    assert not np.signbit(z).any()


def test_median_and_quartiles_by_hand():
    sample = Sample.of([8.0, 1.0, 2.0, 4.0])  # quartiles 1, 2, 4
    assert (sample.centre, sample.unit) == (2, 2)
    z, w = sample.nodes
    assert (z.tolist(), w.tolist()) == ([-0.5, 0, 1, 3], [1, 1, 1, 1])


def test_a_zero_interquartile_range_falls_back_to_the_standard_deviation():
    sample = Sample.of([0.0] * 90 + [10.0] * 10)
    assert (sample.centre, sample.std, sample.unit) == (0, pytest.approx(3), 2)


@given(COLUMNS, st.data())
def test_nodes_are_the_distinct_values_and_their_counts(x, data):
    w = data.draw(hnp.arrays(np.float64, x.size, elements=st.integers(0, 9)).filter(np.any))
    for weights in (None, w):
        sample = Sample.of(x, weights)
        kept = x if weights is None else np.repeat(x, w.astype(int))
        values, counts = np.unique((kept - sample.centre) / sample.unit, return_counts=True)
        np.testing.assert_array_equal(sample.nodes, (values, counts))
        assert sample.nodes[0].flags.c_contiguous


def test_negative_zero_is_zero():
    sample = Sample.of(np.array([-0.0, 0.0] * 20 + [5.0, 5.5, 6.0] * 10))
    assert sample.has_distinct(4)
    assert not sample.has_distinct(5)
    w = sample.nodes[1]
    assert w.tolist() == [40, 10, 10, 10]
    assert math.copysign(1, sample.low) == math.copysign(1, sample.centre) == 1


def test_points_that_standardise_alike_are_one_node():
    z, w = Sample.of([0.1, 0.2, 1e16, 1e16, 3e16]).nodes
    assert np.all(np.diff(z) > 0)
    assert w.sum() == 5


def test_a_long_sample_is_that_of_its_sketch():
    x = np.random.default_rng(1).standard_t(2, 50_000)
    w = np.random.default_rng(2).integers(0, 4, x.size)
    for weights in (None, w):
        sample, sketch = Sample.of(x, weights), Sketch()
        assert sample.sketch is not None
        sketch.add(x, weights)
        same(sample, Sample.of(sketch))
        assert Sample.of(sketch).points is None
        kept = x if weights is None else np.repeat(x, w)
        assert (sample.n, sample.low, sample.high) == (kept.size, kept.min(), kept.max())
        assert sample.size == x.size
        assert sample.nodes[1].sum() == pytest.approx(sample.n, rel=1e-14)
        assert sample.std == pytest.approx(kept.std(), rel=1e-10)
        assert sample.centre == pytest.approx(np.median(kept), abs=0.02)
        assert sample.unit == 1
    assert repr(Sample.of(sketch)).startswith("Sample(50000 points of total weight 7")


def test_only_the_sketch_reads_a_file(tmp_path, monkeypatch):
    x = np.random.default_rng(1).normal(size=100_000)
    file = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, x.shape)
    file[:] = np.nan
    add, calls = Sketch.add, []

    def reveal(self, data, *args, **options):
        calls.append(data)
        file[:] = x
        try:
            return add(self, data, *args, **options)
        finally:
            file[:] = np.nan

    expected = Sample.of(x)
    monkeypatch.setattr(Sketch, "add", reveal)
    same(Sample.of(np.load(tmp_path / "x.npy", mmap_mode="r")), expected)
    assert len(calls) == 1


def test_threads_leave_no_trace():
    x = np.random.default_rng(1).standard_cauchy(200_000)
    for weights in (None, np.random.default_rng(2).random(x.size)):
        first = Sample.of(x, weights, threads=1)
        for threads in (None, 2, 5):
            same(first, Sample.of(x, weights, threads=threads))


def test_a_long_sample_with_faults_is_refused_with_the_same_sentences():
    x = np.zeros(50_000)
    x[[40_000, 45_000]] = np.nan
    refused(x, "data with NaN at index 40000 (2 of 50000 values): drop")
    refused(x.astype("f4"), "data with NaN at index 40000 (2 of 50000 values): drop")
    w = np.ones(x.size)
    w[30_000:] = 0
    refused(x, "data with NaN at index 40000", w)
    refused(np.full(x.size, np.nan), "no data: all 50000 values are missing")
    refused(
        np.where(x == 0, 1.0, -np.inf), "data with -infinity at index 40000 (2 of 50000 values)"
    )
    x = np.arange(50_000)
    w[7] = -1
    refused(x, "sample_weight with a negative value at index 7 (1 of 50000 values)", w)
    refused(x, "sample_weight with infinity at index 9", np.where(x == 9, np.inf, 1))
    refused(x, "sample_weight is zero for all 50000 points", 0 * x)
    refused(x, "sample_weight adds up to inf", np.full(x.size, 1e308))
    refused(1e300 * x, "too far for its square", error=ScaleError)


def test_an_empty_sketch_is_refused():
    refused(Sketch(), "no data: the Sketch is empty")
    sketch = Sketch()
    sketch.add(VALUES)
    refused(sketch, "sample_weight came with a Sketch", [1] * 5)


def test_rare_values_of_a_long_sample_are_nodes():
    x = np.zeros(100_000)
    x[-3:] = 1, 2, 3
    sample = Sample.of(x)
    assert [sample.has_distinct(k) for k in (-1, 0, 1, 4, 5, 10**6)] == [True] * 4 + [False] * 2
    assert sample.nodes[1].tolist() == [99_997, 1, 1, 1]


@given(COLUMNS, st.data())
def test_order_and_stride_leave_no_trace(x, data):
    w = data.draw(hnp.arrays(np.float64, x.size, elements=st.floats(0.01, 100)))
    order = np.array(data.draw(st.permutations(range(x.size))))
    first, second = Sample.of(x, w), Sample.of(np.repeat(x[order], 2)[::2], w[order])
    assert (first.centre, first.unit) == (second.centre, second.unit)
    assert (first.n, first.std) == (second.n, second.std)
    np.testing.assert_array_equal(first.nodes, second.nodes)


@given(COLUMNS, st.data())
def test_whole_weights_are_repeated_points(x, data):
    w = data.draw(hnp.arrays(np.int64, x.size, elements=st.integers(0, 9)).filter(np.any))
    weighted, repeated = Sample.of(x, w), Sample.of(np.repeat(x, w))
    assert weighted.n == repeated.n
    assert (weighted.centre, weighted.unit) == (repeated.centre, repeated.unit)
    assert (weighted.low, weighted.high) == (repeated.low, repeated.high)
    assert weighted.std == pytest.approx(repeated.std, rel=1e-14)
    np.testing.assert_array_equal(weighted.nodes, repeated.nodes)


@given(COLUMNS, st.integers(-400, 400), st.integers(-100, 100))
def test_powers_of_two_scale_exactly_and_shifts_move_the_centre(x, exponent, shift):
    sample = Sample.of(x)
    scaled = Sample.of(x * 2.0**exponent)
    assert scaled.centre == sample.centre * 2.0**exponent
    if not sample.constant or sample.centre:
        assert scaled.unit == sample.unit * 2.0**exponent
    np.testing.assert_array_equal(sample.nodes, scaled.nodes)
    assert Sample.of(x + shift).centre == sample.centre + shift


@given(COLUMNS, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_unit_follows_scale_and_shift_within_a_factor_of_two(x, a, b):
    sample, moved = Sample.of(x), Sample.of(a * x + b)
    assert moved.centre == a * sample.centre + b
    if sample.std > 1e-6 * (np.abs(x).max() + abs(b) / a):
        assert 0.5 <= moved.unit / (a * sample.unit) <= 2
        assert moved.std == pytest.approx(a * sample.std, rel=1e-8)


@given(hnp.arrays(np.float64, st.integers(2, 30), elements=st.integers(-1000, 1000)), st.data())
def test_std_against_exact_arithmetic(x, data):
    w = data.draw(hnp.arrays(np.float64, x.size, elements=st.integers(1, 50)))
    offset = data.draw(st.sampled_from([0.0, 1e6, 1e12]))
    points = [fractions.Fraction(v) for v in (x + offset).tolist()]
    weights = [fractions.Fraction(v) for v in w.tolist()]
    n = sum(weights)
    mean = sum(p * u for p, u in zip(points, weights, strict=True)) / n
    variance = sum(u * (p - mean) ** 2 for p, u in zip(points, weights, strict=True)) / n
    assert Sample.of(x + offset, w).std == pytest.approx(math.sqrt(variance), rel=1e-14)


def test_std_of_many_points_at_a_large_offset():
    x = np.random.default_rng(2).normal(1e8, 1, 200_000)
    exact = np.std((x - 1e8).astype(np.longdouble))
    assert Sample.of(x).std == pytest.approx(float(exact), rel=1e-14)


@pytest.mark.parametrize("type_", ["f4", "i2", "u8"])
def test_the_fit_is_that_of_the_float64_copy(type_, tmp_path):
    x = np.concatenate([rounded(300, type_), rounded(300, type_, 2) // 4])
    np.save(tmp_path / "x.npy", x)
    expected = gmm1d.fit(x.astype("f8"), 2)
    for data in (x, np.repeat(x, 2)[::2], np.load(tmp_path / "x.npy", mmap_mode="r")):
        found = gmm1d.fit(data, 2)
        assert found.mixture == expected.mixture
        assert found.log_likelihood == expected.log_likelihood


# Weights that are no frequencies, where they are fitted


@pytest.mark.parametrize(
    ("total", "sentence"),
    [
        (1e-20, "the weights are taken as counts, and add up to 1e-20, but they say how often"),
        (1, "and add up to 1, .*: multiply them by the number of observations"),
        (
            1e25,
            r"and add up to 1e\+25, and beyond 2\*\*53 .*: divide them by a power of ten",
        ),
    ],
)
def test_weights_that_are_no_frequencies_are_fitted_with_a_word(total, sentence):
    x, w = (
        np.random.default_rng(0).normal(size=100) + np.repeat([0, 6], 50),
        np.full(100, total / 100),
    )
    with pytest.warns(gmm1d.errors.FitWarning, match=sentence):
        found = gmm1d.fit(x, 2, sample_weight=w, weights_are="counts")
    assert found.status.name != "CONVERGED"
    assert np.isfinite(found.mixture.means).all()


@pytest.mark.parametrize("total", [20, 1e15, 1e18])
def test_weights_of_any_other_total_are_certified(total):
    x = np.random.default_rng(0).normal(size=100) + np.repeat([0, 6], 50)
    w = np.full(100, total / 100)
    plain, weighted = gmm1d.fit(x, 2), gmm1d.fit(x, 2, sample_weight=w, weights_are="counts")
    assert weighted.n == pytest.approx(total)
    assert weighted.status.name == "CONVERGED"
    np.testing.assert_allclose(weighted.mixture.means, plain.mixture.means, rtol=1e-9)


def test_weights_that_leave_one_value_are_refused():
    w = [2, 2, 2, 5e-324, 5e-324]
    with pytest.raises(InputError, match="all values but those of vanishing weight equal 0"):
        gmm1d.fit([0.0, 0.0, 0.0, 1.0, 2.0], 1, sample_weight=w)


def test_a_number_of_too_many_digits_is_quoted_as_what_it_is():
    with pytest.raises(InputError, match=r"a number too large for float64 \(that int\) at index 1"):
        gmm1d.Sample.of([1.0, 10**5000])


ABSURD = [-(10**400), 10**5000, 1j, np.eye(2), b"a", {}, object()]


@pytest.mark.parametrize("name", ["method", "tol", "max_iter", "threads", "n_random", "exact"])
@pytest.mark.parametrize("which", range(len(ABSURD)))
def test_absurd_options_are_one_sentence(name, which):
    if which == 1 and name in ("max_iter", "threads", "n_random"):
        return  # a whole number, of which the engine counts so many as it can
    with pytest.raises(InputError, match=name) as caught:
        gmm1d.fit([1.0, 2.0, 4.0], 1, **{name: ABSURD[which]})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_many_points_are_read_in_parts_with_a_bar(capsys, monkeypatch):
    x = np.random.default_rng(0).normal(size=50_000) + np.repeat([0, 6], 25_000)
    whole = gmm1d.fit(x, 2)
    monkeypatch.setattr("gmm1d.sample.PART", 20_000)
    parts = gmm1d.fit(x, 2, progress=True)
    assert "parts of 20000 values" in capsys.readouterr().err
    assert parts.n == whole.n
    assert parts.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-12)
    x[45_000] = np.nan
    with pytest.raises(InputError, match="data with NaN at index 45000"):
        gmm1d.fit(x, 2)
    with pytest.raises(InputError, match="sample_weight adds up to inf"):
        gmm1d.fit(np.arange(50_000.0), 2, sample_weight=np.full(50_000, 1e304))
    with pytest.raises(InputError, match="sample_weight with a negative value at index 30000"):
        gmm1d.fit(
            np.arange(50_000.0), 2, sample_weight=np.where(np.arange(50_000) == 30_000, -1.0, 1.0)
        )
