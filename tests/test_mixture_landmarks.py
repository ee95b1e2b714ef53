"""Modes, antimodes, regions and boundaries where they are hard: ties, gaps, spikes, heaps."""

import mpmath as mp
import numpy as np
import pytest

from gmm1d import Mixture


def derivative(m, x):
    """Sign of the density's derivative in arithmetic of 80 digits."""
    with mp.workdps(80):
        total = mp.mpf(0)
        for row in zip(m.weights, m.means, m.stds, strict=True):
            w, mu, s = (mp.mpf(float(v)) for v in row)
            z = (mp.mpf(float(x)) - mu) / s
            total -= w * z / s**2 * mp.exp(-z * z / 2)
        return int(mp.sign(total))


def assert_turning_points(m):
    """Check the signs of the derivative between all turning points, and close to each."""
    modes, antimodes = m.modes(), m.antimodes()
    assert len(modes) == len(antimodes) + 1
    points = np.empty(len(modes) + len(antimodes))
    points[::2], points[1::2] = modes, antimodes
    assert (np.diff(points) > 0).all()
    between = 0.5 * points[:-1] + 0.5 * points[1:]
    margin = m.stds.max() + 1e-3 * np.ptp(m.means)
    signs = [derivative(m, x) for x in (points[0] - margin, *between, points[-1] + margin)]
    assert signs == [1 - 2 * (i % 2) for i in range(len(signs))]
    return modes, antimodes


def test_two_equal_components_merge_at_two_standard_deviations():
    for half in (1, 1 - 1e-9, 0.5, 0.1):
        m = Mixture([0.5, 0.5], [-half, half], [1, 1])
        assert m.modes() == pytest.approx([0], abs=1e-5)
        assert m.antimodes().size == 0
    for excess in (1e-9, 1e-6, 1e-3, 1):
        m = Mixture([0.5, 0.5], [-1 - excess, 1 + excess], [1, 1])
        modes, antimodes = assert_turning_points(m)
        assert len(modes) == 2
        assert antimodes == pytest.approx([0], abs=1e-7)


