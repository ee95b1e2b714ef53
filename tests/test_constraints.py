"""Equal variances and what is fixed: validation, counts, order, exact values, the climb and the search."""

import itertools
import warnings

import numpy as np
import pytest
from equivariance import datasets
from hypothesis import given, settings
from hypothesis import strategies as st

import gmm1d
from gmm1d import textbook
from gmm1d.errors import Ending, FitWarning, InputError

DATA = datasets()
WAITING = DATA["faithful_waiting"]


def quiet(*args, **kwargs):
    """Fit without the warning that every ending but CONVERGED gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"equal_variances": 1}, "equal_variances must be True or False, not 1"),
        ({"fixed": [1, 2]}, "fixed must be a dict of weights, means, stds or variances"),
        ({"fixed": {"sd": [1, 2]}}, "fixed must be a dict of weights, means, stds or variances"),
        ({"fixed": {"means": 3.0}}, "fixed means must be a list of 2 numbers or None, not 3.0"),
        ({"fixed": {"means": "ab"}}, "fixed means must be a list of 2 numbers or None"),
        ({"fixed": {"means": [1]}}, "fixed means has 1 entries, but k is 2"),
        ({"fixed": {"means": [1, 2, 3]}}, "fixed means has 3 entries, but k is 2"),
        ({"fixed": {"means": [1, "x"]}}, r"fixed means\[1\] must be a finite number or None"),
        ({"fixed": {"means": [True, 1]}}, r"fixed means\[0\] must be a finite number"),
        ({"fixed": {"means": [np.nan, 1]}}, r"fixed means\[0\] must be a finite number"),
        ({"fixed": {"stds": [1, 0]}}, r"fixed stds\[1\] must be a positive number or None, not 0"),
        ({"fixed": {"stds": [1, -2]}}, r"fixed stds\[1\] must be a positive number"),
        ({"fixed": {"weights": [0, None]}}, r"fixed weights\[0\] must be a positive number"),
        ({"fixed": {"means": [10**400, None]}}, r"fixed means\[0\] must be a finite number"),
        ({"fixed": {"stds": [10**5000, None]}}, r"fixed stds\[0\] must be a positive number"),
        ({"fixed": {"means": [[1, 2], [3, 4]]}}, r"fixed means\[0\] must be a finite number"),
        ({"fixed": {"means": np.eye(2)}}, r"fixed means\[0\] must be a finite number"),
        ({"fixed": {"means": {1, 2}}}, "fixed means must be a list of 2 numbers or None"),
        ({"fixed": np.eye(2)}, "fixed must be a dict"),
        ({"fixed": {"weights": [1e-300, None]}}, r"weights\[0\] = 1e-300 cannot be told from 0"),
        ({"fixed": {"weights": [1 - 2**-53, None]}}, "leaves nothing for the free ones"),
        ({"fixed": {"weights": [1, None]}}, "add up to 1, which leaves nothing for the free ones"),
        ({"fixed": {"weights": [0.6, 0.3]}}, "add up to 0.9, not to 1"),
        ({"fixed": {"stds": [1, 1], "variances": [1, 1]}}, "has both stds and variances"),
        (
            {"fixed": {"stds": [1, None]}, "equal_variances": True},
            "equal_variances=True and fixed stds exclude each other",
        ),
        ({"fixed": {"stds": [1e-80, None]}}, "out of all proportion to component 1 of the fixed"),
        ({"fixed": {"means": [None, 1e300]}}, "out of all proportion to component 2 of the fixed"),
        (
            {"fixed": {"means": [1e300, None]}, "start": "quantile"},
            "out of all proportion to component 1 of the start with what is fixed",
        ),
    ],
)
def test_wrong_constraints_are_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        gmm1d.fit(WAITING, 2, **options)
    assert "\n" not in str(caught.value)


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "options", "count"),
    [
        (3, {}, 8),
        (1, {"equal_variances": True}, 2),
        (3, {"equal_variances": True}, 6),
        (3, {"fixed": {}}, 8),
        (3, {"fixed": {"means": [None, None, None]}}, 8),
        (3, {"fixed": {"means": [None, 60, None]}}, 7),
        (3, {"fixed": {"stds": [None, 5, 6]}}, 6),
        (3, {"fixed": {"variances": [25, None, None]}}, 7),
        (3, {"fixed": {"weights": [0.2, None, None]}}, 7),
        (3, {"fixed": {"weights": [0.2, 0.3, None]}}, 6),  # the last has no choice
        (3, {"fixed": {"weights": [0.2, 0.3, 0.5]}}, 6),
        (3, {"fixed": {"means": [50, 60, 80], "weights": [0.2, 0.3, 0.5]}}, 3),
        (2, {"fixed": {"means": [54, None]}, "equal_variances": True}, 3),
    ],
)
def test_free_parameters_are_counted(k, options, count):
    f = quiet(WAITING, k, **options)
    assert f.n_parameters == count
    assert f.aic == pytest.approx(2 * count - 2 * f.log_likelihood)
    assert f.bic == pytest.approx(count * np.log(272) - 2 * f.log_likelihood)
    assert gmm1d.Fit.from_json(f.to_json()).bic == f.bic


def test_fits_saved_without_counts_have_those_of_no_constraints():
    text = gmm1d.fit(WAITING, 2).to_json()
    assert gmm1d.Fit.from_json(text.replace('"n_parameters"', '"x"')).n_parameters == 5


# --- what is fixed stays --------------------------------------------------------------------------------------------

FIXED = {
    "a mean": {"means": [None, 54.3]},
    "a std": {"stds": [4.7, None]},
    "a variance": {"variances": [None, 31.0]},
    "a weight": {"weights": [0.7, None]},
    "weights": {"weights": [0.7, 0.3]},
    "means": {"means": [79.9, 54.3]},
    "mixed": {"means": [79.9, None], "stds": [None, 6.1], "weights": [2 / 3, None]},
}


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("start", [None, "quantile", {"means": [80, 55], "stds": [6, 6]}])
@pytest.mark.parametrize("method", ["newton", "em"])
def test_what_is_fixed_has_every_bit_of_what_was_asked_for(name, start, method):
    fixed = FIXED[name]
    if start == "quantile" and name not in ("weights", "a weight", "a variance", "a std"):
        fixed = {kind: values[::-1] for kind, values in fixed.items()}  # in the start's order
    f = gmm1d.fit(WAITING, 2, fixed=fixed, start=start, method=method)
    assert f.status is Ending.CONVERGED
    diagonal, rows = np.diag(f.certificate.covariance), {"weights": 0, "means": 1, "stds": 2}
    back = np.argsort(f.order)  # where the caller's components are in the mixture
    for kind, values in fixed.items():
        for j, value in enumerate(values):
            if value is None:
                continue
            asked = np.sqrt(value) if kind == "variances" else value
            row = "stds" if kind == "variances" else kind
            assert getattr(f.mixture, row)[back[j]] == asked
            assert np.all(getattr(f.trace, row)[:, j] == asked)
            assert diagonal[2 * rows[row] + back[j]] == 0
            assert not f.certificate.covariance[2 * rows[row] + back[j]].any()
    assert f.mixture.weights.sum() == pytest.approx(1, rel=1e-15)
    assert np.all(f.order[f.order] == [0, 1])


@pytest.mark.parametrize("name", FIXED)
def test_no_mixture_that_keeps_it_is_better(name):
    """The gradient by the textbook vanishes in what is free, and small moves lead down."""
    fixed = FIXED[name]
    f = gmm1d.fit(WAITING, 2, fixed=fixed)
    k, m = 2, f.mixture
    back = np.argsort(f.order)
    held = {"weights": [], "means": [], "stds": []}
    for kind, values in fixed.items():
        kind = "stds" if kind == "variances" else kind
        held[kind] = [int(back[j]) for j, value in enumerate(values) if value is not None]
    if len(held["weights"]) >= k - 1:
        held["weights"] = [0, 1]

    def value(weights, means, stds):
        return float(textbook.log_likelihood(WAITING, weights, means, stds**2))

    assert value(m.weights, m.means, m.stds) == pytest.approx(f.log_likelihood, rel=1e-13)
    for j, sign in itertools.product(range(k), (-1e-3, 1e-3)):
        step = sign * (np.arange(k) == j)
        if j not in held["weights"]:
            moved = m.weights * np.exp(step)
            assert value(moved / moved.sum(), m.means, m.stds) < f.log_likelihood
        if j not in held["means"]:
            assert value(m.weights, m.means + step * m.stds, m.stds) < f.log_likelihood
        if j not in held["stds"]:
            assert value(m.weights, m.means, m.stds * np.exp(step)) < f.log_likelihood


def test_the_order_of_fixed_is_the_starts():
    """Component 1 of `fixed` is component 1 of the start, wherever its mean is."""
    start = {"means": [80, 55], "stds": [6, 6]}
    f = gmm1d.fit(WAITING, 2, start=start, fixed={"stds": [4.0, None]})
    assert f.order.tolist() == [1, 0]
    assert f.mixture.stds[1] == 4.0
    other = gmm1d.fit(WAITING, 2, start=start, fixed={"stds": [None, 4.0]})
    assert other.mixture.stds[0] == 4.0
    free = gmm1d.fit(WAITING, 2, fixed={"stds": [4.0, None]})
    assert free.log_likelihood >= max(f.log_likelihood, other.log_likelihood) - 1e-9


@given(st.integers(0, 10**6), st.permutations(range(3)))
@settings(max_examples=20)
def test_the_search_does_not_depend_on_the_order_of_fixed(seed, order):
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(mean, 0.5, 60) for mean in (0, 4, 8)])
    fixed = {"means": [None, 4.0, 8.0], "weights": [0.35, None, None]}
    shuffled = {kind: [values[i] for i in order] for kind, values in fixed.items()}
    one, other = quiet(x, 3, fixed=fixed), quiet(x, 3, fixed=shuffled)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-10)
    np.testing.assert_allclose(other.mixture.means, one.mixture.means, rtol=1e-6, atol=1e-6)


def test_everything_fixed_is_evaluated():
    fixed = {"means": [80, 54], "stds": [6, 5], "weights": [0.6, 0.4]}
    f = gmm1d.fit(WAITING, 2, fixed=fixed)
    assert f.status is Ending.CONVERGED
    assert f.n_parameters == 0
    assert f.mixture == gmm1d.Mixture([0.6, 0.4], [80, 54], [6, 5])
    assert not f.certificate.covariance.any()
    assert f.aic == -2 * f.log_likelihood


def test_a_component_of_fixed_std_may_be_as_narrow_as_it_was_made():
    x = np.concatenate([np.zeros(90), np.random.default_rng(0).normal(5, 1, 100)])
    f = gmm1d.fit(x, 2, fixed={"stds": [1e-6, None]})
    assert f.status is Ending.CONVERGED
    assert f.mixture.stds[0] == 1e-6
    assert f.mixture.weights[0] == pytest.approx(90 / 190)


@pytest.mark.parametrize("a", [1e-150, -1.0, 1e3, 1e150])
def test_what_is_fixed_follows_scale_and_shift(a):
    b = 1e3 * abs(a)
    y = a * WAITING + b
    x = (y - b) / a
    fixed = {"means": [55.0, None], "stds": [None, 5.5]}
    moved = {"means": [a * 55.0 + b, None], "stds": [None, abs(a) * 5.5]}
    one, other = gmm1d.fit(x, 2, fixed=fixed), gmm1d.fit(y, 2, fixed=moved)
    turn = slice(None, None, -1 if a < 0 else 1)
    np.testing.assert_allclose(other.mixture.stds, abs(a) * one.mixture.stds[turn], rtol=1e-9)
    apart = np.abs(other.mixture.means - (a * one.mixture.means[turn] + b)) / other.mixture.stds
    assert apart.max() < 1e-9
    expected = one.log_likelihood - one.n * np.log(abs(a))
    assert other.log_likelihood == pytest.approx(expected, rel=1e-12)


# --- equal variances ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [None, "quantile"])
@pytest.mark.parametrize("method", ["newton", "em", "squarem"])
def test_equal_variances_are_equal_to_the_last_bit(start, method):
    options = {"start": start, "method": method}
    f = gmm1d.fit(WAITING, 2, equal_variances=True, **options)
    assert len(set(f.mixture.stds.tolist())) == 1
    assert np.all(f.trace.stds == f.trace.stds[:, :1])
    free = gmm1d.fit(WAITING, 2, **options)
    assert f.log_likelihood < free.log_likelihood


def test_equal_variances_are_the_pooled_ones():
    """At the optimum σ² is the mean of the squared deviations that the responsibilities give."""
    f = gmm1d.fit(WAITING, 2, equal_variances=True)
    m, r = f.mixture, f.mixture.responsibilities(WAITING)
    pooled = np.sum(r * (WAITING[:, None] - m.means) ** 2) / 272
    np.testing.assert_allclose(m.variances, pooled, rtol=1e-9)
    np.testing.assert_allclose(m.weights, r.mean(axis=0), rtol=1e-9)


def test_compare_takes_equal_variances():
    comparison = gmm1d.compare(WAITING, [1, 2, 3], equal_variances=True)
    for k in (1, 2, 3):
        alone = quiet(WAITING, k, equal_variances=True)
        assert comparison[k].to_json() == alone.to_json()
        assert comparison[k].n_parameters == 2 * k
