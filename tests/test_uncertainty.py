"""Standard errors and intervals: against finite differences, the literature and simulations; laws; refusals."""

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from equivariance import CASES, datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

import gmm1d
from gmm1d import textbook
from gmm1d.errors import Ending, FitWarning, InputError, UncertaintyError
from gmm1d.formatting import between, estimate, location
from gmm1d.uncertainty import standard_error

DATA = datasets()
NAMES = ("weights", "means", "stds")
Z = 1.959963984540054  # of 95 %


def quiet(*args, **kwargs):
    """Fit without the warning that every ending but CONVERGED gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def with_covariance(f, covariance):
    return replace(f, certificate=replace(f.certificate, covariance=covariance))


@pytest.fixture(scope="module")
def waiting():
    return gmm1d.fit(DATA["faithful_waiting"], 2)


# --- numbers --------------------------------------------------------------------------------------------------------


def inverse_information(value, at, step):
    """The inverse of minus the Hessian, by central differences."""
    moves = np.diag(step)
    hessian = [
        [
            (value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)) / 4
            for a in moves
        ]
        for b in moves
    ]
    return np.linalg.inv(-np.array(hessian) / np.outer(step, step))


def from_finite_differences(x, m):
    """Standard errors of weights, means and stds from the textbook's log-likelihood alone, at the optimum m."""
    k = m.k
    at = np.concatenate([m.weights[:-1], m.means, m.stds])
    step = 1e-4 * np.concatenate([m.weights[:-1], m.stds, m.stds])

    def value(parameters):
        weights, means, stds = (
            parameters[: k - 1],
            parameters[k - 1 : 2 * k - 1],
            parameters[2 * k - 1 :],
        )
        return float(
            textbook.log_likelihood(x, np.append(weights, 1 - weights.sum()), means, stds**2)
        )

    covariance = inverse_information(value, at, step)
    last = covariance[: k - 1, : k - 1].sum()
    weights, rest = np.split(np.sqrt(np.diag(covariance)), [k - 1])
    return np.append(weights, np.sqrt(last)), *np.split(rest, 2)


@pytest.mark.parametrize(
    ("name", "k"),
    [
        ("faithful_waiting", 2),
        ("faithful_waiting", 3),
        ("iris_petal_length", 2),
        ("galaxies_rg1997", 4),
        ("snapper_bayesmix_fish", 4),
    ],
)
def test_errors_are_those_of_a_finite_difference_hessian(name, k):
    f = gmm1d.fit(DATA[name], k)
    errors = f.standard_errors()
    for own, known in zip(NAMES, from_finite_differences(DATA[name], f.mixture), strict=True):
        np.testing.assert_allclose(getattr(errors, own), known, rtol=2e-3)


# How often each waiting time occurs in the data set geyser of R's MASS.
GEYSER_COUNTS = """1 1 2 5 7 12 5 5 7 9 3 2 9 5 3 6 3 5 1 1 7 2 3 4 1 5 6 6 8 9 8 10 17 11 13 12 8 6 11 7 5 14 7 7 2
2 3 8 1 2 1 1"""


def test_errors_are_those_of_venables_and_ripley():
    """Modern Applied Statistics with S (4th ed., 2002), section 16.3, from the Hessian that optim differences."""
    waiting = [43, 45, *range(47, 67), *range(68, 95), 96, 98, 108]
    counts = [int(count) for count in GEYSER_COUNTS.split()]
    f = gmm1d.fit(waiting, 2, sample_weight=counts)
    assert f.n == 299
    errors = f.standard_errors()
    found = [f.mixture.weights[0], *f.mixture.means, *f.mixture.stds]
    assert found == pytest.approx([0.30759, 54.203, 80.360, 4.952, 7.508], rel=1e-4)
    found = [errors.weights[0], *errors.means, *errors.stds]
    assert found == pytest.approx([0.03044, 0.68305, 0.63338, 0.51819, 0.50710], rel=1e-3)
    assert errors.weights[1] == pytest.approx(errors.weights[0])


