"""Every adversarial array and argument, checked against what a user expects of `fit`.

The cases in data/array_cases.json are Python expressions of np, pd, ma, rng, nan and inf; their
keywords are scikit-learn's: means_init, weights_init and precisions_init belong to our `start`.
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gmm1d
from gmm1d import Ending
from gmm1d.errors import FitWarning, InputError, ScaleError

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "data" / "array_cases.json").read_text())
}
SCOPE = {
    "np": np,
    "pd": pd,
    "ma": np.ma,
    "rng": np.random.default_rng,
    "inf": np.inf,
    "nan": np.nan,
}
TWO_GROUPS = "np.concatenate([rng(0).normal(0,1,100), rng(1).normal(6,1,100)])"
NEGATIVE_ZERO = re.compile(r"(?<![\w.])-0(\.0*)?(?![.\d])")


def evaluate(expression):
    """Evaluate one of the collection's expressions."""
    return eval(expression, dict(SCOPE))


def words(given, x):
    """Translate scikit-learn's keywords into those of `fit`; what is not given is harmless."""
    given = {name: evaluate(value) for name, value in given.items()}
    options = {name: given[name] for name in ("tol", "max_iter") if name in given}
    if any(name.endswith("_init") for name in given):
        means = np.ravel(given.get("means_init", np.quantile(x, [0.25, 0.75])))
        precisions = given.get("precisions_init")
        stds = np.std(x) if precisions is None else 1 / np.sqrt(np.ravel(precisions))
        weights = given.get("weights_init", np.full(means.size, 1 / means.size))
        stds = np.broadcast_to(stds, means.shape)
        options["start"] = {"weights": weights, "means": means, "stds": stds}
    return options


def arguments(name):
    """Return the data, k and options of a case."""
    case = CASES[name]
    x, k = evaluate(case["x"]), case["k"]
    if isinstance(k, str) and k.startswith("np."):
        k = evaluate(k)
    return x, k, words(case["kwargs"], x)


