"""The default search: deterministic, the best optimum known, one search for all k, nothing hidden, interruptible."""

import _thread
import json
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from equivariance import datasets, distance
from hypothesis import given, settings
from hypothesis import strategies as st

import gmm1d
from gmm1d import progress, starts, textbook
from gmm1d.errors import (
    CollapseError,
    Ending,
    FitWarning,
    InputError,
    MissingExtraError,
    UncertaintyError,
)

DATA = datasets()
WAITING = DATA["faithful_waiting"]
REFERENCES = json.loads((Path(__file__).parent / "data" / "reference_fits.json").read_text())[
    "fits"
]
EQUAL = [
    pytest.param(case, id="{dataset}-{k}".format(**case))
    for case in REFERENCES
    if case["best_regular"] is not None and case["model"] == "E"
]


def quiet(*args, **kwargs):
    """Fit without the warning that every ending but CONVERGED gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def three_bumps(n, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [n // 2, n // 4, n - n // 2 - n // 4]
    parts = zip((0, 3, 7), (1, 0.5, 1.5), sizes, strict=True)
    return rng.permutation(np.concatenate([rng.normal(*part) for part in parts]))


# --- the best optimum -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", EQUAL)
def test_the_best_optimum_known_of_equal_variances_is_reached(case):
    """There the likelihood is bounded, and ranks."""
    f = quiet(DATA[case["dataset"]], case["k"], equal_variances=True)
    assert f.log_likelihood > case["best_regular"] - 0.01
    assert f.status in (Ending.CONVERGED, Ending.FLAT)
    assert np.all(np.diff(f.trace.log_likelihood) >= -1e-12 * (abs(f.log_likelihood) + f.n))


def penalised(f):
    """S of a mixture with its data: what the search maximises."""
    m = f.mixture
    return f.log_likelihood + 1.5 * np.log(m.stds).sum() + np.log(m.weights).sum()


@given(st.integers(0, 10**6), st.integers(2, 4))
@settings(max_examples=20)
def test_no_start_leads_to_a_better_maximum(seed, k):
    """Of data whose groups are plain, neither named starts nor the truth lead to a maximum where S is higher."""
    rng = np.random.default_rng(seed)
    means = np.cumsum(rng.uniform(4, 8, k))
    truth = gmm1d.Mixture(rng.dirichlet(np.full(k, 5.0)), means, rng.uniform(0.5, 1.5, k))
    x = truth.rvs(200, rng=rng)
    f = quiet(x, k)
    for start in (*starts.NAMED, truth):
        try:
            other = quiet(x, k, start=start)
        except CollapseError:
            continue
        if other.status is Ending.CONVERGED and not other.notes:
            assert penalised(f) >= penalised(other) - 0.05


# --- needles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [50, 100, 800, 3000])
def test_one_gaussian_is_not_split_by_a_needle(n):
    """Where the highest regular maximum is one in four of five samples, the optimum of S is one in fifty."""
    needles = 0
    for seed in range(40):
        x = np.random.default_rng([n, seed]).normal(100, 15, n)
        f = quiet(x, 2)
        assert f.status in (Ending.CONVERGED, Ending.PENALISED)
        needles += f.mixture.stds.min() < 0.05 * x.std()
    assert needles <= 3


def test_one_gaussian_rounded_is_one_group():
    x = np.random.default_rng(5000).normal(100, 15, 50).round(1)
    assert gmm1d.compare(x, range(1, 5)).k == 1


@pytest.mark.parametrize("each", [4, 10])
def test_two_small_groups_far_apart_are_split(each):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = np.concatenate([rng.normal(0, 1, each), rng.normal(10, 1, each)])
        f = quiet(x, 2)
        assert f.mixture.predict(x).tolist() == [0] * each + [1] * each


def test_what_the_data_do_not_support_is_held_by_the_penalty_and_named():
    x = np.random.default_rng(3).normal(size=50)
    with pytest.warns(FitWarning, match="the data support"):
        f = gmm1d.fit(x, 5)
    assert (f.status, f.reason) == (Ending.PENALISED, "support")
    assert f.mixture.weights.min() * 50 > 1
    assert f.trace.log_likelihood[-1] == pytest.approx(penalised(f), rel=1e-12)
    assert f.gradient_norm < 1e-8
    with pytest.raises(UncertaintyError, match="the data support fewer"):
        f.standard_errors()


@pytest.mark.parametrize("k", range(5, 10))
def test_how_many_components_the_data_support_does_not_hang_on_how_many_were_asked_for(k):
    """Whichever of several copies the likelihood carries off first, they count as one."""
    f = quiet(WAITING, k)
    assert f.notes[0].startswith(f"the data support 4 components at most, not {k}: component ")
    assert f.notes[0].count("(mean ") == k - 4


def test_a_given_start_climbs_the_likelihood_and_a_clump_is_named():
    rng = np.random.default_rng(1000)
    x = rng.normal(2, 1, 800)
    values = np.sort(x)
    i = int(np.argmin(values[6:] - values[:-6]))
    clump = values[i : i + 7]
    start = {"means": [2, clump.mean()], "stds": [1, clump.std()], "weights": [0.99, 0.01]}
    f = gmm1d.fit(x, 2, start=start)
    assert f.status is Ending.CONVERGED
    assert f.mixture.stds.min() < 0.05
    assert "have such clumps by chance" in " ".join(f.notes)
    assert not gmm1d.fit(x, 2, start={"means": [1, 3], "stds": [1, 1]}).notes


# --- deterministic --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [300, 60_000])
def test_the_search_has_the_same_bits_every_time_for_any_number_of_threads(n):
    x = three_bumps(n)
    first = quiet(x, 4, threads=1).to_json()
    for threads in (1, 2, 5):
        assert quiet(x, 4, threads=threads).to_json() == first


def test_the_order_of_the_data_does_not_matter():
    x = three_bumps(300)
    first = quiet(x, 4).to_json()
    assert quiet(x[::-1], 4).to_json() == first
    assert quiet(np.random.default_rng(1).permutation(x), 4).to_json() == first
    x = three_bumps(60_000)
    one, other = quiet(x, 4), quiet(x[::-1], 4)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-13)
    np.testing.assert_allclose(other.mixture.means, one.mixture.means, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("ks", [[1, 2, 3, 4, 5], [5, 2], [4]])
@pytest.mark.parametrize("name", ["galaxies_rg1997", "newcomb", "sketched"])
def test_compare_is_fit_bit_for_bit(name, ks, equal):
    x = three_bumps(30_000) if name == "sketched" else DATA[name]
    comparison = gmm1d.compare(x, ks, equal_variances=equal)
    assert list(comparison) == sorted(ks)
    for k in ks:
        assert comparison[k].to_json() == quiet(x, k, equal_variances=equal).to_json()


# --- equivariance ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("a", [1.0, -1.0, 1e-150, -1e3])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_equivariance_where_the_data_are_few(k, a, shift):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        assert max(distance(three_bumps(400), k, a, shift)) <= 1


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("a", [-1.0, 1e-150, 1e3])
def test_sketched_fits_follow_scale_and_shift_within_their_error(k, a):
    x = three_bumps(60_000)
    b = 10 * abs(a)
    y = a * x + b
    one, other = gmm1d.fit((y - b) / a, k), gmm1d.fit(y, k)
    assert one.sample.sketch is not None
    expected = one.log_likelihood - one.n * np.log(abs(a))
    allowed = abs(one.compression_error) + abs(other.compression_error)
    assert abs(other.log_likelihood - expected) <= allowed + 1e-12 * one.n * (
        1 + abs(np.log(abs(a)))
    )
    turn = slice(None, None, -1 if a < 0 else 1)
    errors = other.standard_errors()
    apart = np.abs(other.mixture.means - (a * one.mixture.means[turn] + b)) / errors.means
    assert apart.max() < 1e-4
    np.testing.assert_allclose(other.mixture.stds, abs(a) * one.mixture.stds[turn], rtol=1e-5)
    np.testing.assert_allclose(other.mixture.weights, one.mixture.weights[turn], rtol=1e-5)


# --- nothing is hidden ----------------------------------------------------------------------------------------------


def columns():
    """Tied, rounded, zero-inflated and heavy-tailed columns."""
    rng = np.random.default_rng(0)
    return {
        "geyser": DATA["geyser_duration"],
        "zeros": np.concatenate([np.zeros(900), rng.normal(5, 1, 100)]),
        "many zeros": np.concatenate([np.zeros(50_000), rng.normal(5, 1, 5_000)]),
        "rounded": np.round(rng.normal(170, 4, 400)),
        "coarse": np.round(rng.normal(170, 0.4, 400)),
        "much rounded": np.round(rng.normal(0, 3, 60_000)),
        "counts": rng.poisson(3, 300).astype(float),
        "marks": np.repeat([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [50, 30, 10, 10, 5, 5]),
        "answers": np.concatenate([rng.integers(0, 2, 100), rng.normal(0.5, 0.2, 50)]),
        "cauchy": rng.standard_cauchy(500),
        "many cauchy": rng.standard_cauchy(60_000),
        "lognormal": rng.lognormal(0, 2, 400),
        "all but one": np.append(np.zeros(99), 1.0),
        "outlier": np.append(rng.normal(size=300), 1e9),
    }


@pytest.mark.parametrize("name", columns())
def test_columns_with_ties_and_tails_end_well_or_say_what_collapses(name):
    x = columns()[name]
    for k in range(2, min(6, len(np.unique(x)) + 1)):
        f = quiet(x, k)
        m = f.mixture
        assert np.isfinite([f.log_likelihood, *m.weights, *m.means, *m.stds]).all()
        assert np.all(np.diff(f.trace.log_likelihood) >= -1e-12 * (abs(f.log_likelihood) + f.n))
        assert f.status in (Ending.CONVERGED, Ending.PENALISED)
        if f.status is Ending.CONVERGED:
            assert f.reason is None
            continue
        with pytest.warns(FitWarning, match="no maximum of the likelihood"):
            gmm1d.fit(x, k)
        said = {"ties": "wants to collapse: it sits on", "support": "the data support"}
        assert said[f.reason] in " ".join(f.notes)


@pytest.mark.parametrize("std", [1.0, 2.0])
def test_more_components_than_there_are_do_not_end_on_ties_where_there_are_none(std):
    rng = np.random.default_rng(0)
    x = rng.normal(5.0 * rng.integers(4, size=1_000_000), std)
    sample = gmm1d.Sample.of(x)
    for k in range(5, 11):
        f = quiet(sample, k)
        assert f.reason in (None, "support")
        narrowest = (
            f.mixture.stds.min() / sample.std
        )  # few nodes make needles of their own, which are not in the data
        assert narrowest > 0.01


@pytest.mark.parametrize("k", [4, 5, 6])
def test_ties_do_not_hide_optima_that_are_finite(k):
    f = quiet(DATA["geyser_duration"], k)  # 53 of 299 are exactly 4 minutes
    assert f.reason == "support"


# --- random starts --------------------------------------------------------------------------------------------------


def test_random_starts_are_reproducible_and_never_lower():
    x = DATA["galaxies_rg1997"]
    for k in (3, 5):
        plain = quiet(x, k)
        one, again = (quiet(x, k, n_random=40, rng=3) for _ in range(2))
        assert one.to_json() == again.to_json()
        drawn = quiet(x, k, n_random=40, rng=np.random.default_rng(3))
        assert drawn.to_json() == one.to_json()
        assert penalised(one) >= penalised(plain) - 0.05


def test_random_starts_come_from_the_callers_generator():
    sample = gmm1d.Sample.of(WAITING)
    rng = np.random.default_rng(0)
    weights, means, stds = starts.random(sample, 4, rng)
    assert weights.tolist() == [0.25] * 4
    assert np.isin(means, sample.nodes[0]).all()
    assert np.all((stds > 0) & (stds < sample.std / sample.unit))
    before = rng.bit_generator.state
    quiet(WAITING, 3, rng=rng)
    assert rng.bit_generator.state == before
    quiet(WAITING, 3, n_random=1, rng=rng)
    assert rng.bit_generator.state != before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_random": 5}, "n_random needs rng: a seed"),
        ({"n_random": 5, "rng": "x"}, "rng='x': hand in a seed"),
        ({"n_random": -1, "rng": 1}, "n_random must be a whole number from 0 on"),
        ({"n_random": 2.5, "rng": 1}, "n_random must be a whole number"),
        ({"n_random": 5, "rng": 1, "start": "quantile"}, "n_random adds to the search"),
        ({"progress": "yes"}, "progress must be True, False or None"),
        ({"exact": "yes"}, "exact must be True or False"),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.fit(WAITING, 2, **options)


def test_exact_needs_the_data():
    sketch = gmm1d.Sketch()
    sketch.add(three_bumps(30_000))
    assert quiet(sketch, 3).status is Ending.CONVERGED
    for ask in (
        lambda: gmm1d.fit(sketch, 3, exact=True),
        lambda: gmm1d.compare(sketch, [1], exact=True),
    ):
        with pytest.raises(InputError, match="exact=True needs the data themselves"):
            ask()


def test_sketches_are_fitted_like_the_data_they_stand_for():
    x = three_bumps(60_000)
    sketch, parts = gmm1d.Sketch(), [gmm1d.Sketch(), gmm1d.Sketch()]
    sketch.add(x)
    for part, chunk in zip(parts, np.split(x, 2), strict=True):
        part.add(chunk)
    whole, merged, direct = (gmm1d.fit(each, 3) for each in (sketch, parts[0] + parts[1], x))
    assert merged.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-13)
    np.testing.assert_allclose(merged.mixture.stds, whole.mixture.stds, rtol=1e-9)
    assert whole.log_likelihood == pytest.approx(direct.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(whole.mixture.means, direct.mixture.means, rtol=1e-8, atol=1e-8)
    m = direct.mixture
    value = float(textbook.log_likelihood(x, m.weights, m.means, m.variances))
    assert direct.log_likelihood == pytest.approx(value, abs=1e-9 * len(x))


# --- progress and interruption --------------------------------------------------------------------------------------


def test_a_bar_is_shown_where_it_is_asked_for(capsys):
    gmm1d.fit(WAITING, 2, n_random=40, rng=1, progress=True)
    assert "random starts" in capsys.readouterr().err
    gmm1d.compare(WAITING, [1, 2], progress=True)
    assert "numbers of components" in capsys.readouterr().err
    quiet(WAITING, 5, progress=True)
    assert "components" in capsys.readouterr().err
    for silent in (False, None):  # None: the standard error is no terminal here
        gmm1d.fit(WAITING, 2, n_random=40, rng=1, progress=silent)
        gmm1d.compare(WAITING, [1, 2], progress=silent)
        quiet(WAITING, 5, progress=silent)
        assert capsys.readouterr() == ("", "")


def test_on_a_terminal_the_bar_waits_a_second(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(progress.watched(range(3), "steps", None)) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    for _ in progress.watched(range(3), "steps", None):
        time.sleep(0.15)
    assert "steps" in capsys.readouterr().err


def test_without_tqdm_only_who_asks_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(MissingExtraError, match=r"pip install 'gmm1d\[progress\]'"):
        gmm1d.compare(WAITING, [1, 2], progress=True)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert gmm1d.compare(WAITING, [1, 2]).k == 2


@pytest.mark.parametrize("work", ["fit", "compare"])
def test_a_keyboard_interrupt_ends_the_search(work):
    x = three_bumps(20_000)

    def ask():
        if work == "fit":
            gmm1d.fit(x, 60)
        else:
            gmm1d.compare(x, range(1, 61))

    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ask()
    timer.join()
    assert gmm1d.fit(x, 2).status is Ending.CONVERGED


def test_random_starts_keep_what_is_fixed():
    fixed = {"means": [None, 80.0], "weights": [0.4, None]}
    plain, drawn = (quiet(WAITING, 2, fixed=fixed, n_random=n, rng=1) for n in (0, 20))
    assert drawn.mixture.means[1] == 80.0
    assert drawn.mixture.weights[0] == 0.4
    assert drawn.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)


def test_exact_comparisons_are_exact_fits():
    x = three_bumps(30_000)
    comparison = gmm1d.compare(x, [2, 3], exact=True)
    for k in (2, 3):
        assert comparison[k].to_json() == quiet(x, k, exact=True).to_json()
        assert comparison[k].compression_error == 0.0


@pytest.mark.parametrize(("n", "m"), [(20_000, 20), (20_000, 50), (200_000, 100)])
def test_rare_groups_far_away_are_found(n, m):
    rng = np.random.default_rng(0)
    groups = [rng.normal(0, 1, n - 2 * m), rng.normal(100, 1, m), rng.normal(200, 1, m)]
    f = gmm1d.fit(np.concatenate(groups), 3)
    assert f.mixture.means == pytest.approx([0, 100, 200], abs=1)
    assert f.mixture.weights[1:] == pytest.approx(m / n, rel=1e-6)


def test_a_penalised_fit_always_says_why():
    with pytest.warns(gmm1d.errors.FitWarning, match="the data support|wants to collapse"):
        f = gmm1d.fit([80, 55, 103, 101, 93, 61, 104, 61, 17, 104, 98, 18], 4)
    assert f.status is Ending.PENALISED
    assert f.reason in ("support", "ties")
