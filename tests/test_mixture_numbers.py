"""Numbers of a Mixture against mpmath, the Marron-Wand densities and peers' test suites."""

import json
import math
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from gmm1d import Mixture
from gmm1d.errors import InputError

DATA = Path(__file__).parent / "data"
# densities of Marron and Wand (1992), Ann. Statist. 20:712-736, values at 40 digits
MARRON_WAND = json.loads((DATA / "marron_wand.json").read_text("utf-8"))["densities"]
# values of the suites of SciPy, Distributions.jl, nor1mix, GaussianMixtures.jl; sources in the file
PEERS = json.loads((DATA / "distribution_cases.json").read_text("utf-8"))


def close(ours, theirs, rel=2e-14, absolute=2e-15):
    assert ours == pytest.approx(theirs, rel=rel, abs=absolute)


def by_name(part):
    return next(case for case in PEERS if part in case["name"])


def built(case):
    return Mixture(case["weights"], case["means"], case["sds"])


@pytest.mark.parametrize("case", MARRON_WAND, ids=lambda case: case["name"])
def test_marron_wand(case):
    m = built(case)
    for x, value in case["pdf"].items():
        close(m.pdf(float(x)), value)
    for x, value in case["cdf"].items():
        close(m.cdf(float(x)), value)
    for q, value in case["quantiles"].items():
        close(m.ppf(float(q)), value)
        close(m.isf(1 - float(q)), value, rel=1e-12)
    close(m.logpdf(20), case["logpdf_at_20"])
    close(m.sf(8), case["sf_at_8"], rel=3e-13)
    close(m.mean(), case["mean"])
    close(m.var(), case["variance"])
    close(m.skewness(), case["skewness"])
    close(m.kurtosis(), case["excess_kurtosis"], absolute=1e-13)
    assert len(m.modes()) == case["n_modes_numerical"]
    assert len(m.antimodes()) == case["n_modes_numerical"] - 1


VALUES = [case for case in PEERS if "pdf" in case]
SCALES = next(case for case in VALUES if "wildly different scales" in case["name"])
WRONG = (SCALES["name"], "0.99")  # the file says 10000, where the distribution function is 0.9276


@pytest.mark.parametrize("case", VALUES, ids=lambda case: case["name"])
def test_peers_values(case):
    m = built(case)
    for name in ("pdf", "logpdf", "cdf", "sf", "logcdf"):
        for x, value in case[name].items():
            close(getattr(m, name)(float(x)), value, rel=3e-13)
    for q, value in case["quantile"].items():
        if (case["name"], q) == WRONG:
            continue
        blur = 2**-53 / m.pdf(value)  # the reference inverts the decimal, not the float next to it
        close(m.ppf(float(q)), value, absolute=blur)
    for name, key in (("mean", "mean"), ("var", "variance"), ("skewness", "skewness")):
        close(getattr(m, name)(), case[key])
    close(m.kurtosis(), case["excess_kurtosis"], absolute=1e-14)
    if "entropy" in case:
        close(m.entropy(), case["entropy"])
        close(m.modes()[0], case["mode"])


def test_wildly_different_scales_end_where_the_distribution_function_says():
    m = built(SCALES)
    assert m.cdf(10_000) == pytest.approx(0.9276053832954723, rel=1e-14)
    x = m.ppf([0.99, 0.9276053832954723, 0.5, 0.1, 1e-9])
    assert x[:2] == pytest.approx([344650.61293646577, 10_000], rel=1e-11)
    assert m.cdf(x) == pytest.approx([0.99, 0.9276053832954723, 0.5, 0.1, 1e-9], rel=1e-14)


def test_peers_special_cases():
    assert built(by_name("median exactly 0")).median() == 0
    for part in (
        "NaN",
        "sd 0",
    ):  # a mean NaN, a standard deviation 0: refused, which the case allows
        with pytest.raises(InputError):
            built(by_name(part))
    case = by_name("close probabilities")
    m = Mixture(case["weights"], case["means"], variances=case["variances"])
    assert np.abs(m.ppf(case["p"]) - case["quantile"]).max() <= case["tol"]
    assert np.abs(m.ppf(case["p"]) - case["package_expected"]).max() <= 1e-12
    case = by_name("nasty")
    m = built(MARRON_WAND[11])
    assert m.isf(0) == np.inf
    np.testing.assert_allclose(m.isf(case["upper_tail_p"][1:]), case["isf"][1:], rtol=1e-13)
    upper = np.array(case["upper_tail_p"][3:])
    np.testing.assert_allclose(m.ppf(1 - upper), m.isf(upper), rtol=1e-10)


def test_faithful_case_is_a_mixture_once_its_weights_are():
    expected = by_name("faithful")["expected"]  # rounded weights, sum 0.999
    with pytest.raises(InputError, match=r"the sum 0\.999, not 1: divide them by their sum"):
        built(expected)
    m = built(expected | {"weights": np.array(expected["weights"]) / sum(expected["weights"])})
    assert m.boundaries()[1] == pytest.approx(66.6, abs=0.1)
    assert m.predict([50, 90]).tolist() == [0, 1]


def test_worked_problem_of_five_points():
    m = Mixture([0.5, 0.5], [6, 7], variances=[1, 4])
    np.testing.assert_allclose(m.boundaries(), [4.152455015034824, 7.180878318298509], rtol=1e-15)
    x = [-1, 0, 4, 5, 6]
    assert m.predict(x).tolist() == [1, 1, 1, 0, 0]
    close(m.responsibilities(4)[0], 0.4546616728923709)
    close(float(np.sum(m.logpdf(x))), -24.512532330086675)


