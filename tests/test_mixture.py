"""A Mixture as a thing: what it accepts, keeps, refuses, draws and hands to others."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from gmm1d import Mixture
from gmm1d.errors import InputError, MissingExtraError, ScaleError

M = Mixture([0.6, 0.4], [3, -2], [1.5, 1])


def test_components_are_sorted_by_mean_then_std_then_weight():
    m = Mixture([0.1, 0.2, 0.3, 0.4], [1, 0, 1, 1], [2, 1, 1, 1])
    assert m.means.tolist() == [0, 1, 1, 1]
    assert m.stds.tolist() == [1, 1, 1, 2]
    assert m.weights.tolist() == [0.2, 0.3, 0.4, 0.1]
    assert Mixture.sorting([0.1, 0.2, 0.3, 0.4], [1, 0, 1, 1], [2, 1, 1, 1]).tolist() == [
        1,
        2,
        3,
        0,
    ]
    assert m.k == 4


def test_variances_and_stds_are_the_same_mixture():
    a, b = Mixture([0.5, 0.5], [6, 7], variances=[1, 4]), Mixture([0.5, 0.5], [6, 7], [1, 2])
    assert a == b
    assert hash(a) == hash(b)
    assert a.variances.tolist() == [1, 4]
    assert a != M
    assert a != "a"


@pytest.mark.parametrize(
    "values", [(0.25, 0.75), np.array([1, 3]) / 4, [Fraction(1, 4), Decimal("0.75")]]
)
def test_numbers_of_any_type_are_accepted(values):
    m = Mixture(values, np.array([0, 1], dtype=np.int8), np.array([1, 2], dtype=np.float32))
    assert m.weights.tolist() == [0.25, 0.75]


def test_the_callers_arrays_are_neither_kept_nor_changed():
    weights, means = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    m = Mixture(weights, means, [1, 1])
    means[0] = 7
    assert m.means.tolist() == [0, 1]
    assert weights.flags.writeable


def test_a_mixture_is_frozen():
    for name in ("weights", "means", "stds", "variances"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(M, name)[0] = 1
        with pytest.raises(AttributeError, match="frozen"):
            setattr(M, name, 1)
    with pytest.raises(AttributeError, match="frozen"):
        del M.means
    M.modes()[:] = 0
    assert M.modes()[0] != 0


BAD = {
    "no spread": (([1], [0]), "exactly one of stds and variances"),
    "both spreads": (([1], [0], [1], [1]), "exactly one of stds and variances"),
    "lengths": (([0.5, 0.5], [0], [1, 2]), "2 weights, 1 means, 2 stds: give as many"),
    "empty": (([], [], []), "at least one component"),
    "shape": (([1], [[0]], [1]), r"means has the shape \(1, 1\)"),
    "scalar": ((1, [0], [1]), r"weights has the shape \(\)"),
    "ragged": (([1], [[0], [1, 2]], [1]), "means is ragged"),
    "negative weight": (([1.5, -0.5], [0, 1], [1, 1]), r"weights\[1\] = -0.5 is negative"),
    "sum": (([0.5, 0.4], [0, 1], [1, 1]), "weights have the sum 0.9, not 1: divide them"),
    "huge sum": (([1e308, 1e308], [0, 1], [1, 1]), "weights have the sum inf"),
    "nan weight": (([np.nan, 1], [0, 1], [1, 1]), r"weights\[0\] = nan is not finite"),
    "nan mean of weight 0": (([1, 0], [0, np.nan], [1, 1]), r"means\[1\] = nan is not finite"),
    "infinite mean": (([1], [np.inf], [1]), r"means\[0\] = inf is not finite"),
    "zero std": (([1], [1], [0]), r"stds\[0\] = 0 is not positive"),
    "negative std": (([0.5, 0.5], [1, 2], [1, -1]), r"stds\[1\] = -1 is not positive"),
    "zero variance": (([1], [1], None, [0]), r"variances\[0\] = 0 is not positive"),
    "text": (([1], ["0"], [1]), "means must be real numbers"),
    "hidden text": (([1], np.array(["0"], object), [1]), "means holds '0', which is not a real"),
    "missing": (([1], [None], [1]), "means holds None, which is not a real"),
    "booleans": (([True], [0], [1]), "weights must be real numbers, not bool"),
    "complex": (([1], [1j], [1]), "means must be real numbers, not complex"),
    "masked": (([1], np.ma.masked_equal([0.0], 0), [1]), r"means\[0\] = nan is not finite"),
    "whole number": (([1], [10**400], [1]), "beyond 1.8e308"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters_raise_one_sentence(case):
    (weights, means, *rest), message = BAD[case]
    stds, variances = (*rest, None, None)[:2]
    with pytest.raises(InputError, match=message) as caught:
        Mixture(weights, means, stds, variances=variances)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("std", [1.4e-154, 1e-200, 1.4e154, 1e200])
def test_stds_whose_square_is_no_normal_number_are_refused(std):
    with pytest.raises(ScaleError, match=r"stds\[1\] = .* rescale the data"):
        Mixture([0.5, 0.5], [0, 1], [1, std])
    with pytest.raises(ScaleError, match=r"means\[0\] = 1e\+308 is beyond"):
        Mixture([1], [1e308], [1])
    Mixture([0.5, 0.5], [0, 1], [1.5e-154, 1.34e154])


def test_weights_keep_their_bits_or_are_divided_by_their_sum():
    thirds = [1 / 3, 1 / 3, 1 / 3]
    assert Mixture(thirds, [0, 1, 2], [1, 1, 1]).weights.tolist() == thirds
    rounded = Mixture([0.142857143] * 7, range(7), [1] * 7)
    assert rounded.weights.tolist() == pytest.approx([1 / 7] * 7, rel=1e-15)
    assert rounded.sf(-1e3) == 1
    assert Mixture([1, -0.0], [-0.0, 1], [1, 1]) == Mixture([1, 0], [0, 1], [1, 1])


def test_scalars_give_floats_and_arrays_keep_their_shape():
    functions = [M.pdf, M.logpdf, M.cdf, M.sf, M.logcdf, M.logsf, M.ppf, M.isf]
    for function in functions:
        assert type(function(0.5)) is float
        assert type(function(np.array(0.5))) is float
        assert function([]).shape == (0,)
        values = function(np.full((2, 1, 3), 0.25))
        assert values.shape == (2, 1, 3)
        assert np.unique(values).tolist() == [function(0.25)]
    assert type(M.predict(1)) is int
    assert M.predict([[1.0], [-5.0]]).tolist() == [[1], [0]]
    assert M.responsibilities(1.0).shape == (2,)
    assert M.responsibilities([[1.0], [2.0]]).shape == (2, 1, 2)
    assert M.responsibilities([]).shape == (0, 2)


def test_long_arrays_give_the_same_bits_as_scalars():
    x = np.linspace(-9, 9, 50_001)
    q = np.linspace(0, 1, 50_001)
    for function, points in ((M.pdf, x), (M.cdf, x), (M.logsf, x), (M.ppf, q), (M.predict, x)):
        whole = function(points)
        assert all(whole[i] == function(points[i]) for i in range(0, 50_001, 997))


def test_infinities_and_nan_are_points_like_others():
    x = [-np.inf, np.inf, np.nan]
    assert M.pdf(x)[:2].tolist() == [0, 0]
    assert M.logpdf(x)[:2].tolist() == [-np.inf, -np.inf]
    assert M.cdf(x)[:2].tolist() == [0, 1]
    assert M.sf(x)[:2].tolist() == [1, 0]
    assert M.logcdf(x)[:2].tolist() == [-np.inf, 0]
    assert M.logsf(x)[:2].tolist() == [0, -np.inf]
    for function in (M.pdf, M.logpdf, M.cdf, M.sf, M.logcdf, M.logsf):
        assert np.isnan(function(x)[2])


def test_bad_points_and_probabilities_are_refused():
    for function in (M.responsibilities, M.predict):
        with pytest.raises(InputError, match=r"x\[1\] = nan is not finite"):
            function([0, np.nan])
        with pytest.raises(InputError, match=r"x\[0, 1\] = inf is not finite"):
            function([[0, np.inf]])
    for function in (M.ppf, M.isf):
        with pytest.raises(InputError, match=r"q\[1\] = nan is no probability"):
            function([0.5, np.nan])
        with pytest.raises(InputError, match=r"q = 1\.5 is no probability"):
            function(1.5)
        with pytest.raises(InputError, match=r"q\[0\] = -1e-300 is no probability"):
            function([-1e-300])
    with pytest.raises(InputError, match="x must be real numbers"):
        M.pdf("1")
    with pytest.raises(InputError, match="p = 2 is no probability"):
        M.interval(2)
    with pytest.raises(InputError, match="p = 0 has no region"):
        M.hdr(0)


def test_edges_of_probability():
    assert M.ppf([0, 1]).tolist() == [-np.inf, np.inf]
    assert M.isf([0, 1]).tolist() == [np.inf, -np.inf]
    assert M.interval(1) == (-np.inf, np.inf)
    assert M.interval(0) == pytest.approx((M.median(), M.median()), rel=1e-15)
    assert M.hdr(1).tolist() == [[-np.inf, np.inf]]


# drawing


def test_draws_follow_the_distribution():
    m = Mixture([0.3, 0, 0.7], [0, 50, 4], [1, 1, 0.5])
    x = m.rvs(20_000, rng=1)
    assert stats.kstest(x, m.cdf).pvalue > 1e-3
    assert x.mean() == pytest.approx(m.mean(), abs=4 * m.std() / len(x) ** 0.5)
    assert x.std() == pytest.approx(m.std(), rel=0.02)
    assert x.max() < 10


def test_draws_are_repeatable_and_shaped():
    assert M.rvs(5, rng=3).tolist() == M.rvs(5, rng=np.random.default_rng(3)).tolist()
    generator = np.random.default_rng(3)
    assert M.rvs(5, rng=generator).tolist() != M.rvs(5, rng=generator).tolist()
    assert M.rvs((2, 3), rng=1).shape == (2, 3)
    assert M.rvs(0, rng=1).shape == (0,)
    assert type(M.rvs(rng=np.int64(1))) is float


@pytest.mark.parametrize("rng", [None, True, -1, 1.5, np.random])
def test_draws_need_a_seed_or_a_generator(rng):
    with pytest.raises(InputError, match=r"hand in a seed such as rng=1"):
        M.rvs(3, rng=rng)


@pytest.mark.parametrize("size", [-1, 2.5, True, "3", (2, -1), [2]])
def test_bad_sizes_are_refused(size):
    with pytest.raises(InputError, match="hand in a whole number"):
        M.rvs(size, rng=1)


# writing


def test_formula_and_display():
    m = Mixture([0.25, 0.75], [-1, 1.23456789], [2e-7, 3])
    assert M.formula() == "p(x) = 0.4 N(x | -2, 1²) + 0.6 N(x | 3, 1.5²)"
    assert m.formula(digits=3) == "p(x) = 0.25 N(x | -1, (2e-07)²) + 0.75 N(x | 1.23, 3²)"
    assert m.formula("latex", digits=3) == (
        r"p(x) = 0.25\,\mathcal{N}(x \mid -1,\, \left(2 \times 10^{-7}\right)^2)"
        r" + 0.75\,\mathcal{N}(x \mid 1.23,\, 3^2)"
    )
    with pytest.raises(InputError, match="use 'text' or 'latex'"):
        m.formula("tex")
    assert repr(M) == "Mixture(weights=[0.4, 0.6], means=[-2, 3], stds=[1, 1.5])"
    many = repr(Mixture([0.1] * 10, range(10), [1] * 10))
    assert many.startswith("Mixture(weights=[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, …], means=[0, 1,")


# other libraries


def test_scipy_agrees():
    m = Mixture([0.2, 0.5, 0.3], [-4, 0, 2], [1.5, 1, 1.2])
    other = m.to_scipy()
    x = np.linspace(-8, 6, 29)
    for ours, theirs in (
        (m.pdf, other.pdf),
        (m.logpdf, other.logpdf),
        (m.cdf, other.cdf),
        (m.sf, other.ccdf),
        (m.logcdf, other.logcdf),
    ):
        np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-12)
    assert m.ppf(0.3) == pytest.approx(float(other.icdf(0.3)), rel=1e-8)
    for name in ("mean", "skewness"):
        assert getattr(m, name)() == pytest.approx(float(getattr(other, name)()), rel=1e-12)
    assert m.var() == pytest.approx(float(other.variance()), rel=1e-12)
    assert m.kurtosis() + 3 == pytest.approx(float(other.kurtosis()), rel=1e-12)


def test_an_old_scipy_is_named(monkeypatch):
    monkeypatch.delattr(stats, "Mixture")
    with pytest.raises(MissingExtraError, match=r"SciPy 1.15 or newer: pip install"):
        M.to_scipy()


def test_sklearn_agrees():
    pytest.importorskip("sklearn")
    m = Mixture([0.2, 0.5, 0.3], [-4, 0, 2], [1.5, 1, 1.2])
    other = m.to_sklearn()
    x = np.linspace(-12, 9, 43)
    np.testing.assert_allclose(m.logpdf(x), other.score_samples(x[:, None]), rtol=1e-12)
    np.testing.assert_allclose(m.responsibilities(x), other.predict_proba(x[:, None]), atol=1e-13)
    assert m.predict(x).tolist() == other.predict(x[:, None]).tolist()
    assert other.bic(x[:, None]) == pytest.approx(8 * np.log(43) - 2 * m.logpdf(x).sum())
    assert other.sample(5)[0].shape == (5, 1)


def test_a_missing_sklearn_names_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    monkeypatch.setitem(__import__("sys").modules, "sklearn.mixture", None)
    with pytest.raises(ImportError, match="sklearn"):
        M.to_sklearn()
