"""Sketch: its moments, nodes and errors against the points themselves, and the laws of adding, threads and files."""

import _thread
import copy
import math
import pickle
import re
import struct
import threading
import zlib
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gmm1d import _engine
from gmm1d.errors import InputError
from gmm1d.sketch import Sketch

N = 120_000
INSTRUCTION_SETS = _engine.instruction_sets()


def normals(seed, weights, means, stds, n=N):
    """Draw from a mixture."""
    rng = np.random.default_rng(seed)
    z = rng.choice(len(weights), n, p=np.array(weights) / np.sum(weights))
    return rng.normal(np.array(means, float)[z], np.array(stds, float)[z])


CLAW = ([0.5] + [0.1] * 5, [0, -1, -0.5, 0, 0.5, 1], [1] + [0.1] * 5)
PROBLEMS = {
    "MW6": ([0.5, 0.5], [-1, 1], [2 / 3, 2 / 3]),
    "claw": CLAW,
    "comb": (
        [32 / 63 / 2**j for j in range(6)],
        [(65 - 96 / 2**j) / 21 for j in range(6)],
        [32 / 63 / 2**j for j in range(6)],
    ),
    "1.5 sd": ([0.5, 0.5], [0, 1.5], [1, 1]),
    "10 sd": ([0.5, 0.5], [0, 10], [1, 1]),
    "stds 1 and 1/20": ([0.5, 0.5], [0, 0], [1, 0.05]),
    "scales of 1e5": ([0.3, 0.3, 0.4], [0, 50, 1000], [1e-3, 1, 100]),
}


def parameters(problem):
    """Return weights with the sum 1, means and stds."""
    w, m, s = (np.array(column, float) for column in problem)
    return w / w.sum(), m, s


def log_likelihood(values, counts, problem):
    """Sum the log density, without -n/2 log(2 pi), as the engine does over points."""
    return _engine.em_sums(values, counts, 0.0, 1.0, *parameters(problem))[0]


def state(sketch):
    """Return all that a sketch holds."""
    return sketch.to_bytes()


def same(a, b):
    return state(a) == state(b)


def check_nodes(sketch, x, w=None):
    """Nodes are a weighted sample of the promised form; return them."""
    values, counts = sketch.nodes()
    assert values.dtype == counts.dtype == np.float64
    assert np.all(np.diff(values) > 0)
    assert np.all(counts > 0)
    assert np.isfinite(values).all()
    n = x.size if w is None else float(np.sum(w))
    assert counts.sum() == pytest.approx(n, rel=1e-14)
    assert sketch.n == pytest.approx(n, rel=1e-15)
    kept = x if w is None else x[w > 0]
    assert (sketch.low, sketch.high, sketch.size) == (kept.min(), kept.max(), x.size)
    assert values[0] >= kept.min()
    assert values[-1] <= kept.max()
    return values, counts


# The moments of a leaf and their quadrature


def rational_moments(x, w, centre, half):
    u = [(Fraction(v) - Fraction(centre)) / Fraction(half) for v in x.tolist()]
    return [
        sum((Fraction(c) * v**p for v, c in zip(u, w.tolist(), strict=True)), Fraction())
        for p in range(8)
    ]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [0.0, -1e6, 3e-9])
def test_leaves_hold_the_moments_of_their_points(weighted, offset):
    x = np.random.default_rng(4).normal(offset, 1, 30_000)
    w = np.random.default_rng(5).uniform(0, 3, x.size) if weighted else np.ones(x.size)
    sketch = Sketch().add(x, w if weighted else None)
    indices, exponents, sums = sketch._sums.leaves()
    held = np.sort(sketch._sums.exact()[0])
    assert len(indices) > 500
    for j, e, moments in list(zip(indices.tolist(), exponents.tolist(), sums, strict=True))[::100]:
        left, right = math.ldexp(j, e), math.ldexp(j + 1, e)
        inside = (x >= left) & (x < right) & ~np.isin(x, held)
        centre, half = math.ldexp(2 * j + 1, e - 1), math.ldexp(1, e - 1)
        exact = rational_moments(x[inside], w[inside], centre, half)
        np.testing.assert_allclose(
            moments, [float(m) for m in exact], rtol=0, atol=1e-14 * moments[0]
        )
        if not weighted:
            assert moments[0] == inside.sum()


