"""The compiled engine against the textbook in long double, against mpmath, and against itself."""

import _thread
import itertools
import threading

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from long_double import EXACT, errors

from gmm1d import _engine, textbook
from gmm1d.sample import Sample

needs_extended = pytest.mark.skipif(
    np.finfo(EXACT).eps > 1e-18, reason="long double is double on this platform"
)


def standard(x, sample_weight=None):
    """The arguments with which the engine sees x as it is."""
    return np.asarray(x, dtype=float), sample_weight, 0.0, 1.0


def ulps(got, exact):
    """The largest distance in units in the last place of the exact value."""
    spacing = [mpmath.mpf(float(np.spacing(abs(float(e))))) for e in exact]
    return max(
        abs(mpmath.mpf(float(g)) - e) / s for g, e, s in zip(got, exact, spacing, strict=True)
    )


@pytest.mark.parametrize("isa", _engine.instruction_sets())
def test_exp_within_two_ulps(isa):
    rng = np.random.default_rng(1)
    x = np.concatenate(
        [rng.uniform(-708, 709, 4000), rng.uniform(-1, 1, 2000), [0.0, -0.0, -708, 709, 1e-300]]
    )
    assert ulps(_engine.exp(x, isa), [mpmath.exp(mpmath.mpf(v)) for v in x]) <= 2
    assert _engine.exp(np.array([-708.5, -1e300, -np.inf]), isa).tolist() == [0.0, 0.0, 0.0]
    assert _engine.exp(np.array([0.0]), isa)[0] == 1.0


@pytest.mark.parametrize("isa", _engine.instruction_sets())
def test_log_within_two_ulps(isa):
    rng = np.random.default_rng(2)
    x = np.concatenate(
        [np.exp(rng.uniform(-700, 700, 4000)), rng.uniform(0.5, 2, 3000), [2.3e-308, 1.7e308, 20.0]]
    )
    assert ulps(_engine.log(x, isa), [mpmath.log(mpmath.mpf(v)) for v in x]) <= 2
    assert _engine.log(np.array([1.0]), isa)[0] == 0.0


@st.composite
def problems(draw):
    """Data and a mixture at any scale, with ties, weights and points far out."""
    k, n = draw(st.integers(1, 20)), draw(st.integers(1, 5000))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-150, 149))
    x = rng.normal(size=n) * draw(st.sampled_from([1, 10]))
    if draw(st.booleans()):
        x = np.round(x, 1)
    if draw(st.booleans()):
        x[rng.integers(n)] = draw(st.sampled_from([-1000.0, 1000.0]))
    weights = rng.dirichlet(np.ones(k))
    sample_weight = rng.exponential(size=n) if draw(st.booleans()) else None
    means, stds = rng.normal(size=k) * 3, np.exp(rng.uniform(-2, 1, k))
    return x * scale, weights, means * scale, stds * scale, sample_weight


@needs_extended
@settings(max_examples=60)
@given(problems())
@example(
    (np.full(5000, 0.1), np.array([0.3, 0.7]), np.array([0.0, 0.2]), np.array([1.0, 0.01]), None)
)
def test_statistics_agree_with_the_textbook_in_long_double(problem):
    assert max(errors(*problem)) <= 1


@given(problems(), st.integers(2, 7))
@settings(max_examples=20)
def test_every_instruction_set_and_any_number_of_threads_give_the_same_bits(problem, threads):
    x, weights, means, stds, sample_weight = problem
    x = np.tile(x, -(-100_000 // len(x)))
    sample_weight = None if sample_weight is None else np.resize(sample_weight, len(x))
    factor = 2.0 ** -np.frexp(np.max(stds))[1]
    arguments = (x, sample_weight, 0.0, factor, weights, means * factor, stds * factor)
    baseline = [_engine.em_sums(*arguments, instruction_set="baseline").tobytes()]
    baseline += [
        part.tobytes() for part in _engine.derivatives(*arguments, instruction_set="baseline")[1:]
    ]
    for isa in _engine.instruction_sets():
        got = [_engine.em_sums(*arguments, threads=threads, instruction_set=isa).tobytes()]
        got += [
            part.tobytes()
            for part in _engine.derivatives(*arguments, threads=threads, instruction_set=isa)[1:]
        ]
        assert got == baseline


def test_integer_weights_are_repeated_points_and_strides_do_not_matter():
    rng = np.random.default_rng(3)
    x, counts = rng.normal(size=777), rng.integers(0, 4, 777)
    mixture = (np.array([0.4, 0.6]), np.array([-1.0, 0.5]), np.array([0.7, 1.3]))
    weighted = _engine.em_sums(*standard(x, counts.astype(float)), *mixture)
    repeated = _engine.em_sums(*standard(np.repeat(x, counts)), *mixture)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-14)
    wide = np.zeros((777, 3))
    wide[:, 1] = x
    assert (
        _engine.em_sums(*standard(wide[:, 1]), *mixture).tobytes()
        == _engine.em_sums(*standard(x), *mixture).tobytes()
    )
    backwards = _engine.em_sums(wide[::-1, 1], None, 0.0, 1.0, *mixture)
    np.testing.assert_allclose(backwards, _engine.em_sums(*standard(x), *mixture), rtol=1e-14)


def test_a_component_without_weight_changes_nothing():
    x = np.random.default_rng(4).normal(size=100)
    one = _engine.em_sums(*standard(x), np.array([1.0]), np.array([0.1]), np.array([1.0]))
    two = _engine.em_sums(
        *standard(x), np.array([1.0, 0.0]), np.array([0.1, 5.0]), np.array([1.0, 1.0])
    )
    assert two[0] == one[0]
    assert two[[2, 4, 6]].tolist() == [0.0, 0.0, 0.0]


def objective(x, parameters, a, v0):
    """Penalised log-likelihood by the textbook, from log-odds, means / stds at the point, log stds."""
    odds, means, logs = np.split(parameters, 3)
    weights, variances = np.exp(odds) / np.exp(odds).sum(), np.exp(2 * logs)
    ratio = v0 / variances
    return textbook.log_likelihood(x, weights, means, variances) - a * np.sum(
        ratio - np.log(ratio) - 1
    )


@pytest.mark.parametrize("a", [0.0, 0.3])
def test_gradient_and_hessian_are_those_of_the_log_likelihood(a):
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(-1, 0.5, 60), rng.normal(1, 1, 90)])
    weights, means, stds = (
        np.array([0.2, 0.5, 0.3]),
        np.array([-1.2, 0.1, 1.5]),
        np.array([0.6, 1.0, 0.8]),
    )
    log_likelihood, counts, gradient, hessian = _engine.derivatives(
        *standard(x), weights, means, stds, penalty=a, penalty_variance=0.7
    )
    centre = np.concatenate([np.log(weights), means, np.log(stds)])
    scale = np.concatenate([np.ones(3), stds, np.ones(3)])

    def along(*directions):
        shifted = centre.copy()
        for index, step in directions:
            shifted[index] += step * scale[index]
        return objective(x.astype(EXACT), shifted.astype(EXACT), a, 0.7)

    h = 1e-4
    numeric = [(along((i, h)) - along((i, -h))) / (2 * h) for i in range(9)]
    np.testing.assert_allclose(gradient, np.array(numeric, dtype=float), atol=1e-5)
    for i, j in itertools.combinations_with_replacement(range(9), 2):
        second = (
            along((i, h), (j, h))
            - along((i, h), (j, -h))
            - along((i, -h), (j, h))
            + along((i, -h), (j, -h))
        )
        assert hessian[i, j] == pytest.approx(float(second / (4 * h * h)), abs=2e-4)
        assert hessian[i, j] == hessian[j, i]
    assert log_likelihood == pytest.approx(
        float(textbook.log_likelihood(x, weights, means, stds**2)), rel=1e-13
    )
    assert counts.sum() == pytest.approx(150, rel=1e-14)