def test_one_gaussian_has_the_known_errors():
    x = DATA["precip"]
    f = gmm1d.fit(x, 1)
    n, std = len(x), x.std()
    errors, intervals = f.standard_errors(), f.confidence_intervals()
    assert errors.weights.tolist() == [0]
    assert errors.means[0] == pytest.approx(std / np.sqrt(n))
    assert errors.stds[0] == pytest.approx(std / np.sqrt(2 * n))
    assert errors.boundaries.shape == (0,)
    assert intervals.weights.tolist() == [[1, 1]]
    assert intervals.boundaries.shape == (0, 2)
    # x̄ + z s has the variance σ²/n + z²σ²/2n
    for p, z in ((0.5, 0), (0.975, Z)):
        found = standard_error(f, lambda m, p=p: m.ppf(p))
        assert found == pytest.approx(std * np.sqrt((1 + z**2 / 2) / n), rel=1e-5)


def test_intervals_are_normal_in_log_odds_means_and_log_stds(waiting):
    m, errors, intervals = (
        waiting.mixture,
        waiting.standard_errors(),
        waiting.confidence_intervals(),
    )
    assert intervals.level == 0.95
    np.testing.assert_allclose(
        logit(intervals.weights) - logit(m.weights)[:, None],
        np.outer(errors.weights / m.weights / (1 - m.weights), [-Z, Z]),
    )
    np.testing.assert_allclose(intervals.means, m.means[:, None] + np.outer(errors.means, [-Z, Z]))
    np.testing.assert_allclose(
        np.log(intervals.stds / m.stds[:, None]), np.outer(errors.stds / m.stds, [-Z, Z])
    )
    np.testing.assert_allclose(
        intervals.boundaries, m.boundaries()[:, None] + np.outer(errors.boundaries, [-Z, Z])
    )


@pytest.mark.parametrize(("name", "k"), [("faithful_waiting", 3), ("snapper_bayesmix_fish", 4)])
def test_analytic_and_numerical_derivatives_agree(name, k):
    f = gmm1d.fit(DATA[name], k)
    errors = f.standard_errors()
    for own in NAMES:
        numerical = standard_error(f, lambda m, own=own: getattr(m, own))
        np.testing.assert_allclose(getattr(errors, own), numerical, rtol=1e-5)
    numerical = standard_error(f, lambda m: m.boundaries())
    near = np.abs(f.mixture.boundaries() - DATA[name].mean()) < 5 * DATA[name].std()
    np.testing.assert_allclose(errors.boundaries[near], numerical[near], rtol=2e-3)


def test_errors_of_boundaries_are_their_spread_over_samples():
    truth = gmm1d.Mixture([0.75, 0.25], [0, 1.5], [1, 1 / 3])
    rng = np.random.default_rng(3)
    fits = [gmm1d.fit(truth.rvs(10_000, rng=rng), 2, start=truth) for _ in range(200)]
    found = np.array([f.mixture.boundaries() for f in fits])
    errors = np.median([f.standard_errors().boundaries for f in fits], axis=0)
    np.testing.assert_allclose(found.mean(axis=0), truth.boundaries(), atol=0.02)
    np.testing.assert_allclose(errors, found.std(axis=0), rtol=0.15)  # 200 samples know it to 5 %


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize(("a", "shift"), CASES)
def test_errors_and_intervals_follow_scale_and_shift(k, a, shift):
    x = DATA["snapper_bayesmix_fish"]
    b = shift * abs(a) * x.std()
    y = a * x + b
    f, g = gmm1d.fit((y - b) / a, k), gmm1d.fit(y, k)
    turn = slice(None, None, -1 if a < 0 else 1)
    size, digits = abs(a), 1e-5 * max(1, np.abs(y).max() / y.std() * 1e-6)
    for name, scale in zip((*NAMES, "boundaries"), (1, size, size, size), strict=True):
        ours = scale * getattr(f.standard_errors(), name)[turn]
        np.testing.assert_allclose(getattr(g.standard_errors(), name), ours, rtol=digits)
    ours = a * f.confidence_intervals().means[turn, turn] + b
    np.testing.assert_allclose(g.confidence_intervals().means, ours, rtol=1e-6, atol=1e-6 * y.std())
    ours = f.confidence_intervals().weights[turn]
    np.testing.assert_allclose(g.confidence_intervals().weights, ours, rtol=1e-6)