def test_identical_components_and_components_without_weight_change_nothing():
    plain = Mixture([0.5, 0.5], [0, 5], [1, 2])
    for m in (
        Mixture([0.2, 0.3, 0.1, 0.4], [0, 0, 5, 5], [1, 1, 2, 2]),
        Mixture([0.5, 0.5, 0, 0], [0, 5, 2, -40], [1, 2, 1e-3, 1]),
    ):
        np.testing.assert_allclose(m.modes(), plain.modes(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(m.antimodes(), plain.antimodes(), rtol=1e-12)
        np.testing.assert_allclose(m.hdr(0.8), plain.hdr(0.8), rtol=1e-12)
        np.testing.assert_allclose(m.ppf([0.1, 0.6]), plain.ppf([0.1, 0.6]), rtol=1e-13)
        assert m.entropy() == pytest.approx(plain.entropy(), abs=1e-13)
    np.testing.assert_allclose(m.boundaries(), plain.boundaries(), rtol=1e-14)
    assert (m.responsibilities([-40, 2])[:, m.weights == 0] == 0).all()
    assert (m.weights[m.predict(np.linspace(-50, 50, 999))] > 0).all()


def test_a_far_or_light_component_has_its_mode():
    for distance in (50.0, 1e5, 1e12):
        m = Mixture([0.5, 0.5], [0, distance], [1, 2])
        assert m.modes().tolist() == [0, distance]
        # in the gap the tails are equal, up to their slopes, where x = (distance - x) / 2
        assert m.antimodes() == pytest.approx([distance / 3], rel=5e-3)
        assert len(m.boundaries()) == 2
    light = Mixture([1e-300, 1], [50, 0], [1, 1])
    modes, _ = assert_turning_points(light)
    assert modes == pytest.approx([0, 50])
    assert Mixture([1e-300, 1], [30, 0], [1, 1]).modes() == pytest.approx([0])


def test_a_spike_on_a_broad_component():
    m = Mixture([0.5, 0.5], [0.3, 0], [1e-6, 1e6])
    modes, antimodes = m.modes(), m.antimodes()
    assert modes == pytest.approx([0, 0.3], abs=1e-12)
    assert len(antimodes) == 1
    assert m.boundaries() == pytest.approx([0.3 - 7.43384438e-6, 0.3 + 7.43384438e-6], abs=1e-11)
    region = m.hdr(0.4)
    assert region.shape == (1, 2)
    assert m.cdf(region[0, 1]) - m.cdf(region[0, 0]) == pytest.approx(0.4, abs=1e-9)


def test_random_mixtures_against_exact_signs():
    rng = np.random.default_rng(4)
    for _ in range(25):
        k = int(rng.integers(2, 7))
        m = Mixture(rng.dirichlet(np.ones(k)), 3 * rng.normal(size=k), 10 ** rng.uniform(-2, 1, k))
        modes, _ = assert_turning_points(m)
        grid = np.unique(m.means[:, None] + m.stds[:, None] * np.linspace(-6, 6, 241))
        rise = np.diff(m.logpdf(grid))
        rise = rise[np.abs(rise) > 1e-12]
        assert len(modes) >= np.count_nonzero((rise[:-1] > 0) & (rise[1:] < 0))


@pytest.mark.parametrize(
    "m",
    [
        Mixture(np.full(50, 0.02), 3.0 * np.arange(50), np.ones(50)),
        Mixture(np.full(50, 0.02), np.zeros(50), 2.0 ** -np.arange(50)),
        Mixture(np.full(50, 0.02), np.linspace(-1, 1, 50), np.full(50, 0.1)),
    ],
    ids=["comb", "concentric", "heap"],
)
def test_fifty_components(m):
    modes, antimodes = m.modes(), m.antimodes()
    assert len(modes) == len(antimodes) + 1
    assert len(modes) in (50, 1)
    q = np.linspace(0.001, 0.999, 99)
    assert np.abs(m.cdf(m.ppf(q)) - q).max() < 1e-14
    assert np.isfinite(m.entropy())
    region = m.hdr(0.95)
    assert (m.cdf(region[:, 1]) - m.cdf(region[:, 0])).sum() == pytest.approx(0.95, abs=1e-9)
    labels = m.predict(np.linspace(-2, 150, 5001))
    crossed = np.count_nonzero((m.boundaries() > -2) & (m.boundaries() < 150))
    assert np.count_nonzero(np.diff(labels)) <= crossed


def test_components_beyond_all_proportion_stay_finite():
    for m in (
        Mixture([0.5, 0.5], [-1e300, 1e300], [1, 1]),
        Mixture([0.5, 0.3, 0.2], [-1e300, 0, 1e300], [1e-3, 1, 1e10]),
        Mixture([0.5, 0.5], [-4e307, 4e307], [1e150, 1e154]),
        Mixture([0.5, 0.5], [1e6, 1e6 + 1], [1e-12, 1e-13]),
    ):
        np.testing.assert_array_equal(m.modes(), m.means)
        assert len(m.antimodes()) == m.k - 1
        x = m.ppf([1e-300, 0.1, 0.5, 0.9])
        assert np.isfinite(x).all()
        assert (np.diff(x) >= 0).all()
        assert np.isfinite([m.entropy(), m.std(), m.skewness(), m.kurtosis()]).all()
        assert m.predict(m.means).tolist() == list(range(m.k))
        shares = m.responsibilities([-1e308, 0, 5e299, 1e308])
        assert np.abs(shares.sum(axis=1) - 1).max() < 1e-15
        assert np.isfinite(m.boundaries()).all()


def test_responsibilities_far_from_everything():
    m = Mixture([0.2, 0.8], [0, 1], [1, 1])
    for x in (-1e5, 1e5, 1e12):
        share = m.responsibilities(x)
        assert share.tolist() == ([1, 0] if x < 0 else [0, 1])
    near = Mixture([0.25, 0.75], [-1e-6, 1e-6], [1, 1]).responsibilities(1e5)
    assert near[1] / near[0] == pytest.approx(3 * np.exp(0.2), rel=1e-5)


def test_boundaries_of_pairs():
    def of(*arguments):
        return Mixture(*arguments).boundaries().tolist()

    assert of([0.5, 0.5], [0, 4], [1, 1]) == [2]  # equal variances: linear
    assert of([0.5, 0.5], [1, 1], [1, 1]) == []  # identical
    assert of([0.2, 0.8], [1, 1], [1, 1]) == []
    wide = Mixture([0.01, 0.99], [0, 0.1], [1.1, 1])
    np.testing.assert_allclose(wide.responsibilities(wide.boundaries()), 0.5, rtol=1e-13)
    assert wide.predict([-9, 0, 9]).tolist() == [0, 1, 0]
    assert of([0.999, 0.001], [0, 0.1], [1, 0.9]) == []  # never the more likely one
    nearly = of([0.5, 0.5], [0, 4], [1, 1 + 1e-15])  # the second root is 1e16 away
    assert nearly[-1 if nearly[0] < 0 else 0] == pytest.approx(2, rel=1e-12)
    assert of([0.5, 0, 0.5], [0, 2, 4], [1, 1, 1]) == [2]
