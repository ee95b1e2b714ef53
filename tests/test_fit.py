"""`fit`: laws, golden numbers, endings and errors."""

import _thread
import json
import re
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from equivariance import CASES, datasets, distance
from hypothesis import given, settings
from hypothesis import strategies as st

import gmm1d
from gmm1d import starts, textbook
from gmm1d.climbing import Rules, Search, climb
from gmm1d.errors import CollapseError, Ending, FitWarning, InputError, ScaleError

GOLDEN = json.loads((Path(__file__).parent / "data" / "golden.json").read_text())
DATA = datasets()


def quiet(*args, **kwargs):
    """Fit without the warning that every ending but CONVERGED gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **kwargs)


def two_bumps(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 1, n // 2), rng.normal(6, 1.5, n - n // 2)])


# --- golden numbers -------------------------------------------------------------------------------------------------


# S2's golden optimum is the point where rounding hid the next rise of the log-likelihood, 1e-7 before the end.
@pytest.mark.parametrize(("case", "last"), [("S2", 41), ("S3", -1)])
def test_explicit_starts_find_the_golden_optimum(case, last):
    golden = GOLDEN[case]
    start = golden.get("start", {"weights": [0.5, 0.5], "means": [-0.5, 0.5], "stds": [1.0, 1.0]})
    start = {key: start[key] for key in ("weights", "means", "stds")}
    f = gmm1d.fit(golden["x"], 2, start=start, method="em")
    assert f.status is Ending.CONVERGED
    for name in ("weights", "means", "stds"):
        trace = getattr(f.trace, name)
        np.testing.assert_allclose(trace[0], start[name], rtol=1e-15)
        for step in (1, 2):
            np.testing.assert_allclose(trace[step], golden[f"after_{step}"][name], rtol=1e-8)
        np.testing.assert_allclose(trace[last], golden["converged"][name], rtol=1e-8)
        np.testing.assert_allclose(trace[-1], golden["converged"][name], rtol=3e-7)
        np.testing.assert_array_equal(getattr(f.mixture, name), trace[-1][f.order])
    for step in (1, 2, 5):
        assert f.trace.log_likelihood[step] == pytest.approx(
            golden["log_likelihood"][f"after_{step}"], rel=1e-10
        )
    assert f.log_likelihood == pytest.approx(golden["log_likelihood"]["converged"], rel=1e-12)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_the_homework_stops_where_it_says(k):
    golden = GOLDEN["S4"]["fits"][str(k)]
    f = gmm1d.fit(DATA["faithful_waiting"], k, start="spread", method="em", tol=1)
    assert (f.n_iter, f.status) == (golden["steps"], Ending.TOLERANCE)
    assert f.log_likelihood == pytest.approx(golden["log_likelihood"], rel=1e-10)
    assert f.bic == pytest.approx(golden["bic"], rel=1e-10)
    for name in ("weights", "means", "stds"):
        np.testing.assert_allclose(getattr(f.mixture, name), golden["fit"][name], rtol=1e-8)
    end = gmm1d.fit(DATA["faithful_waiting"], k, start="spread", method="em")
    assert end.status is Ending.CONVERGED
    assert end.log_likelihood == pytest.approx(golden["em_limit_log_likelihood"], rel=1e-10)


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_equivariance(name, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        distances = [distance(DATA[name], k, a, shift) for a, shift in CASES]
    assert np.max(distances) <= 1


@pytest.mark.parametrize("name", DATA)
def test_every_trace_climbs_and_every_ending_is_certified(name):
    x = DATA[name]
    for k in range(1, 7):
        f = quiet(x, k)
        ell = f.trace.log_likelihood
        assert np.all(np.diff(ell) >= -1e-12 * (np.abs(ell[1:]) + f.n))
        assert f.log_likelihood == pytest.approx(
            float(
                textbook.log_likelihood(x, f.mixture.weights, f.mixture.means, f.mixture.variances)
            ),
            rel=1e-12,
        )
        if f.status is Ending.CONVERGED:
            assert f.gradient_norm < 1e-8
            assert f.newton_decrement < 1e-6
            assert f.certificate.smallest_eigenvalue > 1e-6
            assert f.mixture.weights.min() * f.n >= 2
            assert (
                np.linalg.eigvalsh(f.certificate.covariance)[0]
                > -1e-9 * np.abs(f.certificate.covariance).max()
            )
        else:
            assert f.status is Ending.PENALISED
            assert f.reason in ("support", "ties")
            assert f.notes


def test_the_certificate_belongs_to_the_textbook_likelihood():
    f = gmm1d.fit(DATA["faithful_waiting"], 2)
    x, m = DATA["faithful_waiting"], f.mixture
    for shift in (-1e-3, 1e-3):
        moved = textbook.log_likelihood(x, m.weights, m.means + shift * m.stds, m.variances)
        assert moved < f.log_likelihood
    weights, means, variances = textbook.m_step(
        x, textbook.e_step(x, m.weights, m.means, m.variances)
    )
    np.testing.assert_allclose(weights, m.weights, rtol=1e-9)
    np.testing.assert_allclose(means, m.means, rtol=1e-9)
    np.testing.assert_allclose(variances, m.variances, rtol=1e-9)


def test_standard_errors_of_one_gaussian_are_the_known_ones():
    x = two_bumps()
    f = gmm1d.fit(x, 1)
    n, std = len(x), x.std()
    assert f.mixture.means[0] == pytest.approx(x.mean(), rel=1e-14)
    assert f.mixture.stds[0] == pytest.approx(std, rel=1e-14)
    np.testing.assert_allclose(
        f.certificate.covariance, np.diag([0, std**2 / n, 1 / (2 * n)]), atol=1e-14
    )


@given(st.integers(0, 10**6), st.integers(1, 4))
@settings(max_examples=15)
def test_integer_weights_are_repeated_points_and_order_does_not_matter(seed, k):
    rng = np.random.default_rng(seed)
    x, counts = two_bumps(60, seed), rng.integers(1, 4, 60)
    weighted, repeated = (
        quiet(x, k, sample_weight=counts),
        quiet(rng.permutation(np.repeat(x, counts)), k),
    )
    assert weighted.status is repeated.status
    assert weighted.n == repeated.n
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-9)
    if weighted.status is Ending.CONVERGED and weighted.certificate.smallest_eigenvalue > 1e-3:
        np.testing.assert_allclose(
            weighted.mixture.means, repeated.mixture.means, rtol=1e-6, atol=1e-6
        )


def test_any_number_of_threads_gives_the_same_bits():
    x = two_bumps(100_000)
    one, two, five = (gmm1d.fit(x, 2, threads=threads) for threads in (1, 2, 5))
    assert one.to_json() == two.to_json() == five.to_json()


def test_a_large_sample_is_compressed_and_keeps_its_buffer():
    x = two_bumps(50_000)
    f = gmm1d.fit(x, 2)
    assert f.status is Ending.CONVERGED
    assert f.sample.sketch is not None
    assert f.sample.nodes[0].size < x.size
    assert np.shares_memory(f.sample.points, x)
    assert f.mixture.means == pytest.approx([0, 6], abs=0.05)


def test_rare_values_beside_a_great_many_ties_are_seen():
    x = np.zeros(100_000)
    x[1:40:3] = np.arange(1, 14)
    f = quiet(x, 3)
    assert np.isfinite(f.log_likelihood)
    assert f.status is Ending.PENALISED
    assert any("sits on 0, 99987 of 100000 values" in note for note in f.notes)


def test_labels_stay_the_starts_and_order_maps_them():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 1, 200), rng.normal(10, 2, 300), rng.normal(20, 0.5, 100)])
    start = {"means": [21, 1, 9], "stds": [1, 2, 3], "weights": [0.2, 0.3, 0.5]}
    f = gmm1d.fit(x, 3, start=start)
    assert f.order.tolist() == [1, 2, 0]
    for name in ("weights", "means", "stds"):
        assert getattr(f.trace, name)[0].tolist() == start[name]
        np.testing.assert_array_equal(getattr(f.trace, name)[-1][f.order], getattr(f.mixture, name))
    in_order = {name: np.array(values)[f.order] for name, values in start.items()}
    sorted_start = gmm1d.fit(x, 3, start=in_order)
    np.testing.assert_allclose(
        f.certificate.covariance, sorted_start.certificate.covariance, rtol=1e-6
    )
    variances = {"means": start["means"], "variances": [1, 4, 9], "weights": start["weights"]}
    assert gmm1d.fit(x, 3, start=variances).trace.stds[0].tolist() == start["stds"]


@pytest.mark.parametrize("name", DATA)
def test_no_named_start_leads_to_a_higher_optimum_than_the_search(name):
    """Of S, that is: the likelihood has higher maxima, which hold a few values that lie close by chance."""
    sample = gmm1d.Sample.of(DATA[name])
    rules = Rules("newton", None, 500, 1)
    for k in (2, 3, 4, 5):
        found = Search(sample, rules).best(k)
        for start in ("spread", "quantile", "kmeans"):
            other = climb(sample, starts.resolve(start, sample, k), rules, penalised=True)
            widest = other.end.stds.max() / (sample.high - sample.low)
            if other.collapsed is None and widest < 0.7 and found.reason != "ties":
                best = climb(sample, found.end, rules, penalised=True)
                assert best.objective >= other.objective - 0.01


def test_a_weight_is_a_repetition_even_beside_spikes_and_narrow_components():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, 30), 3 + 1e-4 * rng.normal(size=30)])
    weighted, repeated = quiet(x, 2, sample_weight=np.full(60, 200)), quiet(np.repeat(x, 200), 2)
    assert weighted.status is repeated.status is Ending.CONVERGED
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-12)
    assert weighted.mixture.stds.min() < 1e-3 * weighted.sample.std


# --- endings --------------------------------------------------------------------------------------------------------


def tied(k):
    """Columns with ties, and the values that draw a component where k is too large for a regular fit."""
    rng = np.random.default_rng(0)
    zeros = np.concatenate([np.zeros(900), rng.normal(5, 1, 100)])
    rounded = np.round(rng.normal(170, 0.4, 400))
    marks = np.repeat([1.0, 2.0, 3.0, 4.0], [50, 30, 10, 10])
    return {"zeros": (zeros, 2), "rounded": (rounded, 4), "marks": (marks, 3)}[k]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("zeros", r"component 1 wants to collapse: it sits on 0, 900 of 1000 values"),
        (
            "rounded",
            r"wants to collapse: it sits on 17\d, \d+ of 400 values, recorded in steps of 1",
        ),
        ("marks", r"component 1 wants to collapse: it sits on 1, 50 of 100 values"),
    ],
)
def test_a_tie_that_collapses_is_named_with_its_values(name, sentence):
    x, k = tied(name)
    with pytest.warns(FitWarning, match=f"no maximum.*{sentence}"):
        f = gmm1d.fit(x, k)
    assert f.status is Ending.PENALISED
    assert any(re.search(sentence, note) for note in f.notes)
    assert re.search(f"note: component.*{sentence[-20:]}", f.summary())


def test_stopping_early_does_not_hide_the_penalty():
    x, k = tied("zeros")
    with pytest.warns(FitWarning, match="no maximum"):
        f = gmm1d.fit(x, k, tol=1e-3)
    assert f.status is Ending.PENALISED
    assert f.reason == "ties"


@pytest.mark.parametrize("weight", [5e-324, 1e-310])
def test_subnormal_weights_count_for_nothing(weight):
    x, w = two_bumps(), np.ones(200)
    w[3] = weight
    f = gmm1d.fit(x, 2, sample_weight=w)
    assert f.status is Ending.CONVERGED
    np.testing.assert_allclose(f.mixture.means, gmm1d.fit(np.delete(x, 3), 2).mixture.means)


def test_one_component_is_the_closed_form_within_two_floats():
    x = np.array([1.0, np.nextafter(1.0, 2)])
    f = gmm1d.fit(x, 1)
    assert f.status is Ending.CONVERGED
    assert f.mixture.stds[0] == pytest.approx(np.spacing(1.0) / 2)


def test_an_explicit_start_that_collapses_is_an_error():
    x = np.concatenate([np.full(20, 3.0), np.linspace(0, 10, 30)])
    with pytest.raises(CollapseError, match="sits on 3, 20 of 50 values"):
        gmm1d.fit(x, 2, start={"means": [3, 5], "stds": [0.01, 3]})


def test_duplicate_components_are_flat():
    with pytest.warns(FitWarning, match="flat"):
        f = gmm1d.fit(two_bumps(), 2, start={"means": [3, 3], "stds": [2, 2]}, method="em")
    assert f.status is Ending.FLAT
    np.testing.assert_allclose(f.mixture.means, two_bumps().mean())


def test_max_iter_returns_the_last_point():
    x = two_bumps()
    with pytest.warns(FitWarning, match="max_iter"):
        start = gmm1d.fit(x, 2, start="quantile", max_iter=0)
    assert (start.status, start.n_iter) == (Ending.MAX_ITER, 0)
    assert start.log_likelihood == start.trace.log_likelihood[0]
    three = quiet(x, 2, start="quantile", max_iter=3)
    assert (three.status, three.n_iter) == (Ending.MAX_ITER, 3)


def test_interruption_keeps_the_last_point():
    x = np.linspace(0, 1, 20_000)
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.warns(FitWarning, match="interrupted"):
        f = gmm1d.fit(x, 12, start="quantile", method="em")
    assert f.status is Ending.INTERRUPTED
    assert f.newton_decrement is None
    assert f.log_likelihood == f.trace.log_likelihood[-1]
    assert "interrupted" in f.summary()
    assert gmm1d.Fit.from_json(f.to_json()).status is Ending.INTERRUPTED


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"k": 0}, "k must be a whole number"),
        ({"k": -1}, "k must be a whole number"),
        ({"k": 2.0}, "k must be a whole number"),
        ({"k": True}, "k must be a whole number"),
        ({"k": 201}, "more than there are distinct values"),
        ({"tol": -1}, "tol must be"),
        ({"tol": np.inf}, "tol must be"),
        ({"tol": np.nan}, "tol must be"),
        ({"tol": "1"}, "tol must be"),
        ({"max_iter": -1}, "max_iter must be"),
        ({"max_iter": 1.5}, "max_iter must be"),
        ({"threads": 0}, "threads must be"),
        ({"method": "magic"}, "method='magic' is unknown"),
        ({"start": "magic"}, "start='magic' is unknown"),
        ({"start": 3}, "start must be a name"),
        ({"start": {"means": [1, 2], "sd": [1, 1]}}, "unknown key 'sd'"),
        ({"start": {"stds": [1, 1]}}, "needs means"),
        ({"start": {"means": [1, 2]}}, "stds"),
        ({"start": {"means": [1, 2, 3], "stds": [1, 1, 1]}}, "start has 3 components, but k is 2"),
        ({"start": {"means": [1, np.nan], "stds": [1, 1]}}, "means"),
        ({"start": {"means": [1, 2], "stds": [1, 1], "weights": [0.5, 0.6]}}, "weights"),
        ({"start": {"means": [1, 2], "stds": [1, 1], "variances": [1, 1]}}, "variances"),
        ({"start": {"means": [], "stds": []}}, "at least one component"),
        ({"start": {"means": [[1], [1, 2]], "stds": [1, 1]}}, "ragged"),
        ({"start": {"means": [1, 2], "stds": [1e-80, 1]}}, "out of all proportion"),
        ({"tol": 10**400}, "tol must be"),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.fit(two_bumps(), **{"k": 2, **options})


def test_constant_data_are_refused():
    for k in (1, 2):
        with pytest.raises(InputError, match=r"all values equal 2\.5"):
            gmm1d.fit(np.full(50, 2.5), k)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_scales_beyond_float64_squares_are_refused(scale):
    with pytest.raises(ScaleError):
        gmm1d.fit(two_bumps() * scale, 2)


# --- what people and machines read ----------------------------------------------------------------------------------


def test_data_with_a_period_are_fitted_like_others():
    n = 480_000
    rng, hour = np.random.default_rng(0), np.arange(n) % 24
    f = gmm1d.fit(rng.normal(10.0 * (hour // 8), 1), 3)
    assert f.mixture.means == pytest.approx([0, 10, 20], abs=0.02)


def test_values_near_zero_are_resolved_beside_a_far_outlier():
    x = np.append(np.random.default_rng(0).normal(size=200), 1e20)
    f = quiet(x, 2)
    assert f.status is Ending.PENALISED
    assert any("component 2 (mean 1e+20" in note and "penalty alone" in note for note in f.notes)
    assert f.mixture.stds[0] == pytest.approx(np.std(x[:200]), rel=5e-3)  # n - 1.5 for n


def test_summary_is_what_it_was():
    f = gmm1d.fit(DATA["faithful_waiting"], 2, start="quantile")
    assert f.summary() == (Path(__file__).parent / "data" / "summary.txt").read_text().rstrip("\n")
    html = f._repr_html_()
    for cell in ("<table>", "54.61 ± 0.70", "converged", "272 values"):
        assert cell in html
    for method, steps in (("em", r"\d+ EM"), ("squarem", r"\d+ EM and \d+ SQUAREM")):
        other = gmm1d.fit(DATA["faithful_waiting"], 2, start="kmeans", method=method).summary()
        assert re.search(f"^{steps} steps from the start 'kmeans'$", other, re.MULTILINE)
    given = quiet(DATA["faithful_waiting"], 2, start=f.mixture, max_iter=1).summary()
    assert "\n1 EM step from the given start\n" in given
    searched = gmm1d.fit(DATA["faithful_waiting"], 2).summary()
    assert re.search(r"^\d+ Newton steps? from where the search led$", searched, re.MULTILINE)
    assert "compressed" not in searched
    assert repr(f) == "<Fit of 2 Gaussians to 272 values: CONVERGED, log-likelihood -1034.00175>"


def test_results_cannot_be_changed():
    f = gmm1d.fit(two_bumps(), 2)
    with pytest.raises(AttributeError):
        f.n = 3
    with pytest.raises(ValueError, match="read-only"):
        f.mixture.means[0] = 3
