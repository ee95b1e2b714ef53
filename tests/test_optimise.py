"""Climbs: derivatives against finite differences, methods against each other, endings, saddles, constraints."""

import itertools
import re
import warnings

import numpy as np
import pytest
from equivariance import datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from long_double import EXACT

import gmm1d
from gmm1d import _engine, textbook
from gmm1d.climbing import METHODS
from gmm1d.errors import CollapseError, Ending, FitWarning

DATA = datasets()
WAITING = DATA["faithful_waiting"]
FOREVER = {"tol": -1, "max_iter": 100_000}


def quiet(*args, **kwargs):
    """Fit without the warning that every ending but CONVERGED gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def standard(x):
    """The arguments with which the engine sees x as it is."""
    return np.asarray(x, dtype=float), None, 0.0, 1.0


def two_bumps(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 1, n // 2), rng.normal(6, 1.5, n - n // 2)])


def never_falls(values, n):
    """Promise 2."""
    return np.all(np.diff(values) >= -1e-12 * (np.abs(values[1:]) + n))


# --- derivatives ----------------------------------------------------------------------------------------------------


@st.composite
def problems(draw):
    """Data in ascending order, a mixture, what is fixed of it, whether the stds are shared, and whether S is meant."""
    k = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    x = np.sort(rng.normal(size=60)) * draw(st.sampled_from([1, 3]))
    equal = draw(st.booleans())
    fixed = draw(st.lists(st.booleans(), min_size=3 * k, max_size=3 * k))
    weights, means = rng.dirichlet(np.full(k, 5.0)), 2 * rng.normal(size=k)
    stds = np.exp(rng.uniform(-0.5, 0.5, 1 if equal else k)) * np.ones(k)
    if equal:
        fixed[2 * k :] = [False] * k
    return x, (weights, means, stds), equal, fixed, draw(st.booleans())


def owners(equal, fixed):
    """Which coordinate of the optimiser moves which of weights, means and stds, None where fixed."""
    k = len(fixed) // 3
    held = np.array(fixed).reshape(3, k)
    if (~held[0]).sum() < 2:
        held[0] = True  # the others leave no choice
    numbers = itertools.count()
    owner = [[None if fast else next(numbers) for fast in row] for row in held]
    if equal:
        owner[2] = [owner[2][0]] * k
    return owner


def objective(x, parameters, step, equal, fixed, penalised):
    """The log-likelihood or S by the textbook, after a step in free coordinates; shared stds are not penalised."""
    weights, means, stds = (each.astype(EXACT) for each in parameters)
    moves = [[0 if i is None else step[i] for i in row] for row in owners(equal, fixed)]
    free = np.array([i is not None for i in owners(equal, fixed)[0]])
    moved = weights * np.exp(np.array(moves[0], EXACT))
    if free.any():
        moved[free] *= weights[free].sum() / moved[free].sum()
    means = means + stds * np.array(moves[1], EXACT)
    variances = (stds * np.exp(np.array(moves[2], EXACT))) ** 2
    x = x.astype(EXACT)
    if not penalised or equal:
        return textbook.log_likelihood(x, moved, means, variances)
    s = textbook.penalised_log_likelihood(x, moved, means, variances)
    held_stds = np.array(
        [i is None for i in owners(equal, fixed)[2]]
    )  # S is a sum over what is free
    s -= textbook.D * np.log(moved[~free]).sum()
    return s - textbook.C * np.log(variances[held_stds]).sum() / 2


@given(problems())
@settings(max_examples=80)
def test_gradient_and_hessian_are_those_of_the_objective(problem):
    x, parameters, equal, fixed, penalised = problem
    value, gradient, hessian = _engine.derivatives(
        *standard(x),
        *parameters,
        penalised=penalised,
        equal_stds=equal,
        fixed=fixed,
    )
    size = sum(len({i for i in row if i is not None}) for row in owners(equal, fixed))
    assert (gradient.shape, hessian.shape) == ((size,), (size, size))
    at = np.zeros(size, EXACT)

    def along(*moves):
        return objective(x, parameters, at + sum(moves), equal, fixed, penalised)

    assert value == pytest.approx(float(along()), rel=1e-12)
    h = 1e-4 * np.eye(size, dtype=EXACT)
    numeric = [(along(e) - along(-e)) / 2e-4 for e in h]
    np.testing.assert_allclose(gradient, np.array(numeric, dtype=float), atol=1e-4)
    for i, j in itertools.combinations_with_replacement(range(size), 2):
        second = along(h[i], h[j]) - along(h[i], -h[j]) - along(-h[i], h[j]) + along(-h[i], -h[j])
        assert hessian[i, j] == pytest.approx(float(second / 4e-8), abs=1e-3)
        assert hessian[i, j] == pytest.approx(hessian[j, i], abs=1e-12 * len(x))


# --- steps ----------------------------------------------------------------------------------------------------------


def test_em_takes_the_textbook_steps():
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(-1, 1, 40), rng.normal(1, 0.5, 60)])
    weights, means, variances = np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([1.0, 1.0])
    stop, collapsed, kinds, rows, _, _ = _engine.climb(
        *standard(x), weights, means, np.sqrt(variances), method="em", tol=-1, max_iter=20
    )
    assert (stop, collapsed, rows.shape) == ("max_iter", -1, (21, 7))
    assert kinds == "s" + 20 * "e"
    for row in rows:
        expected = [
            textbook.log_likelihood(x, weights, means, variances),
            *weights,
            *means,
            *np.sqrt(variances),
        ]
        np.testing.assert_allclose(row, expected, rtol=1e-11)
        weights, means, variances = textbook.m_step(
            x, textbook.e_step(x, weights, means, variances)
        )


@given(problems(), st.sampled_from(METHODS))
@settings(max_examples=80)
def test_every_step_rises_and_keeps_what_is_fixed(problem, method):
    x, parameters, equal, fixed, penalised = problem
    if all(fixed):
        return  # nothing moves
    k = len(parameters[0])
    _, _, kinds, rows, _, _ = _engine.climb(
        *standard(x),
        *parameters,
        method=method,
        tol=-1,
        max_iter=30,
        penalised=penalised,
        equal_stds=equal,
        fixed=fixed,
    )
    assert len(kinds) == len(rows)
    assert never_falls(rows[:, 0], len(x))
    assert np.isfinite(rows).all()
    start = np.concatenate(parameters)
    held = np.array(fixed)
    assert np.all(rows[:, 1:][:, held] == start[held])
    np.testing.assert_allclose(rows[:, 1 : 1 + k].sum(axis=1), 1, rtol=1e-15)
    if equal:
        assert np.all(rows[:, 1 + 2 * k :] == rows[:, [1 + 2 * k]])


def test_pooled_steps_are_those_of_equal_variances():
    """With shared stds the M-step pools: σ² = Σ π_j σ_j² of the free M-step."""
    start = {"weights": [0.4, 0.6], "means": [50, 80], "stds": [6, 6]}
    options = {"start": start, "method": "em", "max_iter": 1}
    free, pooled = (quiet(WAITING, 2, **options, equal_variances=equal) for equal in (False, True))
    expected = np.sum(free.mixture.weights * free.mixture.variances)
    np.testing.assert_allclose(pooled.mixture.variances, expected, rtol=1e-13)
    np.testing.assert_array_equal(pooled.mixture.means, free.mixture.means)


@pytest.mark.parametrize("method", METHODS)
def test_kinds_of_steps(method):
    kinds = gmm1d.fit(WAITING, 3, start="quantile", method=method).trace.kind
    assert kinds[0] == "start"
    if method == "em":
        assert set(kinds[1:]) == {"em"}
    elif method == "squarem":
        assert set(kinds[1:]) == {"em", "squarem"}
        assert all(kinds[i - 1] == "em" for i, kind in enumerate(kinds) if kind == "squarem")
    else:
        assert kinds[1:6] == ("em",) * 5
        assert "newton" in kinds
        assert len(kinds) < 30
        assert set(gmm1d.fit(WAITING, 1, method=method).trace.kind[1:]) <= {"newton"}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("equal", [False, True])
def test_every_method_climbs_to_the_same_optimum(name, k, equal):
    def end(method):
        options = {"start": "quantile", "method": method, "equal_variances": equal}
        try:
            return quiet(DATA[name], k, **options)
        except CollapseError:
            return None

    newton, *others = map(end, METHODS)
    for other in others:
        assert (newton is None) == (other is None)
        if newton is None:
            continue
        assert never_falls(other.trace.log_likelihood, other.n)
        if newton.status is not other.status:  # EM stays at a saddle that Newton's method leaves
            assert other.status is Ending.FLAT
            assert other.certificate.smallest_eigenvalue < 0
            assert newton.log_likelihood > other.log_likelihood
            continue
        assert other.log_likelihood == pytest.approx(newton.log_likelihood, rel=1e-11)
        if newton.status is Ending.CONVERGED:
            for part in ("weights", "means", "stds"):
                ours, theirs = (getattr(each.mixture, part) for each in (newton, other))
                np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    if newton is not None:
        assert newton.status in (Ending.CONVERGED, Ending.FLAT)
        assert newton.n_iter < 50


# --- endings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_tol_stops_at_the_first_small_change(method):
    f = gmm1d.fit(WAITING, 3, start="quantile", method=method, tol=1e-2)
    changes = np.abs(np.diff(f.trace.log_likelihood))
    assert f.status is Ending.TOLERANCE
    assert changes[-1] < 1e-2
    assert np.all(changes[:-1] >= 1e-2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("most", [0, 1, 3, 7])
def test_max_iter_is_kept(method, most):
    f = quiet(WAITING, 4, start="quantile", method=method, max_iter=most)
    assert f.status is Ending.MAX_ITER
    assert f.n_iter <= most
    assert f.n_iter >= most - (method == "squarem")
    assert np.isfinite(f.certificate.newton_decrement)


SYMMETRIC = np.concatenate([-(two_bumps() + 3), two_bumps() + 3])
GROUPS = np.concatenate([mean + two_bumps() / 10 for mean in (-30, -3, 3, 30)])
SADDLES = {
    "duplicates": (two_bumps(), {"means": [3, 3], "stds": [2, 2]}, False),
    "duplicates on two groups": (
        np.concatenate([-GROUPS, GROUPS]),
        {"means": [-30, 0, 0, 30], "stds": [1, 1, 1, 1]},
        True,
    ),
    "flat to third order": (SYMMETRIC, {"means": [0, 0], "stds": [5, 5]}, False),
    "a wide and a narrow one": (SYMMETRIC, {"means": [0, 0], "stds": [2, 8]}, False),
}


@pytest.mark.parametrize("name", SADDLES)
def test_saddles_are_left_along_negative_curvature(name):
    x, start, equal = SADDLES[name]
    options = {"start": start, "equal_variances": equal}
    stuck, f = (quiet(x, len(start["means"]), **options, method=each) for each in ("em", "newton"))
    assert stuck.status is Ending.FLAT
    assert never_falls(f.trace.log_likelihood, f.n)
    if name.startswith("duplicates"):
        assert stuck.certificate.smallest_eigenvalue < -1e-6
        assert f.status is Ending.CONVERGED
        assert f.log_likelihood > stuck.log_likelihood + 10
    else:
        assert f.status is Ending.FLAT or f.log_likelihood > stuck.log_likelihood


@given(st.integers(0, 10**6), st.integers(2, 4), st.sampled_from(METHODS))
@settings(max_examples=40)
def test_nothing_that_is_no_maximum_is_called_one(seed, k, method):
    """Symmetric data from starts of which two components are one: only a maximum is CONVERGED."""
    rng = np.random.default_rng(seed)
    half = rng.normal(rng.uniform(0, 3), 1, 60)
    x = np.concatenate([-half, half])
    means = np.sort(rng.normal(0, 2, k))
    means[1] = means[0]
    try:
        f = quiet(x, k, start={"means": means, "stds": np.ones(k)}, method=method, max_iter=20_000)
    except CollapseError:
        return
    if f.status is Ending.CONVERGED:
        m = f.mixture
        _, gradient, hessian = _engine.derivatives(*standard(x), m.weights, m.means, m.stds)
        odds = np.concatenate([np.ones(k), np.zeros(2 * k)])  # which change nothing
        assert np.abs(gradient).max() < 1e-5 * len(x)
        assert np.linalg.eigvalsh(hessian - np.outer(odds, odds))[-1] < 0


@pytest.mark.parametrize("method", METHODS)
def test_more_components_than_the_data_show_are_flat(method):
    """A Gaussian's quantiles want one component: two identical ones are a flat optimum."""
    x = gmm1d.Mixture([1], [0], [1]).ppf((np.arange(400) + 0.5) / 400)
    with pytest.warns(FitWarning, match="flat"):
        f = gmm1d.fit(x, 2, start={"means": [0, 0], "stds": [1, 1]}, method=method)
    assert f.status is Ending.FLAT
    assert f.certificate.covariance is None
    assert f.log_likelihood == pytest.approx(gmm1d.fit(x, 1).log_likelihood, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_ties_collapse_with_and_without_the_penalty(method):
    x = np.concatenate([np.zeros(30), np.random.default_rng(7).normal(5, 1, 10)])
    start = np.array([0.75, 0.25]), np.array([0.0, 5.0]), np.array([0.5, 1.0])
    values, counts = np.unique(x, return_counts=True)
    for sample, penalised in (((x, None), False), ((values, counts.astype(float)), True)):
        stop, collapsed, _, rows, _, _ = _engine.climb(
            *sample, 0.0, 1.0, *start, method=method, **FOREVER, penalised=penalised
        )
        assert (stop, collapsed) == ("collapsed", 0)
        assert np.isfinite(rows).all()
        assert never_falls(rows[:, 0], len(x))
    with pytest.raises(CollapseError, match=re.escape("sits on 0, 30 of 40 values")):
        gmm1d.fit(x, 2, start={"means": [0, 5], "stds": [0.5, 1]}, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("width", [1e-3, 1e-9])
def test_close_values_that_differ_are_a_group_of_their_width(method, width):
    """S has a maximum there, however close they are; the log-likelihood has another, a little narrower."""
    rng = np.random.default_rng(7)
    x = np.sort(np.concatenate([width * rng.normal(size=30), rng.normal(5, 1, 10)]))
    start = np.array([0.75, 0.25]), np.array([0.0, 5.0]), np.array([0.5, 1.0])
    stop, _, _, rows, measures, _ = _engine.climb(
        *standard(x), *start, method=method, **FOREVER, penalised=True
    )
    assert stop == "stationary"
    assert measures[1] < 1e-8
    assert measures[3] > 1e-6
    assert never_falls(rows[:, 0], len(x))
    spread = np.square(x[:30] - x[:30].mean()).sum()
    assert rows[-1, 5] ** 2 == pytest.approx(spread / (30 - textbook.C), rel=1e-6)


# --- the objective S ------------------------------------------------------------------------------------------------


def penalised_em(x, weights, means, variances, steps=20_000):
    """Where the textbook's EM on S ends."""
    theta = weights, means, variances
    for _ in range(steps):
        before = theta
        theta = textbook.penalised_m_step(x, textbook.e_step(x, *theta))
        if all(np.array_equal(a, b) for a, b in zip(before, theta, strict=True)):
            break
    return theta


@given(st.integers(0, 10**6), st.integers(2, 4))
@settings(max_examples=25)
def test_newton_on_s_ends_where_the_textbooks_em_ends(seed, k):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.normal(6 * rng.integers(0, k, 80), rng.uniform(0.5, 1.5), 80))
    theta = np.full(k, 1 / k), 6.0 * np.arange(k), np.ones(k)
    for _ in range(10):
        theta = textbook.penalised_m_step(x, textbook.e_step(x, *theta))
    weights, means, variances = theta
    stop, _, kinds, rows, measures, _ = _engine.climb(
        *standard(x), weights, means, np.sqrt(variances), **FOREVER, method="newton", penalised=True
    )
    assert stop == "stationary"
    assert measures[1] < 1e-8
    assert len(kinds) < 100
    weights, means, variances = penalised_em(x, *theta)
    expected = np.concatenate([weights, means, np.sqrt(variances)])
    s = textbook.penalised_log_likelihood(x, weights, means, variances)
    assert rows[-1, 0] == pytest.approx(float(s), abs=1e-9 * len(x))
    np.testing.assert_allclose(rows[-1, 1:], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("a", [1.0, -1e6])
def test_a_penalised_fit_is_a_fixed_point_of_the_textbooks_step(a):
    """A sample of one Gaussian: with four components, no maximum of the likelihood is near the optimum of S."""
    x = a * np.random.default_rng(12).normal(size=50)
    fits = {k: quiet(x, k) for k in (2, 4, 6)}
    assert fits[2].status is Ending.CONVERGED
    for k in (4, 6):
        f, m = fits[k], fits[k].mixture
        assert (f.status, f.reason) == (Ending.PENALISED, "support")
        theta = m.weights, m.means, m.variances
        weights, means, variances = textbook.penalised_m_step(x, textbook.e_step(x, *theta))
        np.testing.assert_allclose(weights, m.weights, rtol=1e-6)
        np.testing.assert_allclose(np.sqrt(variances), m.stds, rtol=1e-6)
        assert np.all(np.abs(means - m.means) < 1e-6 * m.stds)
        assert f.log_likelihood == pytest.approx(
            float(textbook.log_likelihood(x, *theta)), rel=1e-12
        )
        rows = zip(f.trace.weights, f.trace.means, f.trace.stds**2, strict=True)
        s = [float(textbook.penalised_log_likelihood(x, *row)) for row in rows]
        np.testing.assert_allclose(np.diff(f.trace.log_likelihood), np.diff(s), atol=1e-9 * len(x))


# --- compressed and exact -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "constraints", [{}, {"equal_variances": True}, {"fixed": {"means": [0.0, None]}}]
)
def test_exact_passes_end_at_the_optimum_of_the_points(constraints):
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(0, 1, 20_000), rng.normal(1.5, 0.4, 20_000)])
    near, exact = (gmm1d.fit(x, 2, exact=exact, **constraints) for exact in (False, True))
    m = exact.mixture
    assert near.status is exact.status is Ending.CONVERGED
    assert exact.compression_error == 0.0
    direct = textbook.log_likelihood(x.astype(EXACT), m.weights, m.means, m.variances)
    assert exact.log_likelihood == pytest.approx(float(direct), abs=1e-12 * len(x))
    assert abs(near.log_likelihood - exact.log_likelihood) < 1e-9 * len(x)
    assert "from the optimum of the compressed data" in exact.summary()
    assert exact.trace.kind[0] == "optimum"
    fixed = _engine.derivatives(
        *standard(x),
        m.weights,
        m.means,
        m.stds,
        equal_stds="equal_variances" in constraints,
        fixed=[False, False, "fixed" in constraints, False, False, False],
    )
    assert np.abs(fixed[1]).max() < 1e-7 * len(x)


def test_the_compression_error_is_stated():
    x = np.random.default_rng(4).standard_cauchy(60_000)
    f = gmm1d.fit(x, 3)
    error = f"{max(abs(f.compression_error), 1e-13 * (abs(f.log_likelihood) + f.n)):.2g}"
    assert 0 < abs(f.compression_error) < 1e-10 * len(x)
    assert f"compressed: the log-likelihood is known to ± {error}" in f.summary().splitlines()
    assert gmm1d.Fit.from_json(f.to_json()).compression_error == f.compression_error
    m = f.mixture
    direct = float(textbook.log_likelihood(x.astype(EXACT), m.weights, m.means, m.variances))
    assert abs(f.log_likelihood - direct) < 2 * abs(f.compression_error) + 1e-13 * len(x)