# mpmath


class Exact:
    """The mixture in arithmetic of 60 digits."""

    def __init__(self, m):
        self.rows = [
            tuple(map(mp.mpf, map(float, row)))
            for row in zip(m.weights, m.means, m.stds, strict=True)
        ]

    def cdf(self, x, side=1):
        return mp.fsum(w * mp.ncdf(side * (mp.mpf(x) - mu) / s) for w, mu, s in self.rows)

    def logcdf(self, x, side):
        tail = self.cdf(x, side)
        return mp.log(tail) if tail < 0.5 else mp.log1p(-self.cdf(x, -side))

    def pdf(self, x):
        return mp.fsum(w * mp.npdf(mp.mpf(x), mu, s) for w, mu, s in self.rows)

    def entropy(self):
        def term(x):
            p = self.pdf(x)
            return -p * mp.log(p) if p > 0 else mp.mpf(0)

        ends = sorted({mu + s * t for _, mu, s in self.rows for t in range(-13, 14)})
        return mp.quad(term, ends, maxdegree=6)


@pytest.fixture(autouse=True)
def _digits():
    with mp.workdps(60):
        yield


HARD = {
    "plain": Mixture([0.3, 0.2, 0.5], [-1, 0.5, 2], [1, 0.1, 3]),
    "gap": Mixture([0.5, 0.5], [-1e3, 1e3], [1, 2]),
    "ratio 1e6": Mixture([0.5, 0.5], [0, 0.3], [1, 1e-6]),
    "ratio 1e12": Mixture([0.25, 0.75], [0, 1], [1e-6, 1e6]),
    "light": Mixture([1e-30, 1 - 1e-30], [-20, 0], [0.5, 1]),
    "offset": Mixture([0.4, 0.6], [1e6, 1e6 + 2], [1, 0.5]),
}


@pytest.mark.parametrize("name", HARD)
def test_tails_against_mpmath(name):
    m = HARD[name]
    exact = Exact(m)
    low, high = m.means.min(), m.means.max()
    for t in (-1e4, -40.0, -8.25, -1.0, 0.0, 0.5, 3.0, 40.0):
        for x in (float(low + t * m.stds.max()), float(high + t * m.stds.min())):
            for ours, side in ((m.logcdf(x), 1), (m.logsf(x), -1)):
                theirs = exact.logcdf(x, side)
                assert abs(ours - theirs) <= 1e-13 * abs(theirs) + mp.mpf("1e-320")
            close(m.logpdf(x), float(mp.log(exact.pdf(x))), rel=1e-14, absolute=1e-14)


@pytest.mark.parametrize("name", HARD)
def test_quantiles_against_mpmath(name):
    m = HARD[name]
    exact = Exact(m)
    q = [1e-300, 1e-40, 1e-18, 1e-5, 0.2, 0.25, 0.4, 0.5, 0.7, 0.999, 1 - 1e-15]
    for side, x in ((1, m.ppf(q)), (-1, m.isf(q))):
        below, above = np.nextafter(x, -side * np.inf), np.nextafter(x, side * np.inf)
        for i, p in enumerate(map(mp.mpf, q)):
            error = abs(exact.cdf(x[i], side) - p) / min(p, 1 - p)
            between = exact.cdf(below[i], side) <= p <= exact.cdf(above[i], side)
            assert error <= 1e-12 or between, (q[i], side)


def test_the_median_of_a_symmetric_gap_is_its_middle():
    for half in (3.0, 7.0, 30.0, 1e4):
        assert abs(Mixture([0.5, 0.5], [-half, half], [1, 1]).median()) < 1e-14
    # where both tails are equal: (x + 100) / 1 = (100 - x) / 2
    x = Mixture([0.5, 0.5], [-100, 100], [1, 2]).median()
    assert x == pytest.approx(-100 / 3, abs=1e-2)


def test_one_gaussian_has_closed_forms():
    m = Mixture([1], [3], [2])
    assert m.entropy() == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 4), rel=1e-15)
    assert (m.mean(), m.var(), m.skewness(), m.kurtosis()) == (3, 4, 0, 0)
    assert m.modes().tolist() == [3]
    assert m.antimodes().size == m.boundaries().size == 0
    np.testing.assert_allclose(m.hdr(0.9)[0], m.interval(0.9), rtol=1e-14)
    assert m.median() == 3


@pytest.mark.parametrize("name", ["plain", "ratio 1e6", "light", "offset"])
def test_entropy_against_mpmath(name):
    with mp.workdps(20):
        assert abs(HARD[name].entropy() - Exact(HARD[name]).entropy()) < 1e-12


def test_entropy_of_far_components_adds_that_of_the_label():
    m = Mixture([0.3, 0.7], [-1e9, 1e9], [1e-3, 1e3])
    label = -0.3 * math.log(0.3) - 0.7 * math.log(0.7)
    parts = 0.3 * Mixture([1], [0], [1e-3]).entropy() + 0.7 * Mixture([1], [0], [1e3]).entropy()
    assert m.entropy() == pytest.approx(label + parts, abs=1e-13)


def test_moments_at_an_offset_and_beyond_the_squares():
    a, b = Mixture([0.4, 0.6], [0, 2], [1, 0.5]), HARD["offset"]
    for name in ("var", "std", "skewness", "kurtosis"):
        assert getattr(b, name)() == pytest.approx(getattr(a, name)(), rel=1e-14)
    far = Mixture([0.5, 0.5], [-1e300, 1e300], [1, 1])
    assert (far.mean(), far.std(), far.var()) == (0, 1e300, math.inf)
    assert far.kurtosis() == pytest.approx(-2)