def one_leaf(moments):
    """Return the nodes of the leaf [-1, 1) with these moments, seen from inside a sketch."""
    columns = (np.array([0]), np.array([1]), np.array([moments], float), np.empty(0), np.empty(0))
    sums = _engine.Sketch.restore(65536, *columns, 1, 0.0, 2.0, False, 1.0, 0, True)
    values, counts = sums.nodes(1.0, 1.0)
    return values, counts


@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1, 1)),
    st.sampled_from([1.0, 1e-3, 1e-6, 1e-9]),
    st.floats(-0.9, 0.9),
    st.data(),
)
def test_nodes_have_the_moments_of_orders_0_to_5(u, spread, shift, data):
    w = data.draw(hnp.arrays(np.float64, u.size, elements=st.floats(1e-3, 1e3)))
    u = np.clip(u * spread + shift, -1, 1)
    moments = [math.fsum((w * u**p).tolist()) for p in range(8)]
    v, c = one_leaf(moments)
    assert 1 <= v.size <= 3
    assert np.all(np.diff(v) > 0)
    assert np.all(c > 0)
    assert np.abs(v).max() <= 1
    for p in range(6):
        assert (c * v**p).sum() == pytest.approx(moments[p], rel=0, abs=2e-12 * moments[0])


def test_nodes_of_equally_spread_points_are_those_of_gauss_and_legendre():
    moments = [0 if p % 2 else 2 / (p + 1) for p in range(8)]
    v, c = one_leaf(moments)
    expected, weights = np.polynomial.legendre.leggauss(3)
    np.testing.assert_allclose(v, expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(c, weights, rtol=1e-14)


@pytest.mark.parametrize("values", [[0.3], [-1.0, 0.5], [-0.9, 0.1, 0.11], [0.2, 0.201]])
def test_as_few_values_as_nodes_are_the_nodes(values):
    moments = [math.fsum(v**p for v in values) for p in range(8)]
    v, c = one_leaf(moments)
    np.testing.assert_allclose(v, values, rtol=0, atol=1e-9)
    np.testing.assert_allclose(c, 1, rtol=1e-5)


# What a fit needs


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_log_likelihood_is_that_of_the_points(name):
    problem = PROBLEMS[name]
    x = normals(1, *problem)
    sketch = Sketch().add(x)
    values, counts = check_nodes(sketch, x)
    assert values.size < 15_000
    assert not sketch.coarsened
    exact, here = log_likelihood(x, None, problem), log_likelihood(values, counts, problem)
    assert abs(here - exact) < 1e-12 * x.size
    assert abs(sketch.error(*parameters(problem))) < 1e-12 * x.size


@pytest.mark.parametrize("name", list(PROBLEMS)[:6])
@pytest.mark.parametrize("most", [40, 60, 100, 160, 250])
def test_the_estimate_of_the_error_is_the_error(name, most):
    problem = PROBLEMS[name]
    x = normals(2, *problem)
    sketch = Sketch().add(x)
    coarse = sketch._sums.coarse(most)
    assert coarse.n_leaves <= most
    assert coarse.coarsened
    error = log_likelihood(*coarse.nodes(0.0, 1.0), problem) - log_likelihood(x, None, problem)
    estimate = coarse.error(*parameters(problem))
    _, exponents, _ = coarse.leaves()
    if 2.0 ** exponents.max() <= 0.5 * min(problem[2]) and abs(error) > 1e-12 * x.size:
        assert 0.4 < estimate / error < 2.5
    else:
        assert abs(error) <= 3 * abs(estimate) + 1e-12 * x.size


def test_a_rough_look_has_fewer_nodes_and_the_same_points():
    x = normals(2, *CLAW)
    sketch = Sketch().add(x)
    before = state(sketch)
    values, counts = sketch.nodes(max_leaves=300)
    assert values.size < 1300
    assert counts.sum() == pytest.approx(x.size, rel=1e-14)
    assert (counts * values).sum() == pytest.approx(x.sum(), abs=1e-7)
    assert state(sketch) == before


@pytest.mark.parametrize(("share", "std"), [(1e-3, 1e-3), (2e-4, 1e-5), (1e-2, 1e-6), (1e-3, 1e-8)])
def test_a_rare_narrow_component_is_noticed_and_refined(share, std):
    problem = ([1 - share, share], [0, 0.3], [1, std])
    x = normals(3, *problem, n=300_000)
    sketch = Sketch().add(x)
    exact = log_likelihood(x, None, problem)
    refined = sketch.again(*parameters(problem)).add(x)
    assert abs(log_likelihood(*refined.nodes(), problem) - exact) < 1e-9 * x.size
    assert abs(refined.error(*parameters(problem))) < 1e-10 * x.size
    error = log_likelihood(*sketch.nodes(), problem) - exact
    assert abs(error) < 10 * abs(sketch.error(*parameters(problem))) + 1e-10 * x.size
    check_nodes(refined, x)


def test_a_sum_of_sketches_says_when_its_points_must_be_read_again():
    problem = ([0.9997, 0.0003], [0, 0.3], [1, 1e-5])
    x = normals(3, *problem, n=800_000)
    parts = np.array_split(x, 8)
    merged = sum(Sketch().add(part) for part in parts)
    again = merged.again()
    finer = sum(copy.copy(again).add(part) for part in parts)
    exact = log_likelihood(x, None, problem)
    assert abs(log_likelihood(*merged.nodes(), problem) - exact) > 1
    assert abs(log_likelihood(*finer.nodes(), problem) - exact) < 1e-9 * x.size
    check_nodes(finer, x)
    assert finer.again() is None
    assert Sketch().add(G).again() is None
    assert Sketch().again() is None


def test_refinement_keeps_the_bound_on_leaves():
    x = normals(3, *CLAW)
    sketch = Sketch(256).add(x)
    assert sketch.coarsened
    refined = sketch.again(*parameters(CLAW)).add(x)
    assert refined.n_leaves <= 256
    assert refined.max_leaves == 256


# Any data


G = np.random.default_rng(6).normal(size=60_000)
NASTY = {
    "at 1e6 sd": G + 1e6,
    "at 1e14 sd": G + 1e14,
    "1e-150": G * 1e-150,
    "1e150": G * 1e150,
    "1e300": G * 1e300,
    "1e-300": G * 1e-300,
    "below normal": G * 1e-315,
    "one outlier": np.append(G, 1e9),
    "far outliers": np.append(G, [1e300, -1e300, 1.7e308, -1.7e308, 5e-324]),
    "all exponents": np.ldexp(G, np.random.default_rng(7).integers(-900, 900, G.size)),
    "all equal": np.full(50_000, 0.1),
    "all equal but one": np.append(np.full(50_000, 3.3), 4),
    "whole numbers": np.round(1000 * G),
    "two decimals": np.round(G, 2),
    "zeros": np.where(G > 1, G, 0.0),
    "negative zeros": np.where(G > 1, G, -0.0),
    "Cauchy": np.random.default_rng(8).standard_cauchy(60_000),
    "lognormal": np.exp(1.5 * G),
    "sorted": np.sort(G),
    "two far clusters": np.concatenate([G * 1e-5, 1e5 + G]),
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_data(name):
    x = NASTY[name]
    sketch = Sketch().add(x)
    values, counts = check_nodes(sketch, x)
    assert sketch.n_leaves <= 2**14
    if name in ("all equal", "all equal but one", "whole numbers", "two decimals"):
        expected, numbers = np.unique(x + 0.0, return_counts=True)
        np.testing.assert_array_equal(values, expected)
        np.testing.assert_array_equal(counts, numbers)
        assert not np.signbit(values[values == 0]).any()
        return
    if name in ("below normal", "all exponents"):
        return  # which have no unit in which the squares are float64
    centre, unit = float(np.median(x)), float(np.subtract(*np.quantile(x, [0.95, 0.05])))
    with np.errstate(all="ignore"):
        z, v = (x / unit - centre / unit), (values / unit - centre / unit)
        points, nodes = 1 / (1 + (z / 4) ** 2), 1 / (1 + (v / 4) ** 2)
    assert (counts * nodes).sum() == pytest.approx(points.sum(), rel=1e-9)
    if "zeros" in name:
        zero = np.searchsorted(values, 0)
        assert (values[zero], counts[zero]) == (0, np.sum(x == 0))
        assert not np.signbit(values[zero])


def test_outliers_stay_what_they_are():
    outliers = [1e9 / 3, -7.1e12, 1e300 / 7]
    values, counts = Sketch().add(np.append(G, outliers)).nodes()
    where = np.searchsorted(values, outliers)
    assert values[where].tolist() == outliers
    assert counts[where].tolist() == [1, 1, 1]


def test_values_that_come_often_stay_exact_among_others():
    often = [0.1, 1 / 3, -0.7]
    x = np.random.default_rng(9).permutation(np.concatenate([np.repeat(often, 5000), G]))
    values, counts = Sketch().add(x).nodes()
    where = np.searchsorted(values, often)
    assert values[where].tolist() == often
    assert counts[where].tolist() == [5000] * 3


def test_few_points_are_kept_as_they_are():
    x = np.round(G[:10_000], 3)
    w = np.random.default_rng(1).integers(0, 4, x.size)
    values, counts = Sketch().add(x, w).nodes()
    expected = np.unique(x[w > 0])
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(counts, [w[x == v].sum() for v in expected])


def test_nodes_are_standardised_without_loss():
    x = G + 2.0**40
    sketch = Sketch().add(x)
    centre = float(np.median(x))
    v, c = sketch.nodes(centre, 0.25)
    w = sketch.nodes()[0]
    assert np.all(np.diff(v) > 0)
    np.testing.assert_allclose(
        v[:: v.size // 50], ((w - centre) / 0.25)[:: v.size // 50], atol=0.01
    )
    z = (x - centre) / 0.25
    assert (c * v).sum() == pytest.approx(z.sum(), rel=1e-12)
    assert (c * v**2).sum() == pytest.approx((z**2).sum(), rel=1e-12)


# Types, threads, instruction sets


def test_types_strides_and_memory_maps_give_the_same_bits(tmp_path):
    x = np.round(G * 1000).astype(np.int64)
    x[0] = 2**53 + 1
    expected = state(Sketch().add(x.astype(float)))
    np.save(tmp_path / "x.npy", x.astype(float))
    forms = [x, x.tolist(), np.repeat(x, 3)[::3], np.load(tmp_path / "x.npy", mmap_mode="r")]
    forms += [
        x.astype(float)[::-1][::-1],
        x.astype(">f8"),
        np.array([(1, v) for v in x], "i1,f8")["f1"],
    ]
    for form in forms:
        assert state(Sketch().add(form)) == expected
    single = G.astype(np.float32)
    assert same(Sketch().add(single), Sketch().add(single.astype(float)))
    w = np.arange(G.size) % 7
    assert same(Sketch().add(G, w), Sketch().add(G, np.repeat(w.astype(float), 2)[::2]))


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_and_instruction_sets_leave_no_trace(weighted):
    x = np.append(normals(1, *CLAW, n=700_001), np.random.default_rng(1).standard_cauchy(99))
    w = np.random.default_rng(2).uniform(0, 2, x.size) if weighted else None
    found = set()
    for isa in INSTRUCTION_SETS:
        for threads in (1, 2, 3, 16):
            sums = _engine.Sketch(65536)
            assert sums.add(x, w, threads, isa)
            found.add(b"".join(a.tobytes() for a in (*sums.leaves(), *sums.exact())))
    assert len(found) == 1


@pytest.mark.parametrize("size", [16_385, 17_000, 131_073, 262_145, 1_048_577])
def test_every_point_is_read_once(size):
    x = np.random.default_rng(size).normal(size=size)
    check_nodes(Sketch().add(x, threads=2), x)


def test_more_distinct_values_than_fit_become_leaves_on_the_way():
    x = np.tile(np.random.default_rng(1).permutation(150_000) / 3.0, 3)
    x[:200_000] = 7.0
    sketch = Sketch().add(x)  # the pilot sees many ties
    values, counts = check_nodes(sketch, x)
    assert values.size < 25_000
    assert (counts * values).sum() == pytest.approx(x.sum(), rel=1e-13)
    assert counts[np.searchsorted(values, 7.0)] >= 200_000


# Weights


def test_zero_weights_are_no_points():
    x = np.append(G, [1e9, -1e9])
    w = np.append(np.ones(G.size), [0, 0])
    sketch = Sketch().add(x, w)
    assert (sketch.low, sketch.high, sketch.n) == (G.min(), G.max(), G.size)
    assert sketch.nodes()[0][-1] <= G.max()
    nothing = Sketch().add(G, np.zeros(G.size))
    assert (nothing.n, nothing.size) == (0, G.size)
    with pytest.raises(InputError, match="the Sketch is empty"):
        nothing.nodes()


@pytest.mark.parametrize("size", [3000, 60_000])
@pytest.mark.parametrize("scale", [1e-100, 0.5, 1e100])
def test_weights_of_any_size(size, scale):
    x, w = G[:size], scale * np.random.default_rng(1).uniform(0.1, 2, size)
    values, counts = check_nodes(Sketch().add(x, w), x, w)
    assert (counts * values**2).sum() == pytest.approx((w * x**2).sum(), rel=1e-12)


def test_whole_weights_are_repeated_points():
    w = np.random.default_rng(1).integers(1, 5, G.size)
    weighted, repeated = Sketch().add(G, w), Sketch().add(np.repeat(G, w))
    assert weighted.n == repeated.n
    f = [(c * np.cos(v)).sum() for v, c in (weighted.nodes(), repeated.nodes())]
    assert f[0] == pytest.approx(f[1], rel=1e-13)


# Adding


def test_chunks_and_parts_are_the_whole():
    problem = CLAW
    x = normals(5, *problem, n=300_000)
    parts = np.array_split(x, [500, 1000, 40_000, 41_000, 120_000])
    chunked = Sketch()
    for part in parts:
        chunked.add(part)
    added = sum(Sketch().add(part) for part in parts)
    exact = log_likelihood(x, None, problem)
    for sketch in (chunked, added):
        values, counts = check_nodes(sketch, x)
        assert abs(log_likelihood(values, counts, problem) - exact) < 1e-12 * x.size


@pytest.mark.parametrize("name", ["claw", "Cauchy", "whole numbers"])
def test_the_order_and_the_grouping_of_parts_leave_no_trace(name):
    rng = np.random.default_rng(1)
    x = {
        "claw": lambda: normals(5, *CLAW, n=400_000),
        "Cauchy": lambda: rng.standard_cauchy(400_000),
        "whole numbers": lambda: rng.integers(0, 3000, 400_000) * 1.0,
    }[name]()
    problem = CLAW if name == "claw" else ([0.6, 0.3, 0.1], [0, 0, 0], [1, 5, 100])
    exact = _engine.em_sums(x, None, 0.0, 1.0, *parameters(problem))
    sketches = [Sketch().add(part) for part in np.array_split(x, 50)]
    for seed in (1, 2, 3):
        order, left = np.random.default_rng(seed), list(sketches)
        while len(left) > 1:
            i, j = order.choice(len(left), 2, replace=False)
            both = left[i] + left[j]
            left = [s for k, s in enumerate(left) if k not in (i, j)] + [both]
        values, counts = check_nodes(left[0], x)
        assert not left[0].coarsened
        sums = _engine.em_sums(values, counts, 0.0, 1.0, *parameters(problem))
        assert abs(sums[0] - exact[0]) < 1e-12 * x.size
        error = (sums[1:] - exact[1:]).reshape(3, -1) / exact[1:].reshape(3, -1)[0]
        assert np.abs(error).max() < 1e-11  # of what EM makes weights, means and stds


def test_adding_is_commutative_and_changes_no_operand():
    a, b = Sketch().add(G * 3), Sketch().add(np.exp(G))
    before = state(a), state(b)
    assert same(a + b, b + a)
    assert (state(a), state(b)) == before
    assert same(a + Sketch(), a)
    assert same(Sketch() + a, a)
    assert (a + a).n == 2 * a.n


def leaves_of(sketch):
    indices, exponents, _ = sketch._sums.leaves()
    return list(zip(indices.tolist(), exponents.tolist(), strict=True))


def test_where_resolutions_differ_the_coarser_one_stays():
    a, b = Sketch().add(G), Sketch().add(G * 30)
    both = leaves_of(a + b)
    edges = sorted((math.ldexp(j, e), math.ldexp(j + 1, e)) for j, e in both)
    assert all(left[1] <= right[0] for left, right in pairwise(edges))
    coarsest = set(leaves_of(a)) | set(leaves_of(b))
    assert set(both) <= coarsest
    abc = [Sketch().add(G * k + k) for k in (1, 2, 5)]
    left, right = (abc[0] + abc[1]) + abc[2], abc[0] + (abc[1] + abc[2])
    assert leaves_of(left) == leaves_of(right)
    moments = [s._sums.leaves()[2] for s in (left, right)]
    np.testing.assert_allclose(*moments, rtol=0, atol=1e-13 * moments[0].max())


def test_something_else_is_not_added():
    with pytest.raises(TypeError):
        Sketch() + 1
    with pytest.raises(TypeError):
        Sketch() + np.ones(3)


def test_many_leaves_are_put_together():
    sketch = Sketch(256).add(G)
    assert sketch.coarsened
    assert sketch.n_leaves <= 256
    values, counts = check_nodes(sketch, G)
    assert (counts * np.cos(values)).sum() == pytest.approx(np.cos(G).sum(), rel=1e-9)
    assert (sketch + Sketch(256)).coarsened
    spread = Sketch(300)
    for k in range(40):
        spread.add(G[:20_000] * 1e-3 + k * 1e3)
    assert spread.n_leaves <= 300
    assert len(spread._sums.exact()[0]) < 2**16
    assert spread.n == 800_000


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3)), min_size=1, max_size=6))
def test_adding_keeps_sums(pieces):
    rng = np.random.default_rng(1)
    parts = [rng.normal(m, s, 20_000) for m, s in pieces]
    values, counts = sum((Sketch().add(part) for part in parts), Sketch()).nodes()
    x = np.concatenate(parts)
    scale = np.abs(x).max()
    assert counts.sum() == pytest.approx(x.size, rel=1e-14)
    for p in (1, 2, 3):
        ours, theirs = (counts * (values / scale) ** p).sum(), ((x / scale) ** p).sum()
        assert ours == pytest.approx(theirs, abs=1e-11 * x.size)


