"""Fits of which something is fixed, and penalised ones: equivariant, interruptible, no worse than many starts."""

import _thread
import threading
import warnings

import numpy as np
import pytest
from equivariance import datasets, distance
from hypothesis import given, settings
from hypothesis import strategies as st

import gmm1d
from gmm1d import starts
from gmm1d.climbing import Rules, Search
from gmm1d.constraints import Constraints
from gmm1d.errors import Ending, FitWarning

DATA = datasets()
VALUES = st.lists(st.integers(0, 30), min_size=3, max_size=12)


def quiet(*args, **kwargs):
    """Fit without the warning that every ending but CONVERGED gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def is_lopsided(x):
    """Of data that are their own mirror image a fit need not be."""
    u = np.sort(x)
    return not np.array_equal(u + u[::-1], np.full(u.shape, u[0] + u[-1]))


def three_bumps(n):
    rng = np.random.default_rng(0)
    parts = ((0, 1, n // 2), (3, 0.5, n // 4), (7, 1.5, n - n // 2 - n // 4))
    return rng.permutation(np.concatenate([rng.normal(*part) for part in parts]))


# --- equivariance ---------------------------------------------------------------------------------------------------


def assert_mirrored(one, other):
    """By the bound of promise 1, as in tests/equivariance.py."""
    assert abs(other.log_likelihood - one.log_likelihood) <= 1e-12 * one.n
    m, w = one.mixture, other.mixture
    slack = 1e-9 * max(1, 1e-3 / max(one.certificate.smallest_eigenvalue, 1e-300))
    assert np.abs((w.means + m.means[::-1]) / w.stds).max() <= slack
    assert np.abs(np.log(w.stds / m.stds[::-1])).max() <= slack
    assert np.abs(w.weights - m.weights[::-1]).max() <= slack


@pytest.mark.parametrize(
    ("x", "k"),
    [
        ([5, 4, 2, 2, 0, 0, 0, 1, 6, 5, 7], 3),
        ([2, 3, 7], 2),
        ([2, 3, 7], 3),
        ([4, 1, 6, 3, 7, 6], 4),
        ([9, 9, 9, 1, 1, 4], 2),
        ([7, 1, 4, 6, 2, 2, 1, 1, 7, 1, 1], 3),
    ],
)
def test_penalised_fits_of_mirrored_data_are_mirrored(x, k):
    x = np.array(x, dtype=float)
    one, other = quiet(x, k), quiet(-x, k)
    assert one.status is other.status is Ending.PENALISED
    assert_mirrored(one, other)


@given(VALUES, st.integers(1, 4), st.sampled_from(["free", "mean", "std", "weights"]))
@settings(max_examples=20)
def test_fits_of_a_few_mirrored_values_are_mirrored(values, k, what):
    x = np.array(values, dtype=float)
    if len(np.unique(x)) < max(k, 2) or not is_lopsided(x):
        return
    rest = [None] * (k - 1)
    fixed = {
        "free": ({}, {}),
        "mean": ({"means": [x[0], *rest]}, {"means": [-x[0], *rest]}),
        "std": ({"stds": [x.std() / 4, *rest]},) * 2,
        "weights": ({"weights": [2 * (j + 1) / k / (k + 1) for j in range(k)]},) * 2,
    }[what]
    one, other = quiet(x, k, fixed=fixed[0]), quiet(-x, k, fixed=fixed[1])
    assert one.status is other.status
    assert_mirrored(one, other)


def test_penalised_fits_follow_the_unit():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        assert max(distance(DATA["geyser_duration"], 6, 1e150, 0.0)) <= 1


# --- the best optimum -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("newcomb", {"stds": [0.5331805049627752, None]}),
        ("galaxies_rg1997", {"means": [19.93725, None, None]}),
        ("geyser_duration", {"stds": [0.38199416153779214] * 3}),
        ("geyser_duration", {"weights": [0.08, None, None, None]}),
        ("iris_petal_length", {"weights": [0.8427529005723611, None, None]}),
        ("penguins_flipper", {"stds": [16.84936868230692, None, None, None]}),
        ("stamps", {"weights": [0.08, None]}),
        ("stamps", {"means": [0.082, None, None], "weights": [None, None, 0.3]}),
    ],
)
def test_no_random_start_leads_higher(name, fixed):
    """Not of 100, by S: the objective of the search."""
    k = len(next(iter(fixed.values())))
    sample, rng = gmm1d.Sample.of(DATA[name]), np.random.default_rng(0)
    search = Search(sample, Rules("newton", None, 1000, 1, Constraints.of(k, False, fixed)))
    found = search.best(k)
    more = search.best(k, [starts.random(sample, k, rng) for _ in range(100)])
    assert found.status in (Ending.CONVERGED, Ending.FLAT, Ending.PENALISED)
    assert more.objective <= found.objective + 0.01


def test_a_component_may_be_as_faint_as_it_was_made():
    """A weight that is fixed is no reason to call the fit penalised: all but it is a fit of one component less."""
    x = three_bumps(20_000)
    f = quiet(x, 2, fixed={"weights": [1e-15, None]})
    assert f.status is not Ending.PENALISED
    assert f.log_likelihood == pytest.approx(gmm1d.fit(x, 1).log_likelihood, rel=1e-12)


def test_the_size_and_the_scale_of_the_sample_do_not_decide_what_is_found():
    fixed = {"weights": [0.1, 0.2, 0.3, 0.4]}
    found = [quiet(a * three_bumps(n), 4, fixed=fixed) for n in (19_000, 21_000) for a in (1, 1e-9)]
    for f in found:
        assert f.mixture.weights == pytest.approx(found[0].mixture.weights)
    apart = [found[0].log_likelihood / 19_000, found[2].log_likelihood / 21_000]
    assert apart[0] == pytest.approx(apart[1], abs=0.02)


def test_more_starts_reuse_the_search_and_never_lead_lower():
    fixed = {"means": [None, 80.0], "weights": [0.4, None]}
    x = DATA["faithful_waiting"]
    plain, drawn = (quiet(x, 2, fixed=fixed, n_random=n, rng=1) for n in (0, 70))
    assert drawn.log_likelihood >= plain.log_likelihood - 1e-9


# --- interruption ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fixed",
    [
        {"weights": [1 / 40] * 40},
        {"means": [*np.arange(40) / 10]},
        {"stds": [1e-3, 2e-3, *[None] * 38]},
    ],
)
def test_a_keyboard_interrupt_ends_the_search(fixed):
    x = np.random.default_rng(1).normal(size=20_000)
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        quiet(x, len(next(iter(fixed.values()))), fixed=fixed)
    timer.join()
