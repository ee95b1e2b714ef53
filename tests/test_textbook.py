"""The textbook against the worked numbers, its laws, and arithmetic of 50 digits."""

import importlib.util
import json
import math
import runpy
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import xlogy

from gmm1d.errors import CollapseError, FitWarning, InputError
from gmm1d.textbook import (
    GMM1D,
    C,
    D,
    Step,
    checks,
    e_step,
    em,
    log_likelihood,
    lower_bound,
    m_step,
    penalised_log_likelihood,
    penalised_m_step,
)

GOLDEN = json.loads((Path(__file__).parent / "data" / "golden.json").read_text())
WAITING = np.loadtxt(Path(__file__).parents[1] / "examples" / "data" / "faithful_waiting.txt")
S2, S3, S4 = GOLDEN["S2"], GOLDEN["S3"], GOLDEN["S4"]
S2_START = ([0.5, 0.5], [-0.5, 0.5], [1, 1])
S3_START = tuple(S3["start"][name] for name in ("weights", "means", "variances"))


def spread(x, k):
    """The start of S4."""
    means = x.min() + np.arange(1, k + 1) * (x.max() - x.min()) / k
    return np.full(k, 1 / k), means, np.ones(k)


def same(step, expected, rel=1e-8):
    """Compare a step in any order of components with golden weights, means, variances."""
    order = np.argsort(step.means)
    golden_order = np.argsort(expected["means"])
    for name in ("weights", "means", "variances"):
        golden = np.array(expected[name])[golden_order]
        np.testing.assert_allclose(getattr(step, name)[order], golden, rtol=rel)
    np.testing.assert_allclose(
        np.sqrt(step.variances[order]), np.array(expected["stds"])[golden_order]
    )


@st.composite
def mixtures(draw, scale=1.0):
    """Weights, means and variances of up to five components."""
    k = draw(st.integers(1, 5))
    weights = draw(hnp.arrays(float, k, elements=st.floats(0.01, 1)))
    means = draw(hnp.arrays(float, k, elements=st.floats(-50, 50))) * scale
    stds = draw(hnp.arrays(float, k, elements=st.floats(0.1, 20))) * scale
    return weights / weights.sum(), means, stds**2


POINTS = hnp.arrays(float, st.integers(1, 25), elements=st.floats(-100, 100))


def test_worked_problem_step_by_step():
    x = S3["x"]
    gammas = e_step(x, *S3_START)
    np.testing.assert_allclose(gammas, S3["responsibilities_start"], rtol=1e-12)
    assert np.argmax(gammas, axis=1).tolist() == [1, 1, 1, 0, 0]
    steps = em(x, *S3_START, tol=0, max_iter=500)
    for t, name in (
        (0, "start"),
        (1, "after_1"),
        (2, "after_2"),
        (5, "after_5"),
        (500, "converged"),
    ):
        assert steps[t].log_likelihood == pytest.approx(S3["log_likelihood"][name], rel=1e-12)
        if name in S3:
            same(steps[t], S3[name])


def test_notebook_data_step_by_step():
    steps = em(S2["x"], *S2_START, tol=0, max_iter=41)
    at = {"start": 0, "after_1": 1, "after_2": 2, "after_5": 5, "after_10": 10, "converged": 41}
    for name, t in at.items():
        assert steps[t].log_likelihood == pytest.approx(S2["log_likelihood"][name], rel=1e-12)
        if name in S2:
            same(steps[t], S2[name])


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_homework_stops_after_the_step_that_changes_little(k):
    golden = S4["fits"][str(k)]
    steps = em(WAITING, *spread(WAITING, k), tol=S4["tol"])
    assert len(steps) - 1 == golden["steps"]
    assert steps[0].log_likelihood == pytest.approx(golden["log_likelihood_start"], rel=1e-12)
    assert steps[-1].log_likelihood == pytest.approx(golden["log_likelihood"], rel=1e-12)
    same(steps[-1], golden["fit"])


@pytest.mark.parametrize("k", [2, 3])
def test_homework_climbed_to_its_end(k):
    golden = S4["fits"][str(k)]
    steps = em(WAITING, *spread(WAITING, k), tol=0, max_iter=golden["em_limit_steps"])
    assert steps[-1].log_likelihood == pytest.approx(golden["em_limit_log_likelihood"], rel=1e-12)
    same(steps[-1], golden["em_limit"])