# Refusals


@pytest.mark.parametrize("size", [10, 60_000, 600_000])
@pytest.mark.parametrize("where", [0, 7, -1])
@pytest.mark.parametrize(
    ("value", "sentence"), [(np.nan, "data with NaN"), (-np.inf, "data with -infinity")]
)
def test_bad_points_are_refused_and_nothing_is_added(size, where, value, sentence):
    sketch = Sketch().add(G)
    before = state(sketch)
    x = np.zeros(size) + np.arange(size) / 7
    x[where] = value
    index = range(size)[where]
    with pytest.raises(InputError, match=f"^{sentence} at index {index} \\(1 of {size} values\\)"):
        sketch.add(x, threads=2)
    assert state(sketch) == before


@pytest.mark.parametrize("size", [10, 60_000])
@pytest.mark.parametrize(
    ("value", "sentence"),
    [(np.nan, "NaN"), (np.inf, "infinity"), (-1e-300, "a negative value")],
)
def test_bad_weights_are_refused_and_nothing_is_added(size, value, sentence):
    sketch = Sketch()
    w = np.ones(size)
    w[5] = value
    with pytest.raises(InputError, match=f"^sample_weight with {sentence} at index 5"):
        sketch.add(np.arange(size) / 7, w)
    assert sketch.size == 0


