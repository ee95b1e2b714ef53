"""Laws that every Mixture obeys: inverse, complement, equivariance under a x + b, areas, labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmm1d import Mixture

# eighths, so that sums with whole offsets and products with powers of two are exact
means = st.integers(-80, 80).map(lambda i: i / 8)
stds = st.sampled_from([2.0**e for e in range(-8, 9)]) | st.floats(0.05, 20)
rows = st.lists(st.tuples(st.integers(1, 20), means, stds), min_size=1, max_size=5)


def build(rows):
    w, mu, s = (np.array(column, float) for column in zip(*rows, strict=True))
    return Mixture(w / w.sum(), mu, s)


mixtures = rows.map(build)
probabilities = st.floats(1e-300, 1, exclude_max=True) | st.floats(-300, -1e-3).map(
    lambda e: 10.0**e
)


@given(mixtures, st.lists(probabilities, min_size=1, max_size=20))
def test_quantiles_invert_the_distribution_function(m, q):
    q = np.array(q)
    for inverse, function, side in ((m.ppf, m.cdf, 1), (m.isf, m.sf, -1)):
        x = inverse(q)
        error = np.abs(function(x) - q)
        neighbours = (
            function(np.nextafter(x, -side * np.inf)),
            function(np.nextafter(x, side * np.inf)),
        )
        slack = 1e-12 * np.minimum(q, 1 - q) + np.finfo(float).eps * (q > 0.5)
        between = (neighbours[0] <= q) & (q <= neighbours[1])
        assert (between | (error <= slack)).all()
        assert (np.diff(side * x[np.argsort(q)]) >= -1e-9 * m.stds.min()).all()


@given(mixtures, st.lists(st.floats(-60, 60), min_size=1, max_size=20))
def test_complements_and_logarithms(m, x):
    x = np.array(x)
    np.testing.assert_allclose(m.cdf(x) + m.sf(x), 1, rtol=3e-16)
    np.testing.assert_allclose(np.exp(m.logcdf(x)), m.cdf(x), rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(np.exp(m.logsf(x)), m.sf(x), rtol=1e-11, atol=1e-300)
    np.testing.assert_allclose(np.exp(m.logpdf(x)), m.pdf(x), rtol=1e-11, atol=1e-300)


@given(mixtures, st.lists(st.floats(-60, 60), min_size=1, max_size=20))
def test_responsibilities_are_shares_of_the_density(m, x):
    share = m.responsibilities(x)
    assert np.abs(share.sum(axis=1) - 1).max() < 1e-15 * (m.k + 1)
    assert (m.predict(x) == share.argmax(axis=1)).all()
    single = np.stack([w * Mixture([1], [mu], [s]).pdf(x) for w, mu, s in columns(m)], axis=1)
    np.testing.assert_allclose(single, share * m.pdf(x)[:, None], rtol=1e-10, atol=1e-290)


def columns(m):
    return zip(m.weights, m.means, m.stds, strict=True)


@given(mixtures)
def test_labels_change_exactly_at_the_boundaries(m):
    b = m.boundaries()
    assert (np.diff(b) > 0).all()
    scale = m.stds.min() + np.abs(b)
    left, right = m.predict(b - 1e-9 * scale), m.predict(b + 1e-9 * scale)
    gap = np.diff(b) > 4e-9 * (scale[1:] + scale[:-1])
    apart = np.append(gap, True) & np.insert(gap, 0, True) if b.size else np.array([], bool)
    assert (left != right)[apart].all()
    shares = np.sort(m.responsibilities(b), axis=1)[:, -2:] if m.k > 1 else np.ones((0, 2))
    np.testing.assert_allclose(shares[:, 0], shares[:, 1], rtol=1e-8)
    x = np.unique(m.means[:, None] + m.stds[:, None] * np.linspace(-9, 9, 101))
    cell = np.searchsorted(b, x)
    for i in np.unique(cell):
        assert len(set(m.predict(x[cell == i]).tolist())) == 1


@given(mixtures)
def test_modes_and_antimodes_interleave_and_are_extreme(m):
    modes, antimodes = m.modes(), m.antimodes()
    assert len(modes) == len(antimodes) + 1
    assert (modes[:-1] < antimodes).all()
    assert (antimodes < modes[1:]).all()
    for points, sign in ((modes, 1), (antimodes, -1)):
        for step in (-1e-3, 1e-3):
            beside = m.logpdf(points + step * m.stds.min())
            assert (sign * (m.logpdf(points) - beside) >= -1e-12).all()
    ends = np.array([m.means.min(), *antimodes, m.means.max()])
    for low, high, mode in zip(ends[:-1], ends[1:], modes, strict=True):
        x = np.linspace(low, high, 200)
        assert (m.logpdf(x) <= m.logpdf(mode) + 1e-12).all()


@given(mixtures, st.floats(0.01, 0.999))
def test_regions_have_their_probability_and_one_level(m, p):
    region = m.hdr(p)
    assert (np.diff(region.ravel()) > 0).all()
    mass = (m.cdf(region[:, 1]) - m.cdf(region[:, 0])).sum()
    assert mass == pytest.approx(p, abs=1e-8)
    levels = m.logpdf(region.ravel())
    assert np.ptp(levels) <= 1e-11
    x = np.unique(m.means[:, None] + m.stds[:, None] * np.linspace(-5, 5, 101))
    inside = np.searchsorted(region.ravel(), x) % 2 == 1
    sure = np.abs(m.logpdf(x) - levels[0]) > 1e-9
    assert (inside == (m.logpdf(x) > levels[0]))[sure].all()
    low, high = m.interval(p)
    assert (region[:, 1] - region[:, 0]).sum() <= (high - low) * (1 + 1e-9)


transforms = st.tuples(
    st.sampled_from([1, -1]), st.integers(-480, 480), st.integers(-(10**6), 10**6) | st.just(0)
)


@given(mixtures, transforms)
def test_equivariance(m, transform):
    """y = a x + b carries everything along; a = ±2^e and b a multiple of it are exact."""
    sign, e, whole = transform
    a, b = math.ldexp(sign, e), math.ldexp(whole, e)
    n = Mixture(m.weights, a * m.means + b, abs(a) * m.stds)
    q = np.array([1e-300, 1e-9, 0.1, 0.37, 0.5, 0.9])
    x = m.ppf(q)
    blur = 4 * np.finfo(float).eps * (abs(whole) + np.abs(m.means).max() + 40 * m.stds.max())

    def same(ours, theirs, tolerance=1e-12):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert ours.shape == theirs.shape
        found = (ours - b) / a
        found = found[::-1] if sign < 0 else found
        assert np.abs(found - theirs).max(initial=0) <= tolerance * m.stds.max() + blur

    same((n.ppf if sign > 0 else n.isf)(q)[::sign], x)
    same([n.mean()], [m.mean()])
    same([n.median()], [m.median()], 1e-9)
    same(n.interval(0.9), m.interval(0.9))
    same(n.boundaries(), m.boundaries(), 1e-7)
    same(n.modes(), m.modes(), 1e-4)
    same(n.antimodes(), m.antimodes(), 1e-4)
    same(np.ravel(n.hdr(0.8)), np.ravel(m.hdr(0.8)), 1e-7)
    assert n.std() == pytest.approx(abs(a) * m.std(), rel=1e-13)
    assert n.skewness() == pytest.approx(sign * m.skewness(), rel=1e-11, abs=1e-12)
    assert n.kurtosis() == pytest.approx(m.kurtosis(), rel=1e-11, abs=1e-12)
    assert n.entropy() == pytest.approx(m.entropy() + math.log(abs(a)), abs=1e-12)
    if whole == 0:
        y = a * x
        least = 5e-324 * max(abs(a), 1)  # a density below 1e-308 has few digits
        np.testing.assert_allclose(n.pdf(y) * abs(a), m.pdf(x), rtol=1e-12, atol=least)
        np.testing.assert_allclose((n.cdf if sign > 0 else n.sf)(y), m.cdf(x), rtol=1e-12)
        np.testing.assert_allclose(n.logpdf(y) + math.log(abs(a)), m.logpdf(x), atol=1e-11)
        shares = n.responsibilities(y)
        order = Mixture.sorting(m.weights, sign * m.means, m.stds)
        np.testing.assert_allclose(shares, m.responsibilities(x)[:, order], atol=1e-11)
