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

from gmm1d import _engine
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
    """Data and a mixture at any scale, in order or not, with ties, weights and points far out."""
    k, n = draw(st.integers(1, 20)), draw(st.integers(1, 5000))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-150, 149))
    x = rng.normal(size=n) * draw(st.sampled_from([1, 10]))
    if draw(st.booleans()):
        x = np.round(x, 1)
    if draw(st.booleans()):
        x[rng.integers(n)] = draw(st.sampled_from([-1000.0, 1000.0]))
    if draw(st.booleans()):
        x.sort()  # of neighbours, most components hold nothing: the pass leaves them out
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


THREE = {"method": "newton", "tol": -1, "max_iter": 3}


def bits(found):
    """The bytes of everything in a tuple of arrays, numbers and words."""
    return [each.tobytes() if isinstance(each, np.ndarray) else repr(each) for each in found]


@given(problems(), st.integers(2, 7))
@settings(max_examples=20)
def test_every_instruction_set_and_any_number_of_threads_give_the_same_bits(problem, threads):
    x, weights, means, stds, sample_weight = problem
    x = np.tile(x, -(-100_000 // len(x)))
    sample_weight = None if sample_weight is None else np.resize(sample_weight, len(x))
    factor = 2.0 ** -np.frexp(np.max(stds))[1]
    arguments = (x, sample_weight, 0.0, factor, weights, means * factor, stds * factor)
    baseline = _engine.em_sums(*arguments, instruction_set="baseline").tobytes()
    climbed = bits(_engine.climb(*arguments, **THREE, instruction_set="baseline"))
    for isa in _engine.instruction_sets():
        sums = _engine.em_sums(*arguments, threads=threads, instruction_set=isa)
        assert sums.tobytes() == baseline
        found = _engine.climb(*arguments, **THREE, threads=threads, instruction_set=isa)
        assert bits(found) == climbed
    one, many = (_engine.derivatives(*arguments, threads=each) for each in (1, threads))
    assert bits(one) == bits(many)


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
    stop, _, _, rows, measures, covariance = _engine.climb(
        sample.points,
        None,
        sample.centre,
        1 / sample.unit,
        *start,
        method="em",
        tol=-1,
        max_iter=10**9,
    )
    assert (stop, measures, covariance) == ("interrupted", None, None)
    assert len(rows) > 1
    assert np.isfinite(rows).all()