def test_an_interrupt_ends_the_reading_and_nothing_is_added():
    sketch = Sketch().add(G)
    before = state(sketch)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sketch.add(np.broadcast_to(0.5, 10**11))
    timer.join()
    assert state(sketch) == before


def test_other_refusals():
    with pytest.raises(InputError, match="sample_weight of 2 values for 3 points"):
        Sketch().add([1, 2, 3], [1, 2])
    with pytest.raises(InputError, match="no data: the list is empty"):
        Sketch().add([])
    with pytest.raises(InputError, match="sample_weight adds up to inf"):
        Sketch().add([1.0, 2.0], [1e308, 1e308])
    with pytest.raises(InputError, match="the Sketch is empty"):
        Sketch().nodes()
    for wrong in (255, 2**16 + 1, 1000.0, True, "many", None):
        with pytest.raises(InputError, match="give a number from 256 to 65536"):
            Sketch(wrong)
    with pytest.raises(InputError, match="weights have the sum"):
        Sketch().add(G).error([0.5, 0.4], [0, 1], [1, 1])


# Files


SKETCHES = {
    "empty": Sketch,
    "values": lambda: Sketch(1000).add([1.5, -2.0, 1e300]),
    "leaves": lambda: Sketch().add(np.append(G, 1e9)),
    "weights": lambda: Sketch(256).add(G, np.abs(G)),
}