def test_a_weight_is_a_repetition(waiting):
    four = gmm1d.fit(DATA["faithful_waiting"], 2, sample_weight=np.full(272, 4))
    for name in (*NAMES, "boundaries"):
        once, often = (getattr(f.standard_errors(), name) for f in (waiting, four))
        np.testing.assert_allclose(often, once / 2, rtol=1e-6)


@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 4),
    levels=st.tuples(st.floats(1e-6, 0.999999), st.floats(1e-6, 0.999999)),
)
@settings(max_examples=40, deadline=None)
def test_intervals_stay_in_range_hold_the_estimate_and_widen_with_the_level(seed, k, levels):
    rng = np.random.default_rng(seed)
    f = quiet(rng.normal(rng.normal(size=100) * 3, rng.uniform(0.2, 1, 100)), k)
    if f.status is not Ending.CONVERGED:
        return
    narrow, wide = (f.confidence_intervals(level) for level in sorted(levels))
    for name in NAMES:
        value, inner, outer = (getattr(each, name) for each in (f.mixture, narrow, wide))
        assert np.isfinite(outer).all()
        assert np.all(outer[:, 0] <= inner[:, 0])
        assert np.all(inner[:, 0] <= value)
        assert np.all(value <= inner[:, 1])
        assert np.all(inner[:, 1] <= outer[:, 1])
    assert np.all((wide.weights >= 0) & (wide.weights <= 1))
    assert np.all(wide.stds > 0)
    assert not np.isnan(f.standard_errors().boundaries).any()
    assert "±" in f.summary()


def test_saved_fits_have_the_same_errors(waiting, tmp_path):
    waiting.save(tmp_path / "fit.json")
    again = gmm1d.Fit.load(tmp_path / "fit.json")
    for name in (*NAMES, "boundaries"):
        for method in ("standard_errors", "confidence_intervals"):
            np.testing.assert_array_equal(
                getattr(getattr(again, method)(), name), getattr(getattr(waiting, method)(), name)
            )


# --- constraints ----------------------------------------------------------------------------------------------------


def test_what_is_fixed_has_no_error():
    x = DATA["faithful_waiting"]
    f = gmm1d.fit(x, 2, fixed={"means": [None, 80.0], "weights": [0.35, 0.65]})
    errors, intervals = f.standard_errors(), f.confidence_intervals()
    assert errors.weights.tolist() == [0, 0]
    assert errors.means.tolist()[1] == 0
    assert intervals.weights.tolist() == [[0.35, 0.35], [0.65, 0.65]]
    assert intervals.means.tolist()[1] == [80, 80]
    assert np.all(errors.boundaries > 0)
    row = f.summary().split("\n\n")[1].splitlines()[2]
    assert row.split()[:4] == ["2", "0.65", "80", "5.91"]
    numerical = standard_error(f, lambda m: m.boundaries()[0])
    assert errors.boundaries[0] == pytest.approx(numerical, rel=1e-4)
    for own, known in zip(NAMES, held_finite_differences(x, f.mixture), strict=True):
        np.testing.assert_allclose(getattr(errors, own), known, rtol=2e-3)


def held_finite_differences(x, m):
    """Standard errors where both weights and the second mean are fixed, from the textbook's log-likelihood alone."""

    def value(parameters):
        mean, *stds = parameters
        means = np.array([mean, m.means[1]])
        return float(textbook.log_likelihood(x, m.weights, means, np.square(stds)))

    found = inverse_information(value, np.array([m.means[0], *m.stds]), 1e-4 * m.stds[[0, 0, 1]])
    mean, *stds = np.sqrt(np.diag(found))
    return [0, 0], [mean, 0], stds


def test_with_everything_fixed_nothing_has_an_error():
    everything = {"means": [54, 80], "stds": [6, 6], "weights": [0.4, 0.6]}
    f = gmm1d.fit(DATA["faithful_waiting"], 2, fixed=everything)
    assert f.status is Ending.CONVERGED
    assert standard_error(f, lambda m: m.means).tolist() == [0, 0]
    assert f.standard_errors().boundaries.tolist() == [0] * f.mixture.boundaries().size
    assert "±" not in f.summary()


