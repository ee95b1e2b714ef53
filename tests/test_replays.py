"""Replays: the bound lies below the log-likelihood, touches it, and EM climbs it; textbook is the oracle."""

import contextlib
import copy
import itertools
import json
import pickle
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gmm1d
from gmm1d import textbook
from gmm1d.climbing import Trace
from gmm1d.errors import CollapseError, Ending, FitWarning, InputError
from gmm1d.replays import Replay, replay

GOLDEN = json.loads((Path(__file__).parent / "data" / "golden.json").read_text("utf-8"))
S2 = np.array(GOLDEN["S2"]["x"])
S3 = np.array([-1.0, 0, 4, 5, 6])
START2 = {"means": [-0.5, 0.5], "stds": [1, 1]}
START3 = {"means": [6, 7], "variances": [1, 4]}
WAITING = np.loadtxt(Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt")
CASES = {
    "S2": (S2, 2, START2, "em"),
    "S3": (S3, 2, START3, "em"),
    "Newton": (S2, 2, START2, "newton"),
    "SQUAREM": (S2, 2, START2, "squarem"),
    "three": (WAITING, 3, "spread", "em"),
}
ROUNDING = 1e-13  # of |log-likelihood| + n: what the order of a sum changes


def rounding(r: Replay) -> float:
    """Return what the rounding of sums may change in a log-likelihood of this climb."""
    return ROUNDING * (float(np.abs(r.slice_log_likelihood).max(initial=r.sample.n)) + r.sample.n)


def check_laws(r: Replay, of_parameters: float = 0.0) -> None:
    """Assert what is true of every climb, and of its EM steps up to the rounding of what they led to."""
    noise = rounding(r)
    assert np.isfinite(r.slice_log_likelihood).all()
    assert np.isfinite(r.slice_bound).all()
    assert (r.slice_bound <= r.slice_log_likelihood + noise).all()
    assert (r.bound[1:] <= r.log_likelihood[1:] + noise).all()
    here = r.along == 0
    np.testing.assert_array_equal(r.slice_log_likelihood[:, here], r.log_likelihood[:-1, None])
    np.testing.assert_allclose(
        r.slice_bound[:, here], r.log_likelihood[:-1, None], rtol=0, atol=noise
    )
    adjacent = np.diff(r.iterations) == 1
    next_is_em = adjacent & np.array([kind == "em" for kind in r.kinds[1:]], dtype=bool)
    tops = r.slice_bound[:, r.along == 1].ravel()
    assert (tops >= r.slice_bound.max(axis=1) - noise - of_parameters)[next_is_em].all()
    np.testing.assert_allclose(tops[adjacent], r.bound[1:][adjacent], rtol=0, atol=noise)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, Replay]:
    x, k, start, method = CASES[request.param]
    return x, gmm1d.fit(x, k, start=start, method=method).replay(most=1000)


def test_log_likelihood_and_bound_are_those_of_the_textbook(
    case: tuple[np.ndarray, Replay],
) -> None:
    x, r = case
    thetas = list(zip(r.weights, r.means, r.stds**2, strict=True))
    expected = [textbook.log_likelihood(x, *theta) for theta in thetas]
    np.testing.assert_allclose(r.log_likelihood, expected, rtol=1e-13)
    bounds = [
        textbook.lower_bound(x, textbook.e_step(x, *before), *theta)
        for before, theta in itertools.pairwise(thetas)
    ]
    assert np.isnan(r.bound[0])
    np.testing.assert_allclose(r.bound[1:], bounds, rtol=1e-13)