@pytest.mark.parametrize("name", SKETCHES)
def test_a_sketch_survives_files_pickles_and_copies(name, tmp_path):
    sketch = SKETCHES[name]()
    sketch.save(tmp_path / "s.sketch")
    assert [path.name for path in tmp_path.iterdir()] == ["s.sketch"]
    others = [Sketch.load(tmp_path / "s.sketch"), pickle.loads(pickle.dumps(sketch))]
    others += [copy.copy(sketch), copy.deepcopy(sketch), Sketch.from_bytes(sketch.to_bytes())]
    for other in others:
        assert same(other, sketch)
        assert repr(other) == repr(sketch)
        assert other.coarsened == sketch.coarsened
        assert same(other + Sketch().add([3.0]), sketch + Sketch().add([3.0]))
    others[0].add([1.0])
    assert not same(others[0], sketch)


def test_a_file_is_small():
    assert len(Sketch().add(G).to_bytes()) < 400_000


def changed(data, offset, code, value, checksum=True):
    """Put a number into the bytes of a sketch, with a checksum that is right."""
    out = bytearray(data)
    struct.pack_into(code, out, offset, value)
    if checksum:
        struct.pack_into("<I", out, 52, zlib.crc32(out[56:]))
    return bytes(out)


def of_version_1(data):
    """Return the bytes of a sketch as the first version of the format had them."""
    out = bytearray(data[:56] + data[72:])
    struct.pack_into("<I", out, 8, 1)
    struct.pack_into("<I", out, 48, struct.unpack_from("<I", out, 48)[0] & 1)
    struct.pack_into("<I", out, 52, zlib.crc32(out[56:]))
    return bytes(out)


