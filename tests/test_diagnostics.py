"""Does it fit: the numbers behind Q-Q and PIT, their bands, and what stands for many values."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import gmm1d
from gmm1d.diagnostics import LEVELS, SIZES, agreement, pointwise_band, simultaneous_band
from gmm1d.errors import InputError

WAITING = np.loadtxt(Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt")
TRUTH = gmm1d.Mixture([0.7, 0.3], [0, 4], [1, 0.5])


@pytest.fixture(scope="module")
def loaded() -> gmm1d.Fit:
    return gmm1d.Fit.from_json(gmm1d.fit(TRUTH.rvs(300, rng=1), 2, start=TRUTH).to_json())


def test_exact_quantiles_of_the_mixture_agree_with_it(loaded: gmm1d.Fit) -> None:
    p = (np.arange(50) + 0.5) / 50
    found = agreement(loaded, loaded.mixture.ppf(p))
    np.testing.assert_allclose(found.positions, p, rtol=1e-14)
    np.testing.assert_allclose(found.transforms, p, rtol=1e-9)
    np.testing.assert_allclose(found.quantiles, found.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.residuals, 0, atol=1e-12)


def test_positions_are_mid_distributions_and_weights_are_repetitions(loaded: gmm1d.Fit) -> None:
    x = [3.0, 1.0, 3.0, 2.0, 3.0]
    found = agreement(loaded, x)
    assert found.values.tolist() == [1, 2, 3]
    np.testing.assert_allclose(found.positions, [0.1, 0.3, 0.7], rtol=1e-14)
    assert found.n == 5
    weighted = agreement(loaded, gmm1d.Sample.of([1, 2, 3], [1, 1, 3]))
    assert np.array_equal(weighted.positions, found.positions)
    assert np.array_equal(weighted.transforms, loaded.mixture.cdf(found.values))


def test_rounded_data_show_no_false_steps() -> None:
    fit = gmm1d.fit(np.round(np.random.default_rng(1).normal(50, 10, 100_000)), 1)
    found = agreement(fit)
    # The steps of the distribution function itself are as high as half a value's share.
    shares = np.diff(np.append(0, np.cumsum(fit.sample.nodes[1]))) / fit.n
    assert np.abs(found.residuals).max() < 0.2 * shares.max() / 2


@pytest.mark.parametrize(("a", "b"), [(1e-150, 0.0), (1e150, 0.0), (-3.0, 7.0), (0.25, 2.0**20)])
def test_shift_and_scale_change_nothing(a: float, b: float) -> None:
    x = TRUTH.rvs(200, rng=2)
    y = a * x + b
    start = gmm1d.Mixture(TRUTH.weights, a * TRUTH.means + b, abs(a) * TRUTH.stds)
    one, other = agreement(gmm1d.fit(x, 2, start=TRUTH)), agreement(gmm1d.fit(y, 2, start=start))
    turned = np.s_[::-1] if a < 0 else np.s_[:]
    p = other.positions[turned]
    np.testing.assert_allclose(1 - p if a < 0 else p, one.positions, rtol=1e-12)
    residuals = np.copysign(1, a) * other.residuals[turned]
    np.testing.assert_allclose(residuals, one.residuals, atol=1e-8)
    np.testing.assert_allclose((other.quantiles[turned] - b) / a, one.quantiles, atol=1e-7)


def test_a_sketch_agrees_with_its_points() -> None:
    x = np.sort(TRUTH.rvs(200_000, rng=3))
    fit = gmm1d.fit(gmm1d.Sketch().add(x), 2, start=TRUTH)
    assert fit.sample.points is None
    found = agreement(fit)
    below = np.searchsorted(x, found.values) + np.searchsorted(x, found.values, "right")
    exact = below / 2 / x.size
    # Far within what chance does: half a standard deviation of the share below.
    chance = np.sqrt((exact * (1 - exact) + 1 / x.size) / x.size)
    assert np.all(np.abs(found.positions - exact) < 0.5 * chance)
    assert found.n == 200_000


def test_without_data_one_error(loaded: gmm1d.Fit) -> None:
    with pytest.raises(InputError, match="hand them in as data="):
        agreement(loaded)
    with pytest.raises(InputError, match="with text"):
        agreement(loaded, ["a"])
    assert agreement(loaded, [2.0]).positions.tolist() == [0.5]


def test_pointwise_band_is_that_of_order_statistics() -> None:
    n, i = 20, np.arange(1, 21)
    low, high = pointwise_band((i - 0.5) / n, n)
    np.testing.assert_allclose(low, stats.beta(i, n + 1 - i).ppf(0.025), rtol=1e-12)
    np.testing.assert_allclose(high, stats.beta(i, n + 1 - i).ppf(0.975), rtol=1e-12)


@pytest.mark.parametrize(("n", "runs"), [(3, 20_000), (50, 10_000), (700, 4000)])
def test_simultaneous_band_holds_all_values_of_95_in_100_samples(n: int, runs: int) -> None:
    u = np.sort(np.random.default_rng(n).random((runs, n)), axis=1)
    low, high = simultaneous_band((np.arange(n) + 0.5) / n, n)
    covered = np.mean(np.all((u > low) & (u < high), axis=1))
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / runs) + 0.003)


def test_simultaneous_band_of_one_value_is_pointwise_and_of_more_wider() -> None:
    np.testing.assert_allclose(simultaneous_band([0.5], 1), pointwise_band([0.5], 1), rtol=1e-12)
    p = np.linspace(0.01, 0.99, 99)
    for n in (2.5, 60, 1e6, 1e12):
        inner, outer = pointwise_band(p, n), simultaneous_band(p, n)
        assert np.all(outer[0] < inner[0])
        assert np.all(outer[1] > inner[1])
    assert list(LEVELS) == sorted(LEVELS, reverse=True)
    assert list(SIZES) == sorted(SIZES)


def test_a_wrong_mixture_leaves_the_band_and_a_right_one_does_not() -> None:
    for k, within in ((1, False), (2, True)):
        found = agreement(gmm1d.fit(WAITING, k))
        low, high = simultaneous_band(found.positions, found.n)
        assert np.all((found.transforms > low) & (found.transforms < high)) is np.bool_(within)