def test_slices_are_those_of_the_textbook(case: tuple[np.ndarray, Replay]) -> None:
    x, r = case
    for t in (0, len(r) // 2):
        gammas = textbook.e_step(x, r.weights[t], r.means[t], r.stds[t] ** 2)
        for i, s in enumerate(r.along):
            weights = r.weights[t] * (r.weights[t + 1] / r.weights[t]) ** s
            means = r.means[t] + s * (r.means[t + 1] - r.means[t])
            theta = (
                weights / weights.sum(),
                means,
                (r.stds[t] * (r.stds[t + 1] / r.stds[t]) ** s) ** 2,
            )
            assert r.slice_log_likelihood[t, i] == pytest.approx(
                textbook.log_likelihood(x, *theta), rel=1e-12
            )
            assert r.slice_bound[t, i] == pytest.approx(
                textbook.lower_bound(x, gammas, *theta), rel=1e-12
            )


def test_the_bound_is_below_touches_and_is_climbed(case: tuple[np.ndarray, Replay]) -> None:
    check_laws(case[1])


def test_the_notebook_exercise_has_its_golden_numbers() -> None:
    r = gmm1d.fit(S2, 2, start=START2, method="em").replay()
    known = GOLDEN["S2"]["log_likelihood"]
    steps = [known["start"], known["after_1"], known["after_2"], known["after_5"]]
    np.testing.assert_allclose(r.log_likelihood[[0, 1, 2, 5]], steps, rtol=1e-13)
    assert r.log_likelihood[-1] == pytest.approx(known["converged"], rel=1e-12)
    for name in ("weights", "means", "stds"):
        np.testing.assert_allclose(getattr(r, name)[1], GOLDEN["S2"]["after_1"][name], rtol=1e-13)
    assert (np.diff(r.log_likelihood) > -rounding(r)).all()
    low, high = r.window  # the first step climbs 146 nats, all others together 2.4
    assert low == r.bound[1] > -98
    assert high == r.log_likelihood.max()


def test_the_worked_problem_keeps_the_order_of_its_start() -> None:
    r = gmm1d.fit(S3, 2, start=START3, method="em").replay()
    assert r.log_likelihood[[0, -1]] == pytest.approx(
        [-24.512532330086678, -8.465258966889513], rel=1e-12
    )
    np.testing.assert_allclose(r.means[1], [5.13172803, 1.47103149], rtol=1e-8)
    np.testing.assert_allclose(r.means[-1], [5, -0.5], rtol=1e-6)
    np.testing.assert_array_equal(r.means[-1][r.fit.order], r.fit.mixture.means)
    assert repr(r) == "<Replay of 7 EM steps of 2 Gaussians: 8 points shown>"
    assert (r.k, r.sample.n, r.n_iter, len(r)) == (2, 5, 7, 8)


@given(
    st.lists(st.integers(-30, 30), min_size=4, max_size=25, unique=True),
    st.integers(1, 4),
    st.sampled_from(["em", "newton", "squarem"]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_laws_hold_for_any_climb(
    points: list[int], k: int, method: str, equal: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    start = {"means": rng.choice(points, k), "stds": rng.uniform(0.5, 9, k)}
    weight = rng.uniform(0.1, 3, len(points))
    options = {"method": method, "max_iter": 12, "equal_variances": equal}
    with contextlib.suppress(CollapseError), warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        f = gmm1d.fit(points, k, sample_weight=weight, start=start, **options)
        check_laws(f.replay())


@pytest.mark.parametrize("a", [2.0**-498, -1.0, 2.0**498])
@pytest.mark.parametrize("b", [0.0, 2.0**20])
def test_replays_follow_units(a: float, b: float) -> None:
    start = {"means": a * np.array([-0.5, 0.5]) + a * b, "stds": [abs(a)] * 2}
    x = np.round(S2 * 2**20) / 2**20  # of so few digits that shifts are exact
    r = gmm1d.fit(x, 2, start=START2, method="em", tol=1e-6).replay()
    other = gmm1d.fit(a * (x + b), 2, start=start, method="em", tol=1e-6).replay()
    assert len(r) == len(other)
    for name in ("log_likelihood", "bound", "slice_log_likelihood", "slice_bound"):
        expected = getattr(r, name) - 40 * np.log(abs(a))
        np.testing.assert_allclose(getattr(other, name), expected, rtol=1e-8, atol=1e-6)
    check_laws(other)


def test_data_far_from_zero_are_replayed() -> None:
    start = {"means": 1e9 + 1e-3 * np.array([-0.5, 0.5]), "stds": [1e-3, 1e-3]}
    r = gmm1d.fit(1e9 + 1e-3 * S2, 2, start=start, method="em").replay()
    check_laws(r, of_parameters=1e-4)  # a mean has 16 digits, of which 12 are those of 1e9
    near = gmm1d.fit(S2, 2, start=START2, method="em").replay()
    np.testing.assert_allclose(
        r.log_likelihood[:5], near.log_likelihood[:5] - 40 * np.log(1e-3), rtol=1e-4
    )


def test_a_narrow_component_far_from_the_centre_keeps_its_digits() -> None:
    # About a common centre the sums of squares would lose 12 of the 16 digits.
    x = np.concatenate([np.linspace(-1, 1, 40), 3 + 1e-6 * np.linspace(-1, 1, 9)])
    start = {"weights": [0.8, 0.2], "means": [0, 3], "stds": [1, 1e-5]}
    r = gmm1d.fit(x, 2, start=start, method="em").replay()
    check_laws(r)


def test_weights_count_like_repeated_points() -> None:
    counts = 1 + np.arange(40) % 3
    weighted = gmm1d.fit(S2, 2, sample_weight=counts, start=START2, method="em").replay()
    repeated = gmm1d.fit(np.repeat(S2, counts), 2, start=START2, method="em").replay()
    np.testing.assert_allclose(weighted.slice_bound, repeated.slice_bound, rtol=1e-12)
    np.testing.assert_allclose(
        weighted.slice_log_likelihood, repeated.slice_log_likelihood, rtol=1e-12
    )


def test_a_sketch_is_replayed_like_its_points() -> None:
    x = gmm1d.Mixture([0.4, 0.6], [-2, 3], [1, 1.5]).rvs(30_000, rng=np.random.default_rng(4))
    start = {"means": [-0.5, 0.5], "stds": [1, 1]}
    f = gmm1d.fit(x, 2, start=start, method="em", tol=1e-3)
    r = f.replay()
    assert f.sample is not None
    assert f.sample.nodes[0].size < x.size
    gammas = textbook.e_step(x, r.weights[3], r.means[3], r.stds[3] ** 2)
    expected = textbook.lower_bound(x, gammas, r.weights[4], r.means[4], r.stds[4] ** 2)
    assert r.bound[4] == pytest.approx(expected, rel=1e-9)
    check_laws(r)
    assert np.array_equal(f.replay(data=gmm1d.Sample.of(x)).bound[1:], r.bound[1:])


def test_long_climbs_are_thinned_with_bounds_from_the_point_before() -> None:
    f = gmm1d.fit(WAITING, 3, start="spread", method="em")
    whole, thin = f.replay(most=10**6), f.replay(most=20)
    assert np.array_equal(whole.iterations, np.arange(len(f.trace)))
    assert len(thin) <= 20
    assert thin.iterations[:10].tolist() == list(range(10))
    assert thin.iterations[-1] == thin.n_iter == len(f.trace) - 1
    gaps = np.diff(thin.iterations)
    assert gaps[-1] > 4
    assert (np.diff(gaps) >= -1).all()  # ever larger, but for rounding
    for name in ("weights", "means", "stds", "log_likelihood", "bound"):
        shown = getattr(whole, name)[thin.iterations]
        np.testing.assert_array_equal(getattr(thin, name), shown)
    before_last = thin.iterations[:-1]
    np.testing.assert_array_equal(thin.slice_bound, whole.slice_bound[before_last])
    check_laws(thin)


def test_components_without_weight_stay_without() -> None:
    start = {"weights": [0.5, 0.5, 0], "means": [-0.5, 0.5, 3], "stds": [1, 1, 1e-9]}
    with pytest.warns(FitWarning, match="flat"):
        f = gmm1d.fit(S2, 3, start=start, method="em")
    r = f.replay()
    assert (r.weights[:, 2] == 0).all()
    check_laws(r)
    without = gmm1d.fit(S2, 2, start=START2, method="em").replay()
    np.testing.assert_allclose(r.slice_bound[:30], without.slice_bound[:30], rtol=1e-12)


def test_steps_out_of_all_proportion_give_no_nan() -> None:
    f = gmm1d.fit(S2, 2, start=START2, method="em")
    rows = np.array(
        [
            [0, 1, 1e-300, 0, 1, 1e-50, 1],
            [0, 1, 0, 1e40, 0, 1e80, 1e45],
            [0, 1e-300, 1, 0, 1, 1e-90, 1e-9],
        ]
    )
    r = replace(f, trace=Trace("seq", rows)).replay()
    assert (r.slice_bound[:, r.along == 0] == r.log_likelihood[:-1, None]).all()
    assert np.isfinite(r.slice_bound).all()
    assert np.isfinite(r.slice_log_likelihood).all()
    json.dumps(r.content(), allow_nan=False)


def test_a_penalised_climb_is_told_by_its_likelihood() -> None:
    with pytest.warns(FitWarning, match="penalised"):
        f = gmm1d.fit([0, 0, 0, 0, 1, 2, 3.5, 5], 2)
    assert f.status is Ending.PENALISED
    r = f.replay()
    expected = textbook.log_likelihood(
        [0, 0, 0, 0, 1, 2, 3.5, 5], r.weights[-1], r.means[-1], r.stds[-1] ** 2
    )
    assert r.log_likelihood[-1] == pytest.approx(expected, rel=1e-12)
    assert r.log_likelihood[-1] == pytest.approx(f.log_likelihood, rel=1e-12)
    check_laws(r)


def test_a_climb_of_no_steps_has_one_point() -> None:
    with pytest.warns(FitWarning, match="max_iter"):
        r = gmm1d.fit(S2, 2, start=START2, max_iter=0).replay()
    assert len(r) == 1
    assert r.slice_bound.shape == (0, 41)
    assert r.window == (r.log_likelihood[0], r.log_likelihood[0])
    assert r.content()["slices"] == []
    check_laws(gmm1d.fit(S2, 1).replay())


def test_a_start_far_out_does_not_make_the_data_small() -> None:
    end = gmm1d.fit(WAITING, 2, start=gmm1d.fit(WAITING, 2).mixture).replay().span
    for mean, std in ((100, 9), (300, 60)):
        start = {"means": [66, mean], "stds": [5, std]}
        r = gmm1d.fit(WAITING, 2, start=start, method="em").replay()
        length = end[1] - end[0]
        assert end[0] - 0.1 * length < r.span[0] <= end[0]
        assert end[1] < r.span[1] < end[1] + 1.001 * length


def test_thinned_climbs_end_at_their_end() -> None:
    r = gmm1d.fit(WAITING, 3, start="spread", method="em").replay(most=20)
    halves = r.halves()
    assert halves[-1] == ("end", len(r) - 1)
    assert (
        r.sentence(halves[-1]) == f"After 446 EM steps: log-likelihood {r.log_likelihood[-1]:.8g}"
    )
    for before, after in itertools.pairwise(halves):
        if after.what == "em":  # a bound is climbed from where the picture before shows it
            assert before == ("E", after.point - 1)
            assert r.iterations[after.point] == r.iterations[before.point] + 1


def test_content_is_json_and_slices_keep_what_is_seen() -> None:
    r = gmm1d.fit(S2, 2, start=START2, method="em").replay()
    content = json.loads(json.dumps(r.content(), allow_nan=False))
    assert content["bound"][0] is None
    assert content["log_likelihood"] == r.log_likelihood.tolist()
    assert content["method"] == "58 EM steps"
    assert content["halves"][:4] == [["start", 0], ["E", 0], ["em", 1], ["E", 1]]
    assert len(content["sentences"]) == len(content["halves"]) == 2 + 2 * 58
    for t in (0, 20, 40):
        drawn, exact = content["slices"][t], r.slice_bound[t]
        assert np.abs(drawn["bound"] - exact).max() <= 1e-6 * np.ptp(exact)
    assert len(json.dumps(content["slices"][0])) < 1000
    flat = content["slices"][-1]["log_likelihood"]  # rounding must not move what is flat
    assert np.abs(np.array(flat) - r.slice_log_likelihood[-1]).max() <= 1e-6 * max(
        np.ptp(flat), 1e-6
    )


def test_copies_and_pickles_are_frozen() -> None:
    r = gmm1d.fit(S3, 2, start=START3, method="em").replay()
    for other in (r, copy.copy(r), pickle.loads(pickle.dumps(r))):
        assert np.array_equal(other.slice_bound, r.slice_bound)
        assert not other.bound.flags.writeable


def test_what_cannot_be_replayed_is_said() -> None:
    f = gmm1d.fit(S3, 2, start=START3, method="em")
    loaded = gmm1d.Fit.from_json(f.to_json())
    for data in (None, S3):
        with pytest.raises(InputError, match=r"loaded from a file.* no trace: fit again"):
            loaded.replay(data=data)
    for most in (1, 2.5, True):
        with pytest.raises(InputError, match="most must be a whole number from 2 on"):
            replay(f, most=most)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="out of all proportion"):
        f.replay(data=[-3e153, 0, 3e153, *([1e153] * 1000)])