def damaged():
    data = Sketch().add(np.append(G, 1e9)).to_bytes()
    n_leaves, n_values = struct.unpack_from("<II", data, 16)
    exponents = 72 + 8 * n_leaves
    values = exponents + 4 * n_leaves
    moments = values + 16 * n_values
    return {
        "empty": (b"", "this is no sketch"),
        "text": (b"1.0\n2.0\n" * 100, "this is no sketch"),
        "header only": (data[:30], "it ends within its header"),
        "cut": (data[:-8], "its length is not what its header says"),
        "longer": (data + b"\0", "its length is not what its header says"),
        "version": (changed(data, 8, "<I", 3), "written by a newer gmm1d"),
        "version 0": (changed(data, 8, "<I", 0), "its header makes no sense"),
        "bound": (changed(data, 12, "<I", 2**20), "its header makes no sense"),
        "many leaves": (changed(data, 16, "<I", 2**32 - 1), "too many leaves or values"),
        "many values": (changed(data, 20, "<I", 2**31), "too many leaves or values"),
        "size": (changed(data, 24, "<q", -1), "its header makes no sense"),
        "2^63 points": (changed(data, 24, "<q", 2**63 - 1), "its header makes no sense"),
        "no points": (changed(data, 24, "<q", 0), "its extremes are not those of its points"),
        "low": (changed(data, 32, "<d", math.nan), "its extremes are not those of its points"),
        "high": (changed(data, 40, "<d", 3.0), "its extremes are not those of its points"),
        "flag": (changed(data, 48, "<I", 4), "its header makes no sense"),
        "flag of version 1": (changed(of_version_1(data), 48, "<I", 2), "header makes no sense"),
        "squares": (changed(data, 56, "<d", 1.0), "its weights have no such squares"),
        "more squares": (changed(data, 56, "<d", 1e12), "its weights have no such squares"),
        "negative": (changed(data, 56, "<d", -1.0), "its weights have no such squares"),
        "power": (changed(data, 64, "<q", 2**62), "its weights have no such squares"),
        "power of NaN": (
            changed(changed(data, 56, "<d", math.nan), 64, "<q", 1 << 40),
            "its weights have no such squares",
        ),
        "bit": (changed(data, moments + 64, "<d", 3.25, checksum=False), "its checksum is wrong"),
        "order": (changed(data, 72, "<q", 10**6), "its leaves are out of order"),
        "index": (changed(data, 72, "<q", 2**60), "it has a leaf out of range"),
        "exponent": (changed(data, exponents, "<i", 5000), "it has a leaf out of range"),
        "value": (changed(data, values, "<d", math.inf), "its values are out of order"),
        "weight": (
            changed(data, values + 8 * n_values, "<d", -1.0),
            "a weight that is not positive",
        ),
        "heavy": (
            changed(changed(data, moments, "<d", 1.7e308), values + 8 * n_values, "<d", 1.7e308),
            "its weights add up to no float64",
        ),
        "moment": (changed(data, moments, "<d", math.nan), "moments that are not finite"),
        "m_0": (changed(data, moments, "<d", -1.0), "moments that no points have"),
        "m_2": (changed(data, moments + 16, "<d", 1e9), "moments that no points have"),
    }


