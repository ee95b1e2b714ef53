"""Data from other libraries are read where they lie; results go back to the library that the data came from."""

import importlib.util
import sys
import types

import numpy as np
import onnxruntime
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from skl2onnx import to_onnx
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

import gmm1d
from gmm1d.columns import column
from gmm1d.errors import InputError, MissingExtraError, require

M = gmm1d.Mixture([0.3, 0.5, 0.2], [-2, 1, 5], [0.5, 1, 2])
X = M.rvs(500, rng=1)
KINDS = {
    "pandas": (pd.Series, pd.DataFrame),
    "polars": (pl.Series, pl.DataFrame),
    "pyarrow": (pa.array, pa.Table),
}


class Offers:
    """An object that offers nothing but some protocols of another."""

    def __init__(self, of, *names):
        for name in names:
            setattr(type(self), name, lambda _, *a, name=name, **k: getattr(of, name)(*a, **k))


def offering(of, *names):
    return types.new_class("Stranger", (Offers,))(of, *names)


# --- read where they lie ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
def test_protocols_are_read_without_a_copy(dtype):
    x = np.arange(100).astype(dtype)
    for data in (
        memoryview(x),
        pd.Series(x, copy=False),
        pl.Series(x),
        pl.DataFrame({"x": x}),
        pa.array(x),
        pa.chunked_array([pa.array(x)]),
        pa.table({"x": x}),
        pa.record_batch({"x": pa.array(x)}),
        offering(x, "__dlpack__", "__dlpack_device__"),
        offering(pa.array(x), "__arrow_c_array__"),
        offering(pa.chunked_array([pa.array(x)]), "__arrow_c_stream__"),
        offering(pa.table({"x": x}), "__arrow_c_stream__"),
    ):
        found = column(data)
        assert found.dtype == dtype, data
        assert np.shares_memory(found, x), data


