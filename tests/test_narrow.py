"""Rare groups far narrower than the rest of the data, within it: the search finds them, and sketches resolve them."""

import numpy as np
import pytest

import gmm1d
from gmm1d.sample import Sample

BULKS = {"one": [(1.0, 0.0, 1.0)], "two": [(0.5, 0.0, 1.0), (0.5, 5.0, 1.5)]}


def planted(bulk, n, groups, seed=0):
    """Data of a broad bulk with narrow groups (count, mean, std) in it, and the mixture that they are drawn from."""
    rng = np.random.default_rng(seed)
    rest = n - sum(count for count, *_ in groups)
    parts = [(round(share * rest), mean, std) for share, mean, std in BULKS[bulk]] + groups
    truth = gmm1d.Mixture(
        [count / n for count, *_ in parts],
        [mean for _, mean, _ in parts],
        [std for *_, std in parts],
    )
    return np.concatenate([rng.normal(mean, std, count) for count, mean, std in parts]), truth


CASES = {
    "few values": ("one", 2_000, [(20, 0.3, 1e-3)]),
    "many values": ("one", 20_000, [(200, 0.3, 1e-3)]),
    "off the middle": ("one", 20_000, [(200, 2.2, 1e-5)]),
    "unseen by the pilot": ("one", 1_000_000, [(1_000, 0.3, 1e-5)]),
    "as wide as a leaf": ("one", 1_000_000, [(1_000, 0.3, 1e-3)]),
    "seen by the pilot": ("one", 50_000, [(300, 2.2, 1e-5)]),
    "two groups": ("one", 50_000, [(300, 0.3, 1e-4), (300, -0.7, 5e-5)]),
    "in one of two": ("two", 200_000, [(2_000, 0.3, 1e-4)]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_narrow_group_is_found(case):
    """No lower than the climb from the truth, on leaves made for it."""
    x, truth = planted(*CASES[case])
    found = gmm1d.fit(x, truth.k)
    sample = Sample.of(x)
    if sample.sketch is not None:
        sample = sample.refined(truth.weights, truth.means, truth.stds, 1)
    best = gmm1d.fit(sample, truth.k, start=truth)
    assert found.log_likelihood > best.log_likelihood - 0.01
    assert found.status is gmm1d.errors.Ending.CONVERGED


@pytest.mark.parametrize("a", [-1.0, 1e-9, 1e3])
def test_it_is_found_in_any_unit_and_direction(a):
    x, truth = planted("one", 20_000, [(200, 0.3, 1e-3)])
    one, other = gmm1d.fit(x, 2), gmm1d.fit(a * x + 7 * abs(a), 2)
    turn = slice(None, None, -1 if a < 0 else 1)
    means = a * one.mixture.means[turn] + 7 * abs(a)
    assert other.mixture.means == pytest.approx(means, rel=1e-7)
    assert other.mixture.stds == pytest.approx(abs(a) * one.mixture.stds[turn], rel=1e-5)
    assert one.mixture.stds.min() == pytest.approx(truth.stds.min(), rel=0.2)


@pytest.mark.parametrize(("n", "count"), [(100_000, 400), (100_000, 1_000), (1_000_000, 1_000)])
def test_a_sketch_resolves_it_whatever_the_number_of_threads(n, count):
    x, _ = planted("one", n, [(count, 0.3, 1e-5)])
    x = np.random.default_rng(1).permutation(x)
    sketch = gmm1d.Sketch().add(x, threads=1)
    assert gmm1d.Sketch().add(x, threads=5).to_bytes() == sketch.to_bytes()
    values, counts = sketch.nodes()
    assert np.sum(abs(values - 0.3) < 3e-5) > np.sqrt(len(values))
    assert sketch.n == counts.sum() == n
    assert np.dot(values, counts) == pytest.approx(x.sum(), abs=1e-9 * n)
    assert np.dot(values**2, counts) == pytest.approx(np.dot(x, x), rel=1e-12)


@pytest.mark.parametrize("draw", ["normal", "laplace", "standard_cauchy", "exponential", "random"])
def test_smooth_data_are_read_once(draw):
    """A second reading would leave the values of some leaves as they are."""
    x = getattr(np.random.default_rng(5), draw)(size=500_000)
    sketch = gmm1d.Sketch().add(x)
    indices, exponents, _ = sketch._sums.leaves()
    left, right = np.ldexp(indices, exponents), np.ldexp(indices + 1, exponents)
    middle = (left > np.quantile(x, 0.02)) & (right < np.quantile(x, 0.98))
    assert middle.sum() > 500
    assert np.array_equal(right[middle][:-1], left[middle][1:])  # no holes


def test_what_was_added_before_keeps_its_leaves():
    x, _ = planted("one", 200_000, [(1_000, 0.3, 1e-5)])
    smooth, crowded = x[x < 0.29], x
    before = gmm1d.Sketch().add(np.random.default_rng(0).normal(size=100_000))
    both = before + gmm1d.Sketch().add(smooth)
    both.add(crowded)
    assert both.n == 100_000 + len(smooth) + len(crowded)
    assert both.nodes()[1].sum() == both.n


@pytest.mark.parametrize("count", [10, 20, 50])
@pytest.mark.parametrize("std", [1e-3, 1e-5, 1e-7])
def test_few_values_that_cannot_lie_so_close_by_chance_are_found(count, std):
    one = np.random.default_rng(1000).normal(2, 1, 800)
    x = np.append(one, np.random.default_rng(0).normal(3, std, count))
    truth = {"means": [2, 3], "stds": [1, std], "weights": [1 - count / x.size, count / x.size]}
    found, best = gmm1d.fit(x, 2), gmm1d.fit(x, 2, start=truth)
    assert found.status is gmm1d.errors.Ending.CONVERGED
    assert found.log_likelihood == pytest.approx(best.log_likelihood, rel=1e-9)