DAMAGED = damaged()


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused(name, tmp_path):
    data, sentence = DAMAGED[name]
    path = tmp_path / "bad.sketch"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"bad.sketch: .*{re.escape(sentence)}"):
        Sketch.load(path)
    with pytest.raises(InputError, match=re.escape(sentence)):
        Sketch.from_bytes(data)


@given(st.data())
def test_no_bytes_crash(data):
    original = Sketch().add(np.append(G[:2000], 1e9)).to_bytes()
    changed_bytes = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        changed_bytes[data.draw(st.integers(8, 200))] = data.draw(st.integers(0, 255))
    struct.pack_into("<I", changed_bytes, 52, zlib.crc32(changed_bytes[56:]))
    try:
        sketch = Sketch.from_bytes(bytes(changed_bytes))
    except InputError:
        return
    values, counts = (sketch + Sketch().add(G[:100])).nodes()
    assert np.all(np.diff(values) > 0)
    assert np.all(counts > 0)


def test_a_value_let_out_of_a_leaf_stays_within_the_extremes():
    rng = np.random.default_rng(273)  # the extreme value came out of its leaf with a rounding error
    rng.integers(1, 4)
    x = rng.standard_cauchy(rng.integers(16_500, 60_000))
    sketch = Sketch().add(x * 10.0 ** rng.integers(-3, 3) + rng.integers(0, 5))
    assert same(Sketch.from_bytes(sketch.to_bytes()), sketch)