def test_em_takes_the_textbook_steps():
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(-1, 1, 40), rng.normal(1, 0.5, 60)])
    weights, means, variances = np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([1.0, 1.0])
    stop, collapsed, rows = _engine.em(
        *standard(x),
        weights,
        means,
        np.sqrt(variances),
        tol=-1,
        gradient_tol=-1,
        max_iter=20,
    )
    assert (stop, collapsed, rows.shape) == ("max_iter", -1, (21, 7))
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


def test_penalised_em_is_monotone_and_bounded_where_the_likelihood_is_not():
    x = np.concatenate([np.zeros(30), np.random.default_rng(7).normal(5, 1, 10)])
    start = np.array([0.75, 0.25]), np.array([0.0, 5.0]), np.array([0.5, 1.0])
    options = {"tol": -1, "gradient_tol": 1e-10, "max_iter": 5000}
    stop, collapsed, rows = _engine.em(*standard(x), *start, **options)
    assert (stop, collapsed) == ("collapsed", 0)
    assert np.isfinite(rows).all()
    stop, _, rows = _engine.em(
        *standard(x), *start, **options, penalty=1 / 40, penalty_variance=4.0
    )
    assert stop == "gradient"
    assert np.all(np.diff(rows[:, 0]) >= -1e-12 * (np.abs(rows[1:, 0]) + len(x)))


def test_kmeans_is_the_best_of_all_partitions():
    rng = np.random.default_rng(8)
    for n, k in [(1, 1), (4, 4), (9, 3), (11, 4), (12, 2)]:
        x, w = np.sort(rng.normal(size=n)), rng.uniform(0.5, 2, n)

        def cost(starts, x=x, w=w, n=n):
            groups = [slice(a, b) for a, b in itertools.pairwise([*starts, n])]
            return sum(np.sum(w[g] * (x[g] - np.average(x[g], weights=w[g])) ** 2) for g in groups)

        best = min(cost((0, *cuts)) for cuts in itertools.combinations(range(1, n), k - 1))
        assert cost(_engine.kmeans(x, w, k)) == pytest.approx(best, rel=1e-12)


def test_wrong_shapes_are_refused():
    one = np.ones(1)
    with pytest.raises(ValueError, match="differ in length"):
        _engine.em_sums(*standard([1.0, 2.0]), one, np.ones(2), one)
    with pytest.raises(ValueError, match="differ in length"):
        _engine.em_sums(*standard([1.0, 2.0], one), one, one, one)
    with pytest.raises(ValueError, match="no values"):
        _engine.em_sums(*standard([]), one, one, one)
    with pytest.raises(ValueError, match="no kernel"):
        _engine.em_sums(*standard([1.0]), one, one, one, instruction_set="mmx")
    with pytest.raises(ValueError, match="k must be"):
        _engine.kmeans(one, one, 2)


def test_a_keyboard_interrupt_ends_the_climb_at_its_last_point():
    x = np.random.default_rng(9).normal(size=200_000)
    sample = Sample.of(x)
    k = 8
    start = np.full(k, 1 / k), np.linspace(-1, 1, k), np.ones(k)
    threading.Timer(0.3, _thread.interrupt_main).start()
    stop, _, rows = _engine.em(
        sample.points,
        None,
        sample.centre,
        1 / sample.unit,
        *start,
        tol=-1,
        gradient_tol=-1,
        max_iter=10**9,
    )
    assert stop == "interrupted"
    assert len(rows) > 1
    assert np.isfinite(rows).all()