def test_rounding_does_not_loosen_what_is_fixed(waiting):
    """Log-odds that move together by any amount leave the weights where they are."""
    covariance = np.zeros((6, 6))
    covariance[:2, :2] = 7.3
    assert with_covariance(waiting, covariance).standard_errors().weights.tolist() == [0, 0]


def test_shared_stds_move_together():
    x = DATA["faithful_waiting"]
    f = gmm1d.fit(x, 2, equal_variances=True)
    m, errors = f.mixture, f.standard_errors()
    assert errors.stds[0] == errors.stds[1]
    assert errors.boundaries.shape == (1,)
    numerical = standard_error(f, lambda m: m.boundaries()[np.abs(m.boundaries() - 67).argmin()])
    assert errors.boundaries[0] == pytest.approx(numerical, rel=1e-4)

    def value(parameters):
        weight, *means, std = parameters
        weights, variances = np.array([weight, 1 - weight]), np.full(2, std**2)
        return float(textbook.log_likelihood(x, weights, np.array(means), variances))

    at = np.array([m.weights[0], *m.means, m.stds[0]])
    found = inverse_information(value, at, 1e-4 * np.array([m.weights[0], *m.stds, m.stds[0]]))
    weight, *means, std = np.sqrt(np.diag(found))
    np.testing.assert_allclose(errors.weights, weight, rtol=2e-3)
    np.testing.assert_allclose(errors.means, means, rtol=2e-3)
    np.testing.assert_allclose(errors.stds, std, rtol=2e-3)


# --- refusals -------------------------------------------------------------------------------------------------------


def refused(f):
    """Return the one sentence that errors, intervals, functions and the summary give."""
    sentences = set()
    for ask in (
        f.standard_errors,
        f.confidence_intervals,
        lambda: standard_error(f, lambda m: m.mean()),
    ):
        with pytest.raises(UncertaintyError) as caught:
            ask()
        sentences.add(str(caught.value))
    assert len(sentences) == 1
    (sentence,) = sentences
    assert sentence in f.summary().splitlines()
    assert sentence in f._repr_html_()
    assert "±" not in f.summary()
    assert issubclass(UncertaintyError, InputError)
    return sentence


def test_what_is_no_maximum_is_refused(waiting):
    x = DATA["faithful_waiting"]
    flat = quiet(x, 2, start={"means": [70, 70], "stds": [9, 9]}, method="em")
    assert flat.status is Ending.FLAT
    assert "singular" in refused(flat)
    penalised = quiet(np.repeat([1.0, 2.0, 3.0], [50, 30, 20]), 2)
    assert penalised.status is Ending.PENALISED
    assert "a component sits on tied values" in refused(penalised)
    too_many = quiet(np.random.default_rng(3).normal(size=50), 5)
    assert (
        "no maximum of the likelihood with 5 components is near, the data support fewer"
        in refused(too_many)
    )
    started = quiet(x, 3, start="quantile", max_iter=1)
    assert started.status is Ending.MAX_ITER
    assert "raise max_iter" in refused(started)
    interrupted = replace(waiting, status=Ending.INTERRUPTED, certificate=None)
    assert "fit again" in refused(interrupted)
    assert "no maximum" in refused(with_covariance(waiting, None))


def test_what_was_stopped_has_errors_once_it_is_close():
    x = DATA["faithful_waiting"]
    early = gmm1d.fit(x, 3, start="spread", method="em", tol=1)
    assert early.status is Ending.TOLERANCE
    assert re.search(
        r"stopped 1\.\d standard errors from the optimum: fit without tol", refused(early)
    )
    late, end = gmm1d.fit(x, 2, tol=1e-9), gmm1d.fit(x, 2)
    assert late.status is Ending.TOLERANCE
    for name in NAMES:
        ours, theirs = (getattr(f.standard_errors(), name) for f in (late, end))
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, np.nan, "much"])
def test_wrong_levels_are_one_sentence(waiting, level):
    with pytest.raises(InputError, match="level"):
        waiting.confidence_intervals(level)


