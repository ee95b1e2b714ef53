"""The estimator: what scikit-learn asks of one, what its mixtures do, and nothing that gmm1d does not say."""

import copy
import importlib
import pickle
import sys
import types
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from numpy.typing import NDArray
from sklearn.base import ClusterMixin, DensityMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

import gmm1d
from gmm1d import columns, translation
from gmm1d.errors import CollapseError, FitWarning, InputError, MissingExtraError
from gmm1d.estimator import GaussianMixture1D

Array = NDArray[np.float64]


def drawn(n: int = 300) -> Array:
    """Two thirds near 0, one third near 8 and wider: separate enough for any start."""
    rng = np.random.default_rng(7)
    return np.concatenate([rng.normal(0, 1, 2 * n // 3), rng.normal(8, 2, n // 3)])


X = drawn()

# the checks of scikit-learn: as the estimator is, and with the first column of the tables that most of them hand in


class OfTables(GaussianMixture1D):
    """The same estimator, but of tables, whose first column `first_column` takes."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = False
        return tags


def first_column(array: NDArray[Any], name: str) -> Any:
    return columns.column(array[:, :1] if array.ndim == 2 else array, name)


VECTORS = "a vector is one column, and is taken"
TABLES = "the check hands in several columns, which are refused, or reads the columns of a vector"
OF_TABLES = {"check_fit1d": VECTORS, "check_fit2d_predict1d": VECTORS}
AS_IT_IS = dict.fromkeys(
    (
        "check_clustering",
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimator_sparse_array",
        "check_estimators_nan_inf",
        "check_f_contiguous_array_estimator",
        "check_fit2d_1feature",
        "check_fit2d_1sample",
        "check_fit2d_predict1d",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weights_not_overwritten",
        "check_sample_weights_shape",
        "check_transformer_data_not_an_array",
        "check_transformer_general",
    ),
    TABLES,
) | {"check_fit1d": VECTORS}


def expected(estimator: Any) -> dict[str, str]:
    """What need not pass, and why."""
    if not isinstance(estimator, OfTables):
        return AS_IT_IS
    if estimator.n_components == 1:
        return {**OF_TABLES, "check_clustering": "one component is one cluster"}
    return OF_TABLES


@pytest.mark.parametrize(
    "estimator",
    [
        GaussianMixture1D(2),
        OfTables(),
        OfTables(2, warm_start=True),
        OfTables(3, covariance_type="spherical", tol=1e-3, max_iter=100),
        OfTables("auto", max_components=3, covariance_type="tied"),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore::gmm1d.errors.FitWarning")
def test_checks_of_scikit_learn(estimator, monkeypatch):
    if isinstance(estimator, OfTables):
        monkeypatch.setattr(translation, "column", first_column)
    excluded = expected(estimator)
    results = estimator_checks.check_estimator(
        estimator, expected_failed_checks=excluded, on_fail=None, on_skip=None
    )
    ended: dict[str, set[str]] = {}
    for result in results:
        if result["status"] == "failed":
            raise AssertionError(result["check_name"]) from result["exception"]
        ended.setdefault(result["status"], set()).add(result["check_name"])
    assert ended.pop("skipped", set()) <= {"check_array_api_input"}  # needs SCIPY_ARRAY_API
    assert ended["xfail"] == set(excluded)
    assert len(results) > 50


@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_get_feature_names_out_error",
        "check_global_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_inplace_ensure_writeable",
        "check_non_transformer_estimators_n_iter",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
    ],
)
@pytest.mark.filterwarnings("ignore:X .* feature names")
def test_checks_that_scikit_learn_keeps_for_its_own(name, monkeypatch):
    monkeypatch.setattr(translation, "column", first_column)
    getattr(estimator_checks, name)("OfTables", OfTables(2))


def test_what_it_is():
    model = GaussianMixture1D()
    assert isinstance(model, DensityMixin)
    assert isinstance(model, ClusterMixin)
    assert isinstance(model, TransformerMixin)
    assert model.__sklearn_tags__().estimator_type == "density_estimator"  # as GaussianMixture
    assert model.__sklearn_tags__().input_tags.one_d_array


def test_without_scikit_learn(monkeypatch):
    hide(monkeypatch)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"scikit-learn, .* pip install 'gmm1d\[sklearn\]'"):
        importlib.import_module("gmm1d.estimator")


def test_a_scikit_learn_that_is_too_old(monkeypatch):
    hide(monkeypatch)
    old = types.ModuleType("sklearn")
    old.__version__ = "1.5.2"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sklearn", old)
    with pytest.raises(MissingExtraError, match=r"scikit-learn 1.6 or newer, not 1.5.2"):
        importlib.import_module("gmm1d.estimator")


def hide(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("sklearn.") or name in ("gmm1d.estimator", "gmm1d.translation"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(gmm1d, "estimator")
    monkeypatch.delattr(gmm1d, "translation")


# what goes in

COLUMNS = {
    "vector": X,
    "list": X.tolist(),
    "column": X[:, None],
    "rows": X[:, None].tolist(),
    "Fortran": np.asfortranarray(X[:, None]),
    "strided": np.repeat(X, 2)[::2],
    "pandas Series": pd.Series(X),
    "pandas frame": pd.DataFrame({"x": X}),
    "nullable": pd.DataFrame({"x": pd.array(X, dtype="Float64")}),
    "polars Series": pl.Series("x", X),
    "polars frame": pl.DataFrame({"x": X}),
    "Arrow array": pa.array(X),
    "Arrow table": pa.table({"x": X}),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_vector_or_one_column_of_any_kind(kind):
    model = GaussianMixture1D(2).fit(COLUMNS[kind])
    assert model.mixture_ == gmm1d.fit(X, 2).mixture
    assert model.n_features_in_ == 1
    named = ["x"] if "frame" in kind or "table" in kind or kind == "nullable" else []
    assert list(getattr(model, "feature_names_in_", [])) == named
    np.testing.assert_array_equal(model.predict(COLUMNS[kind]), model.mixture_.predict(X))
    np.testing.assert_array_equal(model.labels_, model.mixture_.predict(X))


def test_types_are_read_as_they_are():
    whole = np.round(10 * X).astype(np.int32)
    assert GaussianMixture1D(2).fit(whole).mixture_ == gmm1d.fit(whole, 2).mixture
    single = X.astype(np.float32)
    assert GaussianMixture1D(2).fit(single[:, None]).mixture_ == gmm1d.fit(single, 2).mixture


def test_names_are_compared_but_a_vector_has_none():
    model = GaussianMixture1D(2).fit(pd.DataFrame({"x": X}))
    model.predict(pd.Series(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(pd.DataFrame({"y": X}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X[:, None])
    assert not hasattr(model.fit(X), "feature_names_in_")


def test_samples_and_sketches():
    sketch = gmm1d.Sketch()
    sketch.add(X)
    model = GaussianMixture1D(2).fit(sketch)
    assert model.mixture_ == gmm1d.fit(sketch, 2).mixture
    assert model.n_features_in_ == 1
    assert not hasattr(model, "labels_")
    with pytest.raises(InputError, match="has its own weights"):
        model.fit(sketch, sample_weight=np.ones(X.size))


BAD = {
    "two columns": (X.reshape(-1, 2), InputError, r"X with 2 columns .* takes one, choose it"),
    "one row": (X[None], ValueError, "1 sample"),
    "three dimensions": (X[:, None, None], ValueError, "dim 3"),
    "nothing": ([], ValueError, "0 sample"),
    "a number": (3.0, TypeError, "scalar"),
    "text": (["a", "b"], ValueError, "numeric"),
    "None": ([1.0, None, 2.0], InputError, r"missing value \(None\) at index 1"),
    "NaN": ([1.0, np.nan, 2.0], InputError, "NaN at index 1"),
    "infinity": ([1.0, 2.0, -np.inf], InputError, "-infinity at index 2"),
    "truth": ([True, False], InputError, "true and false"),
    "constant": ([3.0, 3.0, 3.0], InputError, "all values equal 3"),
    "few values": ([1.0, 2.0, 2.0], InputError, "more than there are distinct values"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_data_is_one_clear_error(what):
    data, error, sentence = BAD[what]
    with pytest.raises(error, match=sentence):
        GaussianMixture1D(3).fit(data)
    model = GaussianMixture1D(2).fit(X)
    if what in ("one row", "constant", "few values"):
        return  # too few to fit, or no column for gmm1d
    for method in ("predict", "predict_proba", "transform", "score_samples", "score", "bic"):
        with pytest.raises(error, match=sentence):
            getattr(model, method)(data)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"n_components": "three"}, "a whole number or \"auto\", not 'three'"),
        ({"n_components": 0}, "from 1 on, not 0"),
        ({"n_components": 2.5}, "from 1 on, not 2.5"),
        ({"covariance_type": ["full"]}, "unknown: use one of full, tied"),
        ({"covariance_type": "round"}, "'round' is unknown: use one of full, tied"),
        ({"tol": -1}, "tol must be a finite number, zero or more, not -1"),
        ({"tol": "fine"}, "not 'fine'"),
        ({"max_iter": -1}, "max_iter must be"),
        ({"means_init": [1.0]}, "means_init has 1 entries, but there are 2"),
        ({"precisions_init": [1.0, 0.0]}, "precisions_init holds 0"),
        ({"weights_init": [1.0, 1.0]}, "weights have the sum 2"),
        ({"n_components": "auto", "means_init": [1.0]}, "means_init is for one number"),
        ({"n_components": "auto", "criterion": "mdl"}, "criterion='mdl' is unknown"),
        ({"n_components": "auto", "max_components": 0}, "max_components must be"),
    ],
)
def test_bad_parameters_are_one_clear_error(parameters, sentence):
    model = GaussianMixture1D(**{"n_components": 2, **parameters})
    with pytest.raises(InputError, match=sentence):
        model.fit(X)
    assert not hasattr(model, "fit_")


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (np.ones(3), "3 values for 300 points"),
        (-np.ones(300), "negative"),
        (np.zeros(300), "zero|no values of positive weight"),
        (np.full(300, np.nan), "missing|not finite"),
        (np.ones((300, 2)), "2 columns"),
    ],
)
def test_bad_weights_are_one_clear_error(weights, sentence):
    with pytest.raises(InputError, match=sentence):
        GaussianMixture1D(2).fit(X, sample_weight=weights)
    with pytest.raises(InputError, match=sentence):
        GaussianMixture1D(2).fit(X).score(X, sample_weight=weights)


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "transform", "score", "score_samples", "bic", "aic"]
)
def test_nothing_before_fit(method):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(GaussianMixture1D(), method)(X)
    for name in ("labels_", "mixture_", "means_"):
        assert not hasattr(GaussianMixture1D(), name)
    with pytest.raises(NotFittedError):
        GaussianMixture1D().sample()


# what comes out: gmm1d's own, in the shapes and with the meaning of scikit-learn's


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_the_attributes_of_scikit_learn_from_the_same_start(covariance_type):
    start = {"means_init": [[8.0], [0.0]], "weights_init": [0.4, 0.6]}
    start["precisions_init"] = {
        "full": [[[0.5]], [[0.5]]],
        "tied": [[0.5]],
        "diag": [[0.5], [0.5]],
        "spherical": [0.5, 0.5],
    }[covariance_type]
    given = {"n_components": 2, "covariance_type": covariance_type, **start}
    theirs = GaussianMixture(**given, tol=1e-14, max_iter=10_000, reg_covar=0).fit(X[:, None])
    ours = GaussianMixture1D(**given).fit(X)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        wanted, got = getattr(theirs, name), getattr(ours, name)
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)
        assert not got.flags.writeable
    new = np.linspace(-5, 15, 101)[:, None]
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new))
    for method in ("predict_proba", "score_samples", "score", "bic", "aic"):
        wanted, got = getattr(theirs, method)(new), getattr(ours, method)(new)
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)
    assert ours.converged_
    assert ours.n_iter_ == len(ours.lower_bounds_) > 0
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-10)
    assert ours.score(X) == pytest.approx(ours.lower_bound_, rel=1e-13)
    assert set(vars(theirs)) - set(vars(ours)) == set()


def test_it_is_the_fit_of_gmm1d_to_the_bit():
    found = gmm1d.fit(X, 2)
    model = GaussianMixture1D(2).fit(X)
    assert model.mixture_ == found.mixture == model.fit_.mixture
    np.testing.assert_array_equal(model.predict_proba(X), found.mixture.responsibilities(X))
    np.testing.assert_array_equal(model.transform(X), model.predict_proba(X))
    np.testing.assert_array_equal(model.score_samples(X), found.mixture.logpdf(X))
    np.testing.assert_array_equal(model.fit_predict(X), found.mixture.predict(X))
    assert model.bic(X) == pytest.approx(found.bic, rel=1e-12)
    assert model.aic(X) == pytest.approx(found.aic, rel=1e-12)
    assert np.all(np.diff(model.means_.ravel()) > 0)


def test_equal_variances_are_counted_once():
    model = GaussianMixture1D(2, covariance_type="tied").fit(X)
    assert model.mixture_ == gmm1d.fit(X, 2, equal_variances=True).mixture
    assert model.fit_.n_parameters == 4
    assert model.bic(X) == pytest.approx(model.fit_.bic, rel=1e-12)


def test_labels_of_an_explicit_start_are_kept():
    model = GaussianMixture1D(2, means_init=[8, 0], max_iter=50).fit(X)
    assert model.means_[0, 0] > model.means_[1, 0]
    assert model.predict([0.0, 8.0]).tolist() == [1, 0]
    assert model.predict_proba([0.0])[0, 1] > 0.99
    values, labels = model.sample(500)
    assert adjusted_rand_score(labels, model.predict(values)) > 0.95
    assert values[labels == 0].mean() > values[labels == 1].mean()


def test_what_a_start_leaves_open_is_filled_in_its_order():
    full = GaussianMixture1D(2).fit(X)
    for given in (
        {"means_init": [8, 0]},
        {"means_init": [8, 0], "precisions_init": [0.5, 1.0]},
        {"weights_init": [0.5, 0.5]},
        {"precisions_init": [[1.0]], "covariance_type": "tied"},
    ):
        model = GaussianMixture1D(2, **given, max_iter=0).fit(X)
        order = np.argsort(model.means_.ravel())
        near = model.means_.ravel()[order]
        np.testing.assert_allclose(near, full.means_.ravel(), atol=1.0)
        if "means_init" in given:
            np.testing.assert_array_equal(model.means_.ravel(), [8, 0])
            assert model.weights_[0] < model.weights_[1]  # those of the values near 8


def test_a_start_may_run_into_a_spike():
    with pytest.raises(CollapseError, match="spike"):
        GaussianMixture1D(2, means_init=[0, 5], precisions_init=[1, 1e6]).fit(
            [-1.0, -0.5, 0.0, 0.3, 1.0, 5.0]
        )


def test_max_iter_zero_returns_the_start_without_a_warning():
    start = {"means_init": [8, 0], "weights_init": [0.4, 0.6], "precisions_init": [0.25, 1]}
    model = GaussianMixture1D(2, **start, max_iter=0).fit(X)
    np.testing.assert_array_equal(model.weights_, [0.4, 0.6])
    np.testing.assert_array_equal(model.covariances_.ravel(), [4, 1])
    assert not model.converged_
    assert model.n_iter_ == 0


def test_warm_start_goes_on_from_the_last_fit():
    start = {"means_init": [8, 0], "warm_start": True}
    model = GaussianMixture1D(2, **start, max_iter=1, tol=0)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        first = model.fit(X).lower_bound_
    model.set_params(max_iter=None, tol=None).fit(X)
    assert model.lower_bound_ > first
    assert model.fit_.start == "given"
    assert model.means_[0, 0] > model.means_[1, 0]
    there = model.lower_bound_
    np.testing.assert_allclose(model.fit(X).lower_bounds_, there, rtol=1e-12)  # from the first step
    assert model.set_params(n_components=1, means_init=None).fit(X).n_components_ == 1


def test_tol_is_of_the_mean_log_likelihood():
    loose = GaussianMixture1D(2, tol=1e-3, means_init=[9, 1]).fit(X)
    assert loose.fit_.status is gmm1d.Ending.TOLERANCE
    assert loose.converged_
    change = np.abs(np.diff(loose.lower_bounds_))
    assert change[-1] < 1e-3
    assert np.all(change[:-1] >= 1e-3)
    tight = gmm1d.fit(X, 2, start={"means": [9, 1], "stds": [1, 1]}, tol=0.3)
    assert tight.trace is not None
    assert np.abs(np.diff(tight.trace.log_likelihood))[-1] < 1e-3 * X.size


@pytest.mark.parametrize("ending", ["PENALISED", "FLAT"])
def test_what_did_not_converge_warns_in_the_terms_of_scikit_learn(ending):
    """But not of a k that is more than the data support: every table of criteria has one."""
    data = [0.0] * 30 + [1.0, 1.5, 2.0] if ending == "PENALISED" else [0.0, 1.0, 2.0]
    model = GaussianMixture1D(2, covariance_type="full" if ending == "PENALISED" else "tied")
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(data)
    assert issubclass(caught[0].category, FitWarning)
    assert caught[0].filename == __file__
    assert not model.converged_
    with pytest.warns(FitWarning) as own:
        found = gmm1d.fit(data, 2, equal_variances=ending == "FLAT")
    assert str(caught[0].message) == str(own[0].message)
    assert model.fit_.status is found.status
    too_many = GaussianMixture1D(5).fit(np.random.default_rng(3).normal(size=50))
    assert (too_many.fit_.reason, too_many.converged_) == ("support", True)


def test_an_interrupt_is_not_swallowed(monkeypatch):
    def interrupted(*args: Any, **options: Any) -> gmm1d.Fit:
        found = gmm1d.fit(*args, **options)
        object.__setattr__(found, "status", gmm1d.Ending.INTERRUPTED)
        return found

    monkeypatch.setattr(translation, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        GaussianMixture1D(2).fit(X)


# the choice of a number


@pytest.mark.parametrize("criterion", ["bic", "aic", "icl"])
def test_auto_is_the_choice_of_compare(criterion):
    model = GaussianMixture1D("auto", max_components=4, criterion=criterion).fit(X)
    wanted = gmm1d.compare(X, range(1, 5), criterion=criterion)
    assert model.n_components_ == wanted.k
    assert model.mixture_ == wanted.best.mixture
    assert model.comparison_.reason == wanted.reason
    assert model.comparison_.family == wanted.family
    assert model.transform(X).shape == (X.size, wanted.k)
    assert not hasattr(model.set_params(n_components=2).fit(X), "comparison_")


def test_auto_keeps_to_what_the_data_allow():
    model = GaussianMixture1D("auto").fit([1.0, 1.0, 2.0, 3.0])
    assert max(model.comparison_) == 3
    with pytest.raises(InputError, match="all values equal 2"):
        GaussianMixture1D("auto").fit([2.0, 2.0])


def test_auto_under_equal_variances_and_weights():
    w = np.where(X > 4, 2.0, 1.0)
    model = GaussianMixture1D("auto", max_components=3, covariance_type="tied")
    model.fit(X, sample_weight=w)
    wanted = gmm1d.compare(X, range(1, 4), equal_variances=True, sample_weight=w)
    assert model.mixture_ == wanted.best.mixture
    assert model.covariances_.shape == (1, 1)
    assert model.comparison_.families == ("equal",)


@pytest.mark.parametrize(
    ("kind", "shape"), [("full", (2, 1, 1)), ("diag", (2, 1)), ("spherical", (2,))]
)
def test_auto_may_choose_equal_variances_whatever_the_shape(kind, shape):
    x = np.concatenate([np.random.default_rng(1).normal(mean, 1, 150) for mean in (0, 6)])
    model = GaussianMixture1D("auto", max_components=3, covariance_type=kind).fit(x)
    assert (model.n_components_, model.comparison_.family) == (2, "equal")
    assert model.covariances_.shape == shape
    assert len(set(model.covariances_.ravel())) == 1
    assert model.fit_.n_parameters == 4
    assert model.bic(x) == pytest.approx(model.fit_.bic, rel=1e-12)


# laws


def test_a_whole_weight_is_a_repeated_point():
    w = np.random.default_rng(3).integers(0, 4, X.size)
    weighted = GaussianMixture1D(2).fit(X, sample_weight=w)
    repeated = GaussianMixture1D(2).fit(np.repeat(X, w))
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-9)
    np.testing.assert_allclose(weighted.covariances_, repeated.covariances_, rtol=1e-9)
    np.testing.assert_allclose(weighted.weights_, repeated.weights_, rtol=1e-9)
    assert weighted.labels_.shape == X.shape  # those without weight have a label, too
    assert weighted.score(X, sample_weight=w) == pytest.approx(
        repeated.score(np.repeat(X, w)), rel=1e-12
    )
    assert weighted.bic(X, sample_weight=w) == pytest.approx(repeated.fit_.bic, rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [(1e-3, 5.0), (-7.0, 1e4), (2.0**200, 0.0), (1e-120, 0.0)])
def test_any_unit(a, b):
    y = a * X + b
    plain, moved = GaussianMixture1D(2).fit((y - b) / a), GaussianMixture1D(2).fit(y)
    turn = slice(None, None, -1 if a < 0 else 1)
    stds = np.sqrt(moved.covariances_.ravel())
    np.testing.assert_allclose(moved.weights_, plain.weights_[turn], rtol=1e-9)
    apart = (moved.means_ - (a * plain.means_[turn] + b)).ravel() / stds
    np.testing.assert_allclose(apart, 0, atol=1e-9)
    np.testing.assert_allclose(stds, abs(a) * np.sqrt(plain.covariances_.ravel()[turn]), rtol=1e-9)
    assert moved.score(y) == pytest.approx(plain.score((y - b) / a) - np.log(abs(a)), rel=1e-11)


def test_sampling_is_drawn_from_the_mixture_and_repeatable():
    model = GaussianMixture1D(2).fit(X)
    values, labels = model.sample(20_000)
    assert values.shape == (20_000, 1)
    assert np.all(np.diff(labels) >= 0)
    for j in range(2):
        own = values[labels == j, 0]
        assert own.size / 20_000 == pytest.approx(model.weights_[j], abs=0.01)
        assert own.mean() == pytest.approx(model.means_[j, 0], abs=0.1)
        assert own.var() == pytest.approx(model.covariances_[j, 0, 0], rel=0.05)
    state = np.random.get_state()[1].copy()  # noqa: NPY002  # which must not be touched
    np.testing.assert_array_equal(model.sample(10)[0], model.sample(10)[0])
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002
    assert model.sample()[0].shape == (1, 1)


@pytest.mark.parametrize("state", [np.random.default_rng(1), np.random.RandomState(1)])
def test_sampling_goes_on_where_a_generator_is(state):
    model = GaussianMixture1D(2, random_state=state).fit(X)
    assert not np.array_equal(model.sample(10)[0], model.sample(10)[0])


@pytest.mark.parametrize(
    ("n", "state", "sentence"), [(0, None, "n_samples"), (1.5, None, "n_samples"), (1, "x", "rng")]
)
def test_bad_samples(n, state, sentence):
    with pytest.raises(InputError, match=sentence):
        GaussianMixture1D(2, random_state=state).fit(X).sample(n)


# at home in scikit-learn


def test_a_column_in_a_pipeline():
    frame = pd.DataFrame({"size": X, "other": 1.0})
    pick = ColumnTransformer([("mix", GaussianMixture1D(2), ["size"])], remainder="passthrough")
    out = Pipeline([("pick", pick)]).set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == [
        "mix__gaussianmixture1d0",
        "mix__gaussianmixture1d1",
        "remainder__other",
    ]
    vector = ColumnTransformer([("mix", GaussianMixture1D(2), "size")]).fit(frame)
    np.testing.assert_array_equal(vector.transform(frame), out.to_numpy()[:, :2])


def test_a_pipeline_predicts_and_scores():
    line = make_pipeline(StandardScaler(), GaussianMixture1D(2))
    labels = line.fit_predict(X[:, None])
    np.testing.assert_array_equal(labels, GaussianMixture1D(2).fit_predict(X))
    shift = np.log(X.std())
    assert line.score(X[:, None]) - shift == pytest.approx(GaussianMixture1D(2).fit(X).score(X))
    w = np.where(X > 4, 2.0, 1.0)
    line.fit(X[:, None], gaussianmixture1d__sample_weight=w)
    assert line[-1].fit_.n == w.sum()


def test_a_search_over_the_number_of_components():
    data = np.random.default_rng(0).permutation(X)
    grid = {"n_components": [1, 2], "covariance_type": ["full", "tied"]}
    found = GridSearchCV(GaussianMixture1D(), grid, cv=3).fit(data)
    assert found.best_params_ == {"n_components": 2, "covariance_type": "full"}
    assert found.best_estimator_.mixture_ == gmm1d.fit(data, 2).mixture
    assert found.score(data) == found.best_estimator_.score(data)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_output_in_a_frame(library):
    frame = COLUMNS[f"{library} frame"]
    out = GaussianMixture1D(2).set_output(transform=library).fit_transform(frame)
    assert isinstance(out, type(frame))
    assert list(out.columns) == ["gaussianmixture1d0", "gaussianmixture1d1"]


def test_metadata_is_routed():
    w = np.where(X > 4, 2.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = GaussianMixture1D(2).set_fit_request(sample_weight=True)
        line = make_pipeline(StandardScaler(), model.set_score_request(sample_weight=True))
        line[0].set_fit_request(sample_weight=False)
        line.fit(X[:, None], sample_weight=w)
        assert line[-1].fit_.n == w.sum()
        search = GridSearchCV(model, {"n_components": [1, 2]}, cv=2)
        search.fit(np.random.default_rng(0).permutation(X), sample_weight=w)
        assert search.best_estimator_.fit_.n == w.sum()
        quiet = clone(model).set_fit_request(sample_weight=False)
        assert GridSearchCV(quiet, {"n_components": [2]}).fit(X).best_estimator_.fit_.n == X.size


def test_parameters_are_kept_and_cloned():
    parameters = GaussianMixture1D().get_params()
    for theirs in (GaussianMixture(), BayesianGaussianMixture()):
        given = theirs.get_params()
        assert set(given) <= set(parameters)
        changed = {
            name for name, value in given.items() if value != parameters[name]
        }  # whose defaults would stop early
        assert changed == {"tol", "max_iter"}
        assert GaussianMixture1D(**given).get_params().items() >= given.items()
    twin = clone(GaussianMixture1D(2, means_init=[8, 0]).fit(X))
    assert twin.means_init == [8, 0]
    assert not hasattr(twin, "fit_")
    assert GaussianMixture1D().set_params(n_components=2).n_components == 2
    assert repr(GaussianMixture1D(2, tol=1e-3)) == "GaussianMixture1D(n_components=2, tol=0.001)"


@pytest.mark.parametrize("again", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_a_pickle_predicts_the_same_without_the_data(again):
    model = GaussianMixture1D("auto", max_components=3).fit(X)
    twin = again(model)
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    assert twin.fit_.sample is None
    assert twin.fit_.status is model.fit_.status
    assert twin.comparison_.reason == model.comparison_.reason
    assert twin.comparison_.table() == model.comparison_.table()
    assert all(f.sample is None for f in twin.comparison_.candidates.fits.values())
    assert len(pickle.dumps(GaussianMixture1D(2).fit(np.tile(X, 100)))) < X.nbytes * 2
    with pytest.raises(AttributeError, match="use predict"):
        twin.labels_  # noqa: B018  # reading it is the test
    assert model.labels_.shape == X.shape
    assert again(model).labels_.shape == X.shape  # they are data of the fit once they are there


def test_the_page_shows_it_and_computes_no_labels():
    model = GaussianMixture1D(2).fit(X)
    assert "GaussianMixture1D" in model._repr_html_()
    assert "labels_" not in vars(model)
    model.fit_predict(X)
    model.fit(X[:200])
    assert model.labels_.shape == (200,)


# code written for scikit-learn's mixtures on one column


def normalise(mixture: type, data: Array) -> Array:
    """Split a column into a component and a value within, as tabular synthesisers do."""
    model = mixture(
        n_components=3,
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
        n_init=1,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data.reshape(-1, 1))
    valid = model.weights_ > 0.005
    means = model.means_.reshape((1, 3))[:, valid]
    stds = np.sqrt(model.covariances_).reshape((1, 3))[:, valid]
    within = (data.reshape(-1, 1) - means) / (4 * stds)
    chosen = model.predict_proba(data.reshape(-1, 1))[:, valid].argmax(axis=1)
    rows = np.arange(data.size)
    kept = np.clip(within[rows, chosen], -0.99, 0.99)
    return np.asarray(kept * 4 * stds[0, chosen] + means[0, chosen])


def threshold(mixture: type, data: Array) -> float:
    """Find where the upper of two groups begins, as thresholding of expression and of images does."""
    model = mixture(2, covariance_type="full", random_state=0, n_init=5, max_iter=200, tol=1e-6)
    labels = model.fit(data[:, np.newaxis]).predict(data[:, np.newaxis])
    upper = int(np.argmax(model.means_.ravel()))
    return float(data[labels == upper].min())


def best_by_bic(mixture: type, data: Array) -> int:
    """Choose the number of components, as in every tutorial."""
    models = [mixture(k, random_state=0).fit(data.reshape(-1, 1)) for k in range(1, 4)]
    return 1 + int(np.argmin([model.bic(data.reshape(-1, 1)) for model in models]))


@pytest.mark.parametrize("data", [X, 1e-4 * X + 1], ids=["near one", "a small unit"])
def test_the_class_is_swapped(data):
    np.testing.assert_allclose(normalise(GaussianMixture1D, data), data, rtol=1e-9)
    np.testing.assert_allclose(normalise(BayesianGaussianMixture, X), X, rtol=1e-9)
    assert best_by_bic(GaussianMixture1D, data) == 2 == best_by_bic(GaussianMixture, X)
    found = (threshold(GaussianMixture1D, data) - data[0]) / (data[1] - data[0])
    assert found == pytest.approx((threshold(GaussianMixture, X) - X[0]) / (X[1] - X[0]), rel=1e-9)