def test_arrow_in_several_chunks_is_one_column():
    chunks = pa.table({"x": pa.chunked_array([X[:100], X[100:]])})
    assert gmm1d.fit(chunks, 2).mixture == gmm1d.fit(X, 2).mixture


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pa.table({"x": X, "y": X}), "data with 2 columns .* gmm1d takes one"),
        (pa.table({"x": ["a", "b"]}), "text .'a'. at index 0"),
        (pa.table({"x": [1.0, None]}), "NaN at index 1"),
        (pa.table({"x": pa.array([], pa.float64())}), "no data"),
    ],
)
def test_arrow_of_anything_else_is_refused(table, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.Sample.of(offering(table, "__arrow_c_stream__"))


def test_what_is_lazy_must_be_collected():
    with pytest.raises(InputError, match=r"single LazyFrame: collect\(\) it first"):
        column(pl.LazyFrame({"x": X}))
    assert column(pl.LazyFrame({"x": X}).collect()).size == X.size


def test_arrow_without_pyarrow_names_the_extra(monkeypatch):
    data = offering(pa.array(X), "__arrow_c_array__")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pyarrow, .* pip install 'gmm1d\[frames\]'"):
        column(data)


# --- frames -------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", KINDS)
def test_results_are_frames_of_the_library_of_the_data(library):
    column_of, kind = KINDS[library]
    f = gmm1d.fit(column_of(X), 2)
    c = gmm1d.compare(column_of(X), [1, 2])
    many = gmm1d.fit_many(
        kind(pd.DataFrame({"a": X, "b": 2 * X}))
        if library != "pyarrow"
        else pa.table({"a": X, "b": 2 * X}),
        2,
    )
    for result in (f, c, many, f.standard_errors(), f.confidence_intervals(0.9)):
        assert isinstance(result.to_frame(), kind), result
    for result in (f, c, many, f.mixture, f.trace, f.standard_errors(), f.confidence_intervals()):
        assert isinstance(result.to_frame(library), kind), result


def test_a_fit_of_many_values_knows_its_library_too():
    assert gmm1d.Sample.of(pl.Series(np.arange(30_000.0))).library == "polars"
    assert gmm1d.Sample.of(X).library is None


def test_frames_hold_what_the_results_hold():
    f = gmm1d.fit(X, 3)
    parts = f.to_frame("pandas")
    assert parts["component"].tolist() == [0, 1, 2]
    for name in ("weight", "mean", "std"):
        assert (parts[name] == getattr(f.mixture, f"{name}s")).all()
        assert (parts[f"{name}_error"] == getattr(f.standard_errors(), f"{name}s")).all()
    assert (parts["expected_count"] == 500 * f.mixture.weights).all()
    ends = f.confidence_intervals(0.9).to_frame("pandas").query("parameter == 'mean'")
    assert (ends[["lower", "upper"]].to_numpy() == f.confidence_intervals(0.9).means).all()
    errors = f.standard_errors().to_frame("pandas")
    assert errors["parameter"].value_counts()["boundary"] == f.mixture.boundaries().size
    steps = f.trace.to_frame("pandas")
    assert len(steps) == 3 * len(f.trace)
    last = steps[steps["step"] == len(f.trace) - 1]
    assert (last["mean"].to_numpy()[f.order] == f.mixture.means).all()
    c = gmm1d.compare(X, range(1, 4))
    ks = c.to_frame("pandas")
    keys = [(1, "unequal"), (2, "unequal"), (2, "equal"), (3, "unequal"), (3, "equal")]
    assert list(zip(ks["k"], ks["family"], strict=True)) == keys
    assert [keys[i] for i in np.flatnonzero(ks["chosen"])] == [c.chosen]
    assert ks["bic"].tolist() == [c[key].bic for key in keys]
    assert (ks["left_out"] == "").all()


@pytest.mark.filterwarnings("ignore::gmm1d.errors.FitWarning")
def test_a_fit_without_standard_errors_has_a_frame_with_nan():
    stopped = gmm1d.fit(X, 3, start="spread", max_iter=1)
    assert stopped.to_frame("pandas")["mean_error"].isna().all()


def test_a_loaded_fit_makes_the_frame_of_whatever_is_installed(tmp_path, monkeypatch):
    gmm1d.fit(pl.Series(X), 2).save(tmp_path / "f.json")
    loaded = gmm1d.Fit.load(tmp_path / "f.json")
    assert isinstance(loaded.to_frame(), pd.DataFrame)
    found = importlib.util.find_spec
    monkeypatch.setattr("gmm1d.frames.find_spec", lambda name: name != "pandas" and found(name))
    assert isinstance(loaded.to_frame(), pl.DataFrame)


def test_frames_without_their_libraries_say_what_to_install(monkeypatch):
    with pytest.raises(InputError, match="library='numpy' is unknown: use one of pandas, polars"):
        M.to_frame("numpy")
    with pytest.raises(MissingExtraError, match="modin, which is not installed: pip install modin"):
        M.to_frame("modin")
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(MissingExtraError, match=r"narwhals, .* pip install 'gmm1d\[frames\]'"):
        M.to_frame()


# --- models of other libraries ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("model", [GaussianMixture, BayesianGaussianMixture])
def test_from_sklearn_is_the_same_density(model, kind):
    fitted = model(n_components=2, covariance_type=kind, max_iter=2000, random_state=0).fit(
        X[:, None]
    )
    m = gmm1d.Mixture.from_sklearn(fitted)
    at = np.linspace(-5, 10, 50)
    if model is GaussianMixture:  # the Bayesian one's density is another
        np.testing.assert_allclose(m.logpdf(at), fitted.score_samples(at[:, None]), rtol=1e-9)
    np.testing.assert_allclose(m.means, np.sort(fitted.means_.ravel()), rtol=1e-15)
    assert m.weights.sum() == pytest.approx(1, abs=1e-15)


def test_a_mixture_survives_the_way_to_sklearn_and_back():
    assert gmm1d.Mixture.from_sklearn(M.to_sklearn()) == M


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (GaussianMixture(2), "this GaussianMixture has no weights_.* after its fit"),
        (X, "this ndarray has no weights_"),
        (
            GaussianMixture(2, random_state=0).fit(X.reshape(-1, 2)),
            r"means of the shape \(2, 2\): gmm1d takes a mixture of one column",
        ),
    ],
)
def test_from_sklearn_refuses_what_is_no_mixture_of_one_column(model, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.Mixture.from_sklearn(model)


def test_an_old_scikit_learn_is_named_with_the_bound(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", types.SimpleNamespace(__version__="1.5.2"))
    with pytest.raises(
        MissingExtraError,
        match=r"scikit-learn 1\.6 or newer, not 1\.5\.2: pip install --upgrade 'gmm1d\[sklearn\]'",
    ):
        require("sklearn", "sklearn", (1, 6))


def test_onnx_by_way_of_scikit_learn_predicts_the_same():
    model = M.to_sklearn()
    graph = to_onnx(model, np.zeros((1, 1)), options={id(model): {"score_samples": True}})
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.linspace(-5, 9, 101)
    labels, shares, densities = session.run(None, {session.get_inputs()[0].name: x[:, None]})
    assert (labels.ravel() == M.predict(x)).all()
    np.testing.assert_allclose(shares, M.responsibilities(x), atol=1e-13)
    np.testing.assert_allclose(densities.ravel(), M.logpdf(x), rtol=1e-13)