def test_functions_that_change_their_shape_are_refused(waiting):
    lengths = iter(range(1, 100))
    with pytest.raises(InputError, match="different shapes"):
        standard_error(waiting, lambda _: np.zeros(next(lengths)))


# --- what people read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (54.6149, 0.69967, "54.61 ± 0.70"),
        (0.360886, 0.0311648, "0.361 ± 0.031"),
        (9.996, 0.00996, "9.996 ± 0.010"),
        (12345.6, 320.0, "12350 ± 320"),
        (1234567.0, 32.0, "1234567 ± 32"),
        (1234567.0, 320.0, "(1.23457 ± 0.00032)e+06"),
        (1e20, 3e17, "(1.0000 ± 0.0030)e+20"),
        (1e-7, 1e-9, "(1.000 ± 0.010)e-07"),
        (5.4614e-149, 7e-151, "(5.461 ± 0.070)e-149"),
        (-1e-4, 0.5, "0.00 ± 0.50"),
        (0.0, 0.5, "0.00 ± 0.50"),
        (-2.0, 1e7, "(0.0 ± 1.0)e+07"),
        (1e16, 1e-3, "10000000000000000 ± 0.001"),
        (4.2, 0.0, "4.2"),
        (4.2, np.inf, "4.2"),
    ],
)
def test_estimates_end_where_their_error_does(value, error, text):
    assert estimate(value, error) == text


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (1.18053e-34, 0.0023, "0"),
        (-1e-9, 1.0, "0"),
        (1e-5, 1.0, "1e-05"),
        (1e-34, 1e-35, "1e-34"),
        (70.8971000123, 13.6, "70.8971"),
        (100000000.123456, 0.5, "100000000.1235"),
    ],
)
def test_means_are_written_as_far_as_their_std_tells_them(mean, std, text):
    assert location(mean, std) == text


def test_intervals_end_where_the_error_does():
    assert between(64.5951, 68.5711, 1.0143) == "64.6 to 68.6"
    assert between(6.45951e-149, 6.85711e-149, 1.0143e-150) == "(6.46 to 6.86)e-149"


def test_summaries_show_errors_boundaries_and_doubts(waiting):
    table, remarks = waiting.summary().split("\n\n")[1:]
    assert "0.361 ± 0.031  54.61 ± 0.70  5.87 ± 0.54" in table
    assert max(map(len, table.splitlines())) <= 80
    assert remarks.splitlines() == [
        "boundary 66.6 ± 1.0, 95 % interval 64.6 to 68.6",
        "boundaries that the data do not determine: 42975.6",
        "intervals are rough: fewer than 500 values",
    ]
    assert "<p>boundary 66.6 ± 1.0, 95 % interval 64.6 to 68.6</p>" in waiting._repr_html_()
    assert "<td>54.61 ± 0.70</td>" in waiting._repr_html_()
    three = gmm1d.fit(DATA["faithful_waiting"][:150], 2).summary()
    assert three.endswith("intervals are rough: fewer than 500 values")
    truth = gmm1d.Mixture([0.5, 0.5], [0, 1.5], [1, 1])
    close = gmm1d.fit(truth.rvs(1000, rng=1), 2, start=truth).summary()
    assert close.endswith("intervals are rough: smallest eigenvalue below 0.01")
    assert "rough" not in gmm1d.fit(DATA["precip"], 1).summary()
    assert (
        "rough"
        not in gmm1d.fit(gmm1d.Mixture([0.5, 0.5], [0, 9], [1, 1]).rvs(900, rng=1), 2).summary()
    )


def test_the_covariance_of_a_loaded_fit_may_not_be_a_surprise(waiting):
    """A damaged covariance with negative variances gives zeros, no warning and no NaN."""
    data = json.loads(waiting.to_json())
    data["certificate"]["covariance"][2][2] = -1.0
    f = gmm1d.Fit.from_json(json.dumps(data))
    assert f.standard_errors().means[0] == 0
