"""`fit_many`: the bits of `fit`, bad data sets in their place, whatever the data come in."""

import _thread
import pickle
import threading
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gmm1d
from gmm1d.errors import Ending, FitWarning, InputError
from gmm1d.sample import EXACT

PARAMETERS = ("weights", "means", "stds")
NUMBERS = ("log_likelihood", "n", "aic", "bic", "icl", "gradient_norm", "newton_decrement")


def many(*args, **kwargs):
    """Fit without the warning of every ending but CONVERGED."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit_many(*args, **kwargs)


def one(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def assert_same_bits(fits, i, data, k, **options):
    """Compare entry i with what `fit` returns or says."""
    alone, sentence = None, None
    try:
        alone = one(data, k, **options)
    except InputError as error:
        sentence = str(error)
    if alone is None:
        assert fits.errors[i] == sentence
        assert fits.status[i] is None
        assert not fits.fitted[i]
        for name in (*PARAMETERS, *NUMBERS, "smallest_eigenvalue"):
            assert np.isnan(getattr(fits, name)[i]).all()
        with pytest.raises(InputError, match="has no fit"):
            fits[i]
        return
    assert i not in fits.errors
    assert fits.fitted[i]
    for name in PARAMETERS:
        np.testing.assert_array_equal(getattr(fits, name)[i], getattr(alone.mixture, name))
    for name in NUMBERS:
        assert getattr(fits, name)[i] == getattr(alone, name)
    assert fits.smallest_eigenvalue[i] == alone.certificate.smallest_eigenvalue
    assert fits.status[i] is alone.status
    assert fits.n_parameters == alone.n_parameters
    assert fits[i] == alone.mixture


def assert_all_same_bits(fits, data, k, **options):
    assert len(fits) == len(data)
    for i, each in enumerate(data):
        assert_same_bits(fits, i, each, k, **options)


def assert_equal(a, b):
    for name in (*PARAMETERS, *NUMBERS, "smallest_eigenvalue", "entropy"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.status.tolist() == b.status.tolist()
    assert a.errors == b.errors


def bumps(n=60, m=12, seed=0):
    """Return m columns of two bumps each, the further on, the closer to each other."""
    rng = np.random.default_rng(seed)
    apart = np.linspace(8, 1, m)
    return np.where(rng.random((n, m)) < 0.4, apart, 0.0) + rng.normal(size=(n, m))


# --- the bits of fit ------------------------------------------------------------------------------

values = st.one_of(
    st.floats(-1e3, 1e3, width=32),
    st.integers(-3, 3).map(float),
    st.sampled_from([0.0, -0.0, 1.0, 1e-200, 1e200, 1e308, -1e308, np.nan, np.inf]),
)


@given(
    st.lists(st.lists(values, max_size=12), min_size=1, max_size=6),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from(["newton", "em", "squarem"]),
    st.sampled_from([None, 1e-3]),
    st.sampled_from([None, 3]),
)
def test_lists_of_any_lengths_get_the_bits_of_fit(data, k, equal, method, tol, max_iter):
    options = {"equal_variances": equal, "method": method, "tol": tol, "max_iter": max_iter}
    if max(map(len, data)) < k:
        with pytest.raises(InputError, match="more than there are values in any data set"):
            many(data, k, **options)
    else:
        assert_all_same_bits(many(data, k, threads=2, **options), data, k, **options)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 20), st.integers(1, 3))
def test_matrices_get_the_bits_of_fit(seed, n, m, k):
    x = bumps(n, m, seed)
    if n < k:
        with pytest.raises(InputError, match="more than there are values in any data set"):
            many(x, k)
    else:
        assert_all_same_bits(many(x, k), x.T, k)


@given(st.integers(0, 2**32 - 1))
def test_weighted_data_get_the_bits_of_fit(seed):
    rng = np.random.default_rng(seed)
    x = bumps(30, 5, seed).round(1)
    w = rng.exponential(size=x.shape) * rng.integers(0, 3, x.shape)
    fits = many(x, 2, sample_weight=w)
    for i in range(5):
        assert_same_bits(fits, i, x[:, i], 2, sample_weight=w[:, i])
    shared = many(list(x.T), 2, sample_weight=w[:, 0])
    assert_equal(shared, many(x, 2, sample_weight=w[:, 0]))
    for i in range(5):
        assert_same_bits(shared, i, x[:, i], 2, sample_weight=w[:, 0])


def test_more_columns_than_one_batch():
    x = bumps(20, 700)
    assert_all_same_bits(many(x, 2, threads=1), x.T, 2)


def test_bits_do_not_depend_on_threads_and_neighbours():
    x = bumps(50, 600)
    x[3, ::7] = np.nan
    fits = many(x, 2, threads=1)
    assert_equal(fits, many(x, 2, threads=2))
    assert_equal(fits, many(x, 2, threads=7))
    backwards = many(x[:, ::-1], 2)
    np.testing.assert_array_equal(backwards.means, fits.means[::-1])


def test_large_data_sets_are_compressed_as_in_fit():
    rng = np.random.default_rng(0)
    large = rng.normal(size=EXACT + 1) + 5 * (rng.random(EXACT + 1) < 0.3)
    data = [large, bumps(50, 1)[:, 0], np.append(large, np.nan), large[:EXACT]]
    assert_all_same_bits(many(data, 2), data, 2)
    x = np.stack([large, -large], axis=1)
    assert_all_same_bits(many(x, 2), x.T, 2)


# --- what data come in ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype", ["f8", "f4", "f2", "g", ">f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
)
def test_every_real_type(dtype):
    x = (10 * np.abs(bumps())).astype(dtype)
    assert_all_same_bits(many(x, 2), x.T, 2)


@pytest.mark.parametrize(
    "view",
    [
        np.asfortranarray,
        lambda x: x[::2],
        lambda x: x[::-1, ::-3],
        lambda x: np.broadcast_to(x[:, :1], x.shape),
        lambda x: np.frombuffer(b"?" + x.tobytes(), dtype="u1")[1:].view("f8").reshape(x.shape),
        lambda x: np.rec.fromarrays([x[0], x[1]], names="a,b")["a"][:, None],
    ],
)
def test_every_stride(view):
    x = view(bumps())
    before = x.copy()
    fits = many(x, 2)
    np.testing.assert_array_equal(x, before)
    assert_all_same_bits(fits, x.T, 2)


def test_axis():
    x = bumps()
    assert_equal(many(x, 2, axis=0), many(x.T, 2, axis=1))
    assert_equal(many(x, 2), many(list(x.T), 2))
    with pytest.raises(InputError, match=r"axis must be 0 .* or 1 .*, not 2"):
        many(x, 2, axis=2)
    with pytest.raises(InputError, match="axis must be"):
        many(x, 2, axis=True)
    with pytest.raises(InputError, match="axis=1 is for 2-D arrays"):
        many(list(x), 2, axis=1)


def named_columns():
    x = bumps(40, 3)
    return {
        "left": x[:, 0],
        "whole": (10 * x[:, 1]).astype("i4"),
        "gaps": x[:, 2] * np.nan,
    }


@pytest.mark.parametrize(
    "make", [dict, pd.DataFrame, pl.DataFrame, pa.table], ids=lambda m: m.__name__
)
def test_named_columns(make):
    columns = named_columns()
    fits = many(make(columns), 2)
    assert fits.names == ("left", "whole", "gaps")
    assert fits["whole"] == one(columns["whole"], 2).mixture
    assert "all 40 values are missing" in fits.errors[2]
    with pytest.raises(InputError, match=r"data set 2 \(gaps\) has no fit"):
        fits["gaps"]
    with pytest.raises(KeyError):
        fits["right"]
    assert fits.to_dict()["name"] == ["left", "whole", "gaps"]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_frames_of_one_type_by_column_and_by_row(make):
    x = bumps()
    frame = make(x)
    assert_equal(many(frame, 2), many(x, 2))
    assert_equal(many(frame, 2, axis=1), many(x, 2, axis=1))
    assert many(frame, 2).names == tuple(frame.columns)
    assert many(frame, 2, axis=1).names is None


def test_columns_of_one_name():
    x = bumps(40, 2)
    frame = pd.DataFrame({"a": x[:, 0], "b": (9 * x[:, 1]).astype(int)})
    frame.columns = ["a", "a"]
    assert_all_same_bits(many(frame, 2), [x[:, 0], (9 * x[:, 1]).astype(int)], 2)


def test_numbers_are_places_even_where_they_are_names():
    fits = many(pd.DataFrame(bumps(40, 3), columns=[2, 0, 1]), 2)
    assert fits[0] == one(bumps(40, 3)[:, 0], 2).mixture


def test_masked_values():
    x = np.ma.array(bumps())
    assert_equal(many(x, 2), many(x.data, 2))
    x[4, 3] = np.ma.masked
    fits = many(x, 2)
    assert "data with a masked value at index 4 (1 of 60 values)" in fits.errors[3]
    assert_all_same_bits(fits, [x[:, j] for j in range(x.shape[1])], 2)


def test_samples_sketches_and_iterators():
    x = bumps()
    sketch = gmm1d.Sketch()
    sketch.add(x[:, 0])
    data = [gmm1d.Sample.of(x[:, 0]), sketch, x[:, 1].tolist(), pd.Series(x[:, 2])]
    assert_all_same_bits(many(data, 2), data, 2)
    assert_equal(many((column for column in x.T), 2), many(x, 2))
    ragged = np.empty(2, dtype=object)
    ragged[:] = [x[:, 0], x[:9, 1]]
    assert_all_same_bits(many(ragged, 2), ragged, 2)


# --- bad data sets in their place -------------------------------------------------------------------

BAD = {
    "NaN": [1.0, np.nan, 3.0],
    "infinity": [1.0, -np.inf, 3.0],
    "constant": [3.0] * 9,
    "few": [1.0, 2.0, 1.0, 2.0],
    "empty": [],
    "text": [1.0, "two", 3.0],
    "missing": [1.0, None],
    "none": None,
    "two columns": np.ones((3, 2)),
    "narrow": [1.0, 1.0 + 1e-200, 1e-200, 2e-200][2:] * 2 + [3e-200],
    "wide": [-1e308, 0.0, 1e308],
    "uneven": [1e-160, 2e-160, 3e-160, 4e-160, 1e150],
}


@pytest.mark.parametrize("where", [0, 5, 12])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_data_set_is_reported_in_its_place(kind, where):
    data = list(bumps().T)
    data.insert(where, BAD[kind])
    with pytest.warns(FitWarning, match=f"1 failed .first: data set {where}: "):
        fits = gmm1d.fit_many(data, 3)
    assert list(fits.errors) == [where]
    assert_all_same_bits(fits, data, 3)


def test_bad_columns_of_a_matrix():
    x = bumps()
    x[3, [0, 5]], x[7, 11], x[:, 4] = np.nan, np.inf, 1.5
    fits = many(x, 2)
    assert sorted(fits.errors) == [0, 4, 5, 11]
    assert fits.errors[0].startswith("data with NaN at index 3 (1 of 60 values)")
    assert_all_same_bits(fits, x.T, 2)


def test_all_bad():
    fits = many(np.full((5, 3), np.nan), 2)
    assert sorted(fits.errors) == [0, 1, 2]
    assert repr(fits) == "<Fits of 2 Gaussians to each of 3 data sets: 3 failed>"


def test_bad_weights_in_their_place():
    x = bumps()
    w = np.ones_like(x)
    w[3, 2], w[5, 4], w[:, 6], w[0, 7] = -1, np.nan, 0, 1e308
    w[1, 7] = 1e308
    fits = many(x, 2, sample_weight=w)
    assert sorted(fits.errors) == [2, 4, 6, 7]
    listed = many(list(x.T), 2, sample_weight=[*w.T[:-2], w[:-1, -2], "text"])
    assert sorted(listed.errors) == [2, 4, 6, 7, 10, 11]
    assert listed.errors[10] == "sample_weight of 59 values for 60 points: give one per point"
    for i in range(10):
        assert_same_bits(fits, i, x[:, i], 2, sample_weight=w[:, i])
        assert_same_bits(listed, i, x[:, i], 2, sample_weight=w[:, i])


def test_weights_go_by_name():
    x = bumps(40, 2)
    weights = np.arange(40.0)
    fits = many({"a": x[:, 0], "b": x[:, 1]}, 2, sample_weight={"b": weights, "a": np.ones(40)})
    assert_same_bits(fits, 1, x[:, 1], 2, sample_weight=weights)


# --- what cannot be used at all ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "no data: the list holds no data set"),
        ({}, "no data: the dict holds no data set"),
        (np.empty((3, 0)), "no data: the ndarray holds no data set"),
        (np.empty((0, 3)), "k is 2, more than there are values"),
        (None, "data in a NoneType: hand in a 2-D array"),
        ("text", "data in a str: hand in a 2-D array"),
        (3.0, "data in a float: hand in a 2-D array"),
        ({1.0, 2.0}, "data in a set: hand in a 2-D array"),
        ([1.0, 2.0, 3.0], "one column of numbers.*gmm1d.fit"),
        (np.ones(3), r"data of shape \(3,\) have no columns.*gmm1d.fit"),
        (pd.Series([1.0, 2.0]), r"data of shape \(2,\) have no columns"),
        (np.ones((2, 2, 2)), r"data of shape \(2, 2, 2\) have no columns"),
        (np.ones((3, 3), dtype=complex), "data made of complex numbers"),
        (np.ones((3, 3), dtype=bool), "data made of true and false values"),
    ],
)
def test_refused_data(data, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.fit_many(data, 2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"k": 0}, "k must be a whole number from 1 on, not 0"),
        ({"k": True}, "k must be a whole number"),
        ({"k": "2"}, "k must be a whole number"),
        ({"k": 61}, "k is 61, more than there are values in any data set"),
        ({"k": 10**12}, "more than there are values in any data set"),
        ({"method": "magic"}, "method='magic' is unknown"),
        ({"tol": -1}, "tol must be"),
        ({"max_iter": -1}, "max_iter must be"),
        ({"threads": 0}, "threads must be"),
        ({"progress": "yes"}, "progress must be"),
        ({"equal_variances": "yes"}, "equal_variances must be"),
        ({"sample_weight": np.ones(59)}, "sample_weight of 59 values for data sets of 60"),
        ({"sample_weight": np.ones((60, 11))}, "sample_weight for 11 data sets, but there are 12"),
        ({"sample_weight": np.ones((59, 12))}, "sample_weight of 59 values for data sets of 60"),
        ({"sample_weight": "text"}, "sample_weight in a str"),
    ],
)
def test_refused_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.fit_many(bumps(), **{"k": 2, **options})


def test_refused_names_of_weights():
    with pytest.raises(InputError, match="other names"):
        many({"a": [1.0, 2.0]}, 1, sample_weight={"b": [1.0, 2.0]})


def assert_interrupted(data, k):
    """Send Ctrl-C in a moment."""
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            gmm1d.fit_many(data, k)
    finally:
        timer.cancel()


def test_interruption_among_small_data_sets():
    assert_interrupted(bumps(200, 20_000), 4)


def test_interruption_in_a_large_data_set():
    rng = np.random.default_rng(0)
    assert_interrupted([rng.normal(size=100_000) + rng.integers(0, 8, 100_000)] * 20, 8)


def test_progress_shows_a_bar(capsys):
    many(bumps(), 2, progress=True)
    assert "data sets" in capsys.readouterr().err
    many(bumps(), 2, progress=False)
    assert capsys.readouterr().err == ""


# --- what is returned -------------------------------------------------------------------------------


def test_a_struct_of_arrays():
    x = bumps()
    x[3, 4] = np.nan
    fits = many(x, 2)
    assert fits.k == 2
    assert fits.weights.shape == fits.means.shape == fits.stds.shape == (12, 2)
    assert fits.log_likelihood.shape == fits.status.shape == fits.n.shape == (12,)
    assert fits.fitted.tolist() == [i != 4 for i in range(12)]
    assert fits[-1] == fits[11]
    assert fits[np.int64(3)].means.tolist() == fits.means[3].tolist()
    with pytest.raises(IndexError, match="no data set 12: there are 12"):
        fits[12]
    with pytest.raises(KeyError):
        fits["a"]
    with pytest.raises(ValueError, match="read-only"):
        fits.means[0, 0] = 1.0
    assert [m.k for m in many(x[:, :4], 2)] == [2] * 4
    with pytest.raises(InputError, match="data set 4 has no fit: data with NaN at index 3"):
        list(fits)
    again = pickle.loads(pickle.dumps(fits))
    assert_equal(again, fits)


def test_every_ending_is_told():
    spiky = [0.0] * 30 + list(np.linspace(1, 2, 10))
    data = [bumps()[:, 0], spiky, [1.0, np.inf]]
    with pytest.warns(FitWarning, match="of 3 data sets 1 PENALISED, 1 failed"):
        fits = gmm1d.fit_many(data, 2)
    assert fits.status.tolist() == [Ending.CONVERGED, Ending.PENALISED, None]
    assert_all_same_bits(fits, data, 2)
    assert fits.summary() == (
        "Mixtures of 2 Gaussians to each of 3 data sets\n\n"
        "1  converged: a local maximum, certified by gradient, Newton decrement and Hessian\n"
        "1  penalised: no maximum of the likelihood with as many living components is here; "
        "the optimum of the penalised likelihood S is returned\n"
        "1  failed: see errors\n\n"
        "data set 2: data with infinity at index 1 (1 of 2 values): every value must be a finite float64"
    )
    assert "<td>failed: see errors</td>" in fits._repr_html_()
    tol = gmm1d.fit_many(data[:1], 2, tol=1)
    assert repr(tol) == "<Fits of 2 Gaussians to each of 1 data set: 1 TOLERANCE>"


def test_many_failures_are_counted():
    fits = many(np.full((5, 9), np.nan), 1)
    assert fits.summary().endswith("and 4 more in errors")


def test_names_are_escaped():
    assert "&lt;b&gt;" in many({"<b>": [1.0, 1.0], "a": [1.0, 2.0]}, 1)._repr_html_()


def test_a_table():
    x = bumps(60, 3)
    x[0, 1] = np.nan
    fits = many(x, 2)
    frame = pd.DataFrame(fits.to_dict())
    assert frame.shape == (3, 16)
    np.testing.assert_array_equal(frame["mean_2"], fits.means[:, 1])
    assert frame["status"].tolist()[0] == "CONVERGED"
    assert frame["status"].isna().tolist() == [False, True, False]
    assert frame["error"][1] == fits.errors[1]