def quietly(x, k, **options):
    """Fit, and return the fit with the sentences of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = gmm1d.fit(x, k, **options)
    assert {warning.category for warning in caught} <= {FitWarning}
    return fit, [str(warning.message) for warning in caught]


def finite(fit):
    """Check that nothing in a fit is NaN or infinite."""
    m = fit.mixture
    assert np.isfinite([fit.log_likelihood, *m.weights, *m.means, *m.stds]).all()
    assert np.isfinite(fit.trace.log_likelihood).all()
    assert np.all(m.stds > 0)


def same_bits(one, other):
    """Check that two fits are the same to the last bit."""
    assert one.log_likelihood == other.log_likelihood
    assert one.mixture == other.mixture
    assert one.status is other.status


def near(fit, weights, means, stds, rel=1e-9):
    """Check parameters, means in units of the standard deviations."""
    m = fit.mixture
    np.testing.assert_allclose(m.weights, weights, rtol=rel)
    assert np.all(abs(m.means - means) <= rel * np.asarray(stds))
    np.testing.assert_allclose(m.stds, stds, rtol=rel)


def refuses(sentence, error=InputError):
    """Expect an error of exactly this type, whose sentence has these words."""

    def check(x, k, options):
        with pytest.raises(error, match=re.escape(sentence)) as caught:
            gmm1d.fit(x, k, **options)
        assert type(caught.value) is error
        assert "\n" not in str(caught.value)

    return check


def closed_form(x, k, options):
    """One Gaussian: mean, standard deviation and log-likelihood are formulas."""
    fit = gmm1d.fit(x, k, **options)
    points = np.asarray(x, np.float64)
    deviations = points - points[0]  # exact: no mean of whole numbers beyond 2**53 is
    mean, variance = points[0] + np.mean(deviations), np.var(deviations)
    assert fit.status is Ending.CONVERGED
    assert fit.mixture.means[0] == pytest.approx(mean, rel=1e-15)
    assert fit.mixture.stds[0] == pytest.approx(np.sqrt(variance), rel=1e-13)
    expected = -0.5 * points.size * (np.log(2 * np.pi * variance) + 1)
    assert fit.log_likelihood == pytest.approx(expected, rel=1e-13)


def two_points(x, k, options):
    closed_form(x, k, options)
    fit = gmm1d.fit(x, k)
    assert (fit.mixture.means[0], fit.mixture.variances[0]) == (2, 1)
    assert fit.log_likelihood == pytest.approx(-2.8378770664093453, rel=1e-15)


def two_values(x, k, options):
    closed_form(x, k, options)
    assert gmm1d.fit(x, k).mixture.means.tolist() == [0.5]
    assert gmm1d.fit(x, k).mixture.variances[0] == pytest.approx(0.25, rel=1e-15)


def unbounded(x, k, options):
    """There is no maximum of the likelihood with as many components, and that is said."""
    fit, said = quietly(x, k, **options)
    finite(fit)
    assert fit.status is Ending.PENALISED
    assert len(said) == 1
    assert "no maximum of the likelihood" in said[0]
    assert "no maximum of the likelihood" in fit.summary()


def spike_is_named(x, k, options):
    fit, said = quietly(x, k, **options)
    finite(fit)
    assert fit.status is Ending.PENALISED
    assert any(re.search(r"\b0, 900 of 1000\b", note) for note in fit.notes)
    assert "900 of 1000" in said[0]
    assert "900 of 1000" in fit.summary()
    assert fit.mixture.stds[0] != pytest.approx(1e-3, rel=0.1)  # scikit-learn's floor


def outlier_is_named(x, k, options):
    fit, said = quietly(x, k, **options)
    finite(fit)
    assert fit.mixture.means[-1] == pytest.approx(1e6, rel=1e-4)
    assert 1 < fit.mixture.weights[-1] * fit.n < 2
    assert any("component 2 (mean 999994" in note and "penalty alone" in note for note in fit.notes)
    assert len(said) == 1


def like_the_two_groups(a=1.0, b=0.0, rel=1e-9):
    """Expect the fit of the two groups, moved to a x + b."""

    def check(x, k, options):
        fit = gmm1d.fit(x, k, **options)
        expected = gmm1d.fit(evaluate(TWO_GROUPS), k)
        assert fit.status is Ending.CONVERGED
        m = expected.mixture
        near(fit, m.weights, a * m.means + b, a * m.stds, rel)
        shifted = expected.log_likelihood - fit.n * np.log(a)
        assert fit.log_likelihood == pytest.approx(shifted, abs=rel * fit.n)

    return check


def like_float64(x, k, options):
    """Expect the bits of the fit of the same numbers as a list of Python floats."""
    before = np.array(x, copy=True)
    fit, said = quietly(x, k, **options)
    expected, said_too = quietly([float(value) for value in x], k, **options)
    finite(fit)
    same_bits(fit, expected)
    assert said == said_too
    np.testing.assert_array_equal(np.asarray(x), before)


def int8_does_not_wrap(x, k, options):
    like_float64(x, k, options)
    fit, _ = quietly(x, k)
    assert fit.mixture.mean() == pytest.approx(np.mean(x, dtype=float), rel=1e-6)


def float16_does_not_overflow(x, k, options):
    like_float64(x, k, options)
    fit, _ = quietly(x, k)
    np.testing.assert_allclose(fit.mixture.means, [150, 60496], rtol=1e-3)


def float32_is_widened(x, k, options):
    like_float64(x, k, options)
    fit = gmm1d.fit(x, k)
    assert fit.status is Ending.CONVERGED
    np.testing.assert_allclose(fit.mixture.means - 1e6, [0.0938, 5.9367], atol=0.05)


def no_sign_of_zero(x, k, options):
    fit, _ = quietly(x, k, **options)
    finite(fit)
    assert fit.status is Ending.PENALISED
    assert any("it sits on 0, 40 of 70" in note for note in fit.notes)
    for text in (fit.summary(), repr(fit), fit.mixture.formula(), fit._repr_html_(), *fit.notes):
        assert not NEGATIVE_ZERO.search(text)
    assert not gmm1d.Sample.of(x).has_distinct(5)


def like_an_int(x, k, options):
    same_bits(gmm1d.fit(x, k, **options), gmm1d.fit(x, 2))


def returns_the_start(x, k, options):
    """That of the search is its end, which may be a maximum."""
    fit, said = quietly(x, k, **options)
    finite(fit)
    assert fit.status in (Ending.MAX_ITER, Ending.CONVERGED)
    assert (fit.n_iter, len(fit.trace)) == (0, 1)
    assert len(said) == (fit.status is Ending.MAX_ITER)
    np.testing.assert_array_equal(fit.mixture.means, fit.trace.means[0][fit.order])
    explicit = {"weights": [0.3, 0.7], "means": [6.0, 0.0], "stds": [1, 2]}
    fit, said = quietly(x, k, start=explicit, **options)
    assert (fit.status, len(said)) == (Ending.MAX_ITER, 1)
    near(fit, [0.7, 0.3], [0, 6], [2, 1], rel=1e-15)


def warns_once(x, k, options):
    fit, said = quietly(x, k, start="quantile", **options)
    finite(fit)
    assert fit.status is Ending.MAX_ITER
    assert fit.n_iter == 1
    assert len(said) == 1
    assert said[0].startswith(str(Ending.MAX_ITER))


def needs_no_seed(x, k, options):
    """Nothing in a fit is random unless random starts are asked for, with a generator or a seed."""
    refuses("rng='abc': hand in a seed such as rng=1")(x, k, {**options, "rng": "abc"})
    refuses("n_random needs rng")(x, k, {**options, "n_random": 3})
    same_bits(gmm1d.fit(x, k), gmm1d.fit(x, k))


def survives_a_start_far_away(x, k, options):
    fit, said = quietly(x, k, **options)
    finite(fit)
    assert fit.status is Ending.FLAT
    assert len(said) == 1
    assert np.max(fit.mixture.weights) == pytest.approx(
        1, rel=1e-12
    )  # one component gets everything
    assert fit.mixture.mean() == pytest.approx(np.mean(x), rel=1e-9)


def respects_max_iter(x, k, options):
    fit, said = quietly(x, k, start="quantile", method="em", max_iter=50, **options)
    finite(fit)
    assert fit.n_iter == 50
    assert fit.status is Ending.MAX_ITER
    assert len(said) == 1
    fit, said = quietly(x, k, **options)
    finite(fit)
    assert fit.status is Ending.CONVERGED
    assert not said


def narrow_component_is_recovered(x, k, options):
    fit, _ = quietly(x, k, **options)
    finite(fit)
    narrow = np.argmin(fit.mixture.stds)
    assert fit.mixture.stds[narrow] == pytest.approx(np.std(x[:100]), rel=0.1)
    assert fit.mixture.weights[narrow] == pytest.approx(0.5, abs=0.02)
    assert abs(fit.mixture.means[narrow] - np.mean(x[:100])) < 1e-9
    assert fit.mixture.stds[1 - narrow] == pytest.approx(np.std(x[100:]), rel=0.1)
    assert fit.status is Ending.CONVERGED


CHECKS = {
    "nan_one": refuses("NaN at index 200 (1 of 201 values)"),
    "inf_one": refuses("infinity at index 200 (1 of 201 values)"),
    "empty": refuses("no data"),
    "two_points_k1": two_points,
    "three_points_k2_opencv": unbounded,
    "constant_k2": refuses("all values equal 2.5"),
    "two_values_k1": two_values,
    "heavy_duplicates": spike_is_named,
    "one_far_outlier": outlier_is_named,
    "huge_offset_1e8": like_the_two_groups(b=1e8, rel=1e-7),
    "tiny_scale_1e-300": refuses("too small for its square", ScaleError),
    "tiny_scale_1e-3_like_stamps": like_the_two_groups(a=1e-3),
    "huge_scale_1e300": refuses("too far for its square", ScaleError),
    "subnormals": refuses("too small for its square", ScaleError),
    "int64_big": closed_form,  # whole numbers beyond 2**53 are rounded, as the documentation says
    "int8_overflow": int8_does_not_wrap,
    "bool": refuses("true and false values"),
    "float16_large": float16_does_not_overflow,
    "float32_offset": float32_is_widened,
    "complex": refuses("complex numbers"),
    "strings_words": refuses("text ('a') at index 0 (3 of 3 values)"),
    "object_none": refuses("a missing value (None) at index 1 (1 of 4 values)"),
    "datetime64": refuses("dates: convert them to numbers"),
    "masked_all": refuses("no data: all 10 values are missing"),
    "pandas_nullable_na": refuses("NaN at index 1 (1 of 6 values)"),
    "pandas_categorical": like_float64,  # categories stand for their values, as documented
    "dataframe_2col": refuses("2 columns (shape (200, 2)): gmm1d takes one, choose it"),
    "shape_1n": refuses("one row (shape (1, 200)): hand in x.ravel()"),
    "scalar": refuses("a single float: hand in a list, an array or a column"),
    "tuple": like_float64,
    "set": refuses("in a set, which has no order or no repeats"),
    "none": refuses("no data: None was handed in"),
    "negative_zero": no_sign_of_zero,
    "noncontiguous": like_float64,
    "byteswapped": like_float64,
    "k_neg": refuses("k must be a whole number from 1 on, not -1"),
    "k_float_integral": refuses("k must be a whole number from 1 on, not 2.0"),
    "k_str": refuses("k must be a whole number from 1 on, not '2'"),
    "k_np_int": like_an_int,
    "k_eq_n": unbounded,
    "tol_negative": refuses("tol must be a finite number, zero or more, not -0.001"),
    "tol_inf": refuses("tol must be a finite number, zero or more, not inf"),
    "max_iter_0": returns_the_start,
    "max_iter_1": warns_once,
    "seed_bad": needs_no_seed,
    "init_means_nan": refuses("means[0] = nan is not finite"),
    "init_weights_not_sum1": refuses("weights have the sum 1.1, not 1"),
    "init_means_far": survives_a_start_far_away,
    "uniform_grid": respects_max_iter,
    "scale_ratio_1e9": narrow_component_is_recovered,
}


def test_no_case_is_missing():
    assert list(CHECKS) == list(CASES)
    assert len(CASES) == 50


@pytest.mark.parametrize("name", CHECKS)
def test_the_user_gets_what_is_expected(name):
    if name == "seed_bad":
        x, k, options = evaluate(CASES[name]["x"]), CASES[name]["k"], {}
    else:
        x, k, options = arguments(name)
    CHECKS[name](x, k, options)