def test_tol_stops_on_strictly_less_and_max_iter_bounds_the_steps():
    steps = em(S2["x"], *S2_START, tol=0, max_iter=3)
    change = abs(steps[3].log_likelihood - steps[2].log_likelihood)  # the changes shrink here
    assert len(em(S2["x"], *S2_START, tol=change)) == 5
    assert len(em(S2["x"], *S2_START, tol=np.nextafter(change, 1))) == 4
    assert len(em(S3["x"], *S3_START, tol=1, max_iter=0)) == 1


@given(POINTS, mixtures())
def test_responsibilities_are_rows_of_probabilities(x, theta):
    gammas = e_step(x, *theta)
    assert gammas.shape == (x.size, theta[0].size)
    assert np.all((gammas >= 0) & (gammas <= 1))
    np.testing.assert_allclose(gammas.sum(axis=1), 1, rtol=1e-13)


def test_a_point_far_from_everything_keeps_its_row_and_its_density():
    theta = [0.3, 0.7], [0.0, 1.0], [1.0, 1.0]
    for x in (-40.0, 41.0, 1e8, -1e150):
        assert e_step([x], *theta).sum() == 1
        assert math.isfinite(log_likelihood([x], *theta))
    assert log_likelihood([-40.0], [1.0], [0.0], [1.0]) == -800 - math.log(2 * math.pi) / 2


@given(POINTS, mixtures(), mixtures())
def test_the_lower_bound_is_one_and_touches_at_the_e_step(x, theta, other):
    gammas = e_step(x, *other)
    gammas = np.repeat(gammas.mean(axis=1, keepdims=True), theta[0].size, axis=1) + e_step(
        x, *theta
    )
    gammas /= gammas.sum(axis=1, keepdims=True)
    likelihood = log_likelihood(x, *theta)
    tolerance = 1e-12 * (abs(likelihood) + x.size)
    assert lower_bound(x, gammas, *theta) <= likelihood + tolerance
    assert abs(lower_bound(x, e_step(x, *theta), *theta) - likelihood) <= tolerance


def test_the_lower_bound_with_certain_labels_has_no_entropy():
    x, theta = np.array([0.0, 3.0]), ([0.5, 0.5], [0.0, 3.0], [1.0, 4.0])
    expected = sum(math.log(0.5) - math.log(2 * math.pi * v) / 2 for v in (1, 4))
    assert lower_bound(x, np.eye(2), *theta) == pytest.approx(expected, rel=1e-14)
    gammas = e_step(x, *theta)
    entropy = -xlogy(gammas, gammas).sum()
    only_q = lower_bound(x, gammas, *theta) - entropy
    assert only_q < log_likelihood(x, *theta)


def test_a_component_without_weight_takes_no_part():
    theta = [1.0, 0.0], [0.0, 5.0], [1.0, 1.0]
    gammas = e_step([0.0, 5.0], *theta)
    assert gammas.tolist() == [[1, 0], [1, 0]]
    assert lower_bound([0.0, 5.0], gammas, *theta) == pytest.approx(
        log_likelihood([0.0, 5.0], [1.0], [0.0], [1.0])
    )
    with pytest.raises(InputError, match="component 1 is responsible for no point"):
        m_step([0.0, 5.0], gammas)


@given(POINTS.filter(lambda x: np.ptp(x) > 1), mixtures())
def test_em_never_falls_and_the_m_step_raises_the_bound(x, theta):
    try:
        steps = em(x, *theta, tol=0, max_iter=15)
    except (CollapseError, InputError):
        return  # few points: a spike, or a component that lost them all
    values = np.array([float(step.log_likelihood) for step in steps])
    assert np.all(np.diff(values) > -1e-11 * (np.abs(values[:-1]) + x.size))
    gammas = e_step(x, *theta)
    raised = lower_bound(x, gammas, *steps[1][1:])
    assert raised >= lower_bound(x, gammas, *theta) - 1e-11 * (abs(values[0]) + x.size)