def test_points_are_counted_without_overflow():
    for weights in ([1, 1], [0, 0]):
        data = Sketch().add([1.0, 2.0], weights).to_bytes()
        half = Sketch.from_bytes(changed(data, 24, "<q", 2**52))
        assert (half + half).size == 2**53
        with pytest.raises(InputError, match=r"more than 2\*\*53 points"):
            half + half + half


ABSURD = {
    "nodes": [
        *[(math.nan, 1), ("a", 1), ([0.0], 1), (10**400, 1), (0, 0), (0, -1), (0, math.nan)],
        *[(0, None), (0, 5e-324), (0, 1, 0), (0, 1, 1.5), (0, 1, True), (0, 1, "a")],
    ],
    "from_bytes": [("abc",), (5,), (None,), (-1,), ([1],), (10**400,)],
    "load": [(None,), (5,), (b"a",), ("a\0b",)],
    "save": [(None,), (5,)],
    "__init__": [(10**5000,), (np.eye(2),), ("a",)],
}


@pytest.mark.parametrize(("method", "arguments"), [(m, a) for m in ABSURD for a in ABSURD[m]])
def test_absurd_arguments_are_one_sentence(method, arguments):
    with pytest.raises(InputError) as caught:
        getattr(Sketch().add([1.0, 2.0, 4.0]), method)(*arguments)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("threads", ["a", 0, -1, 1.5, True, math.nan, [1], np.eye(2)])
def test_threads_are_a_whole_number(threads):
    sketch = Sketch()
    with pytest.raises(InputError, match="threads must be a whole number from 1 on"):
        sketch.add([1.0, 2.0], threads=threads)
    assert sketch.size == 0


def test_repr():
    assert repr(Sketch()) == "Sketch(no points)"
    assert repr(Sketch().add([2.0])) == "Sketch(1 point from 2 to 2)"
    assert (
        repr(Sketch().add([1, 3], [0.5, 1])) == "Sketch(2 points of total weight 1.5 from 1 to 3)"
    )