@given(POINTS, mixtures(), st.data())
def test_whole_weights_are_repeated_points(x, theta, data):
    w = data.draw(hnp.arrays(int, x.size, elements=st.integers(1, 5)))
    repeated = np.repeat(x, w)
    gammas = e_step(x, *theta)
    for one, other in (
        (log_likelihood(x, *theta, w), log_likelihood(repeated, *theta)),
        (
            lower_bound(x, gammas, *theta, w),
            lower_bound(repeated, np.repeat(gammas, w, axis=0), *theta),
        ),
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * repeated.size)
    weighted, plain = (
        m_step(x, gammas + 1e-3, w),
        m_step(repeated, np.repeat(gammas, w, axis=0) + 1e-3),
    )
    np.testing.assert_allclose(weighted[0], plain[0], rtol=1e-12)
    np.testing.assert_allclose(weighted[1], plain[1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(weighted[2], plain[2], rtol=1e-10, atol=1e-10)


@given(POINTS, mixtures(), st.sampled_from([1e-150, 1e-6, -1.0, 1e3, 1e140]))
def test_equivariance_under_a_change_of_units(x, theta, a):
    weights, means, variances = theta
    moved = weights, a * means, a**2 * variances
    shift = x.size * math.log(abs(a))
    change = log_likelihood(a * x, *moved) - log_likelihood(x, *theta) + shift
    assert abs(change) < 1e-11 * (x.size + abs(shift) + abs(log_likelihood(x, *theta)))
    np.testing.assert_allclose(e_step(a * x, *moved), e_step(x, *theta), rtol=1e-9, atol=1e-15)


@given(POINTS, mixtures())
def test_against_fifty_digits(x, theta):
    mpmath.mp.dps = 50
    weights, means, variances = ([mpmath.mpf(float(v)) for v in values] for values in theta)
    densities = [
        [
            w
            * mpmath.exp(-((mpmath.mpf(float(v)) - m) ** 2) / (2 * s))
            / mpmath.sqrt(2 * mpmath.pi * s)
            for w, m, s in zip(weights, means, variances, strict=True)
        ]
        for v in x
    ]
    logs = [mpmath.log(mpmath.fsum(row)) for row in densities]
    exact, size = mpmath.fsum(logs), float(mpmath.fsum(map(abs, logs)))
    squares = (x[:, None] - theta[1]) ** 2 / theta[2]
    for dtype, epsilon in ((np.float64, 1e-15), (np.longdouble, 4e-18 if LONG else 1e-15)):
        points, *parameters = (np.asarray(values, dtype) for values in (x, *theta))
        value = log_likelihood(points, *parameters)
        assert value.dtype == dtype
        difference = mpmath.mpf(str(value)) - exact
        assert abs(difference) < 8 * epsilon * (size + squares.max(axis=1).sum() + x.size)
        gammas = e_step(points, *parameters)
        assert gammas.dtype == dtype
        assert all(part.dtype == dtype for part in m_step(points, gammas + dtype(1)))
        for row, exact_row in zip(gammas, densities, strict=True):
            total = mpmath.fsum(exact_row)
            for value, part in zip(row, exact_row, strict=True):
                assert abs(mpmath.mpf(str(value)) - part / total) < 1e3 * epsilon * (
                    1 + squares.max()
                )


# --- the objective S -----------------------------------------------------------------------------


APART = hnp.arrays(int, st.integers(2, 25), elements=st.integers(-(10**6), 10**6), unique=True)


def within_range(x, theta):
    """The mixture with no std wider than the data."""
    weights, means, variances = theta
    return weights, means, np.minimum(variances, np.ptp(x) ** 2)


@given(APART, mixtures(scale=100.0))
def test_penalised_em_never_lowers_s(x, theta):
    x = x / 100
    theta = within_range(x, theta)
    heights = []
    for _ in range(30):
        heights.append(float(penalised_log_likelihood(x, *theta)))
        gammas = e_step(x, *theta)
        if not np.all(gammas.sum(axis=0) > 0):
            return  # a component that is too far from all data to be responsible for any
        theta = penalised_m_step(x, gammas)
        assert np.all(theta[2] <= np.ptp(x) ** 2)
        assert np.all(theta[0] >= D / (x.size + D * theta[0].size) * (1 - 1e-12))
        assert theta[0].sum() == pytest.approx(1, rel=1e-14)
    assert np.all(np.diff(heights) > -1e-11 * (np.abs(heights[:-1]) + x.size))


@given(APART, mixtures(scale=100.0), st.integers(0, 10**6))
def test_the_penalised_m_step_is_the_highest_point_of_what_it_raises(x, theta, seed):
    """Q + c Σ log σ + d Σ log π, which S - l is added to, is nowhere higher within the range."""
    x = x / 100
    gammas = e_step(x, *theta) + 1e-3
    best = penalised_m_step(x, gammas)

    def raised(weights, means, variances):
        bound = lower_bound(x, gammas, weights, means, variances)
        return bound + C * np.log(variances).sum() / 2 + D * np.log(weights).sum()

    rng = np.random.default_rng(seed)
    for size in (1e-3, 0.1, 1.0):
        weights, means, variances = (each.copy() for each in best)
        weights *= np.exp(size * rng.normal(size=weights.size))
        means += size * np.sqrt(variances) * rng.normal(size=means.size)
        variances *= np.exp(size * rng.normal(size=means.size))
        other = within_range(x, (weights / weights.sum(), means, variances))
        assert raised(*other) <= raised(*best) + 1e-10 * (abs(raised(*best)) + x.size)


@given(POINTS, mixtures(), st.sampled_from([1e-150, 1e-6, -1.0, 1e3, 1e140]))
def test_s_has_no_scale(x, theta, a):
    """S(a x) - S(x) = (k c - n) log |a|, whatever the mixture."""
    weights, means, variances = theta
    moved = penalised_log_likelihood(a * x, weights, a * means, a**2 * variances)
    plain = penalised_log_likelihood(x, *theta)
    shift = (weights.size * C - x.size) * math.log(abs(a))
    assert abs(moved - plain - shift) < 1e-11 * (x.size + abs(moved) + abs(plain) + abs(shift))


@given(POINTS.filter(lambda x: np.ptp(x) > 1), mixtures(), st.sampled_from([1e-6, -1.0, 1e3]))
def test_the_penalised_m_step_follows_units(x, theta, a):
    gammas = e_step(x, *theta) + 1e-3
    weights, means, variances = penalised_m_step(x, gammas)
    moved = penalised_m_step(a * x, gammas)
    np.testing.assert_allclose(moved[0], weights, rtol=1e-12)
    np.testing.assert_allclose(moved[1] / a, means, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(moved[2] / a**2, variances, rtol=1e-10, atol=1e-10)


@given(POINTS, mixtures(), st.data())
def test_whole_weights_are_repeated_points_of_s(x, theta, data):
    w = data.draw(hnp.arrays(int, x.size, elements=st.integers(1, 5)))
    repeated = np.repeat(x, w)
    one, other = penalised_log_likelihood(x, *theta, w), penalised_log_likelihood(repeated, *theta)
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * repeated.size)
    gammas = e_step(x, *theta) + 1e-3
    weighted = penalised_m_step(x, gammas, w)
    plain = penalised_m_step(repeated, np.repeat(gammas, w, axis=0))
    for ours, theirs in zip(weighted, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_penalised_steps_by_hand():
    x = np.array([0.0, 2.0, 4.0, 10.0])
    gammas = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    weights, means, variances = penalised_m_step(x, gammas)
    np.testing.assert_allclose(weights, [4 / 6, 2 / 6])
    np.testing.assert_allclose(means, [2, 10])
    np.testing.assert_allclose(variances, [8 / 1.5, 100])  # one value, less than c: the range
    s = penalised_log_likelihood(x, weights, means, variances)
    penalty = 1.5 * math.log(math.sqrt(8 / 1.5) * 10) + math.log(4 / 6 * 2 / 6)
    assert s == pytest.approx(log_likelihood(x, weights, means, variances) + penalty, rel=1e-14)
    with pytest.raises(InputError, match="component 1 is responsible for no point"):
        penalised_m_step(x, np.array([[1.0, 0.0]] * 4))
    assert penalised_log_likelihood(x, [1, 0], [0, 0], [1, 1]) == -np.inf


def test_s_keeps_long_doubles():
    parameters = (np.asarray(values, np.longdouble) for values in ([0.5, 0.5], [0, 1], [1, 2]))
    value = penalised_log_likelihood(np.array([0, 1], np.longdouble), *parameters)
    assert value.dtype == np.longdouble


LONG = np.finfo(np.longdouble).eps < 2e-19  # not so on Windows and some ARM machines


def test_integers_and_small_floats_are_computed_in_float64():
    for dtype in (np.int8, np.float16, np.float32):
        gammas = e_step(np.array([100, 120, -100], dtype), [0.5, 0.5], [-100, 100], [4, 4])
        assert gammas.dtype == np.float64
        weights, means, _ = m_step(np.array([100, 120, -100], dtype), gammas)
        np.testing.assert_allclose(means, [-100, 110])
        np.testing.assert_allclose(weights, [1 / 3, 2 / 3])


def test_a_spike_is_named():
    x = [0.0, 0.0, 0.0, 5.0, 6.0]
    with pytest.raises(CollapseError, match=r"component 0 has collapsed onto 0\.0"):
        em(x, [0.5, 0.5], [0.0, 5.5], [1e-3, 1.0], tol=1e-9)


BAD = {
    "weights must be >= 0 and add up to 1": ([0.0], [0.5, 0.6], [0, 1], [1, 1]),
    "weights must be >= 0": ([0.0], [1.5, -0.5], [0, 1], [1, 1]),
    "variances must be positive": ([0.0], [0.5, 0.5], [0, 1], [1, 0]),
    "2 weights, 1 means and 2 variances do not match": ([0.0], [0.5, 0.5], [0], [1, 1]),
    "means must be finite, which value 1 is not": ([0.0], [0.5, 0.5], [0, np.nan], [1, 1]),
    "x must be finite, which value 1 is not": ([0.0, np.inf], [1.0], [0], [1]),
    "x must be real numbers": (["a"], [1.0], [0], [1]),
    r"x must be a column of n numbers, \(n,\) or \(n, 1\), not \(1, 2\)": (
        [[1, 2]],
        [1.0],
        [0],
        [1],
    ),
    r"x must be a column of n numbers, \(n,\) or \(n, 1\), not \(0,\)": ([], [1.0], [0], [1]),
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_input_is_refused(sentence):
    with pytest.raises(InputError, match=sentence):
        log_likelihood(*BAD[sentence])


X = np.array(S2["x"])[:, None]


def test_gmm1d_has_the_interface_of_the_lab_class():
    model = GMM1D(3)
    assert model.num_gaussians == 3
    gammas = model.estep(X)
    assert gammas.shape == (40, 3)
    np.testing.assert_allclose(gammas.sum(axis=1), 1, rtol=1e-14)
    weights, means, variances = model.mstep(X, gammas)
    np.testing.assert_array_equal(weights, model.weights)
    np.testing.assert_allclose(weights, gammas.sum(axis=0) / 40, rtol=1e-14)
    np.testing.assert_allclose(means, gammas.T @ X[:, 0] / gammas.sum(axis=0), rtol=1e-13)
    assert variances.shape == (3,)
    before = model.log_likelihood(X)
    assert model.fit(X) is model
    assert model.history[0] == before
    assert np.all(np.diff(model.history) > -1e-10)
    assert model.log_likelihood(X) == model.history[-1]


def test_gmm1d_climbs_from_the_parameters_it_has():
    model = GMM1D(2)
    model.weights, model.means, model.variances = map(np.array, S2_START)
    model.fit(X, tol=1e-13)
    golden = S2["converged"]
    np.testing.assert_allclose(model.means, golden["means"], rtol=1e-6)
    assert model.history[:2] == pytest.approx(
        [S2["log_likelihood"][n] for n in ("start", "after_1")]
    )


def test_gmm1d_says_when_it_did_not_finish():
    for max_iter in (0, 1):
        with pytest.warns(FitWarning, match=f"stopped by max_iter={max_iter}"):
            model = GMM1D(2).fit(X, max_iter=max_iter)
        assert len(model.history) == max_iter + 1


def test_the_default_start_bears_ties():
    model = GMM1D(3)
    weights, means, variances = model.start([[0.0]] * 5 + [[1.0]] + [[7.0]] * 3)
    np.testing.assert_allclose(weights, 1 / 3)
    np.testing.assert_allclose(means, [0, 1 / 3, 7])
    assert np.all(variances > 0)


@pytest.mark.parametrize(
    ("k", "data", "sentence"),
    [
        (0, [1.0, 2.0], "num_gaussians must be a whole number from 1 on, not 0"),
        (3, [1.0, 2.0], "component 2 is responsible for no point"),
        (2, [1.0, 1.0], "all values are equal"),
        (2, [[1.0, 2.0]], "X must be a column of n numbers"),
    ],
)
def test_gmm1d_refuses(k, data, sentence):
    with pytest.raises(InputError, match=sentence):
        GMM1D(k).fit(data)


def test_a_step_carries_its_log_likelihood():
    step = em(S3["x"], *S3_START, tol=1)[0]
    assert isinstance(step, Step)
    assert step.log_likelihood == log_likelihood(S3["x"], *step[1:])


def test_the_self_checks_hold_and_are_printed(capsys):
    assert checks.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 10
    assert all(line.startswith("ok ") for line in lines)


def test_a_failed_self_check_is_told(capsys, monkeypatch):
    monkeypatch.setattr(checks, "worked_problem", lambda: iter([("nothing holds", False)]))
    assert checks.main() == 1
    assert "FAILED nothing holds" in capsys.readouterr().out


def test_the_module_runs():
    command = [sys.executable, "-W", "error", "-m", "gmm1d.textbook"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "five points: l at the start is -24.512532330087" in done.stdout


def test_the_file_runs_by_its_path():
    path = importlib.util.find_spec("gmm1d.textbook.__main__").origin
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(path, run_name="__main__")
    assert ended.value.code == 0
