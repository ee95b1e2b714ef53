"""`compare`: the table, the choice among families, and its reason."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from equivariance import datasets

import gmm1d
from gmm1d.candidates import Candidates
from gmm1d.choice import choose, lead
from gmm1d.errors import CollapseError, Ending, FitWarning, InputError

WAITING = datasets()["faithful_waiting"]
ZEROS = np.concatenate([np.zeros(900), np.random.default_rng(0).normal(5, 1, 100)])


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return gmm1d.fit(*args, **options)


@pytest.fixture(scope="module")
def waiting():
    return gmm1d.compare(WAITING, range(1, 7))


@pytest.fixture(scope="module")
def own():
    """Compare unequal variances alone."""
    return gmm1d.compare(WAITING, range(1, 7), families=("unequal",))


# every fit is the one of `fit`


def test_every_row_is_the_fit_of_that_k_bit_for_bit(waiting):
    for k in waiting:
        assert waiting[k] is waiting[k, "unequal"] is waiting.fits[k]
        assert waiting[k].to_json() == quiet(WAITING, k).to_json()
        equal = quiet(WAITING, k, equal_variances=True)
        assert waiting[k, "equal"].to_json() == equal.to_json()
    assert list(waiting) == [1, 2, 3, 4, 5, 6]
    assert len(waiting) == 6


def test_a_single_gaussian_is_there_once(waiting):
    assert waiting[1, "equal"] is waiting[1]
    assert [row[:2] for row in waiting.table()[1]][:3] == [
        ["1", "both"],
        ["2", "unequal"],
        ["*2", "equal"],
    ]
    assert len(waiting.table()[1]) == 11
    assert list(waiting.others) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "options",
    [
        {"n_random": 5, "rng": 1},
        {"fixed": {"means": [55.0]}},
        {"fixed": {"weights": [0.25], "means": [None, 80.0]}},
        {"start": "kmeans", "method": "em", "tol": 0.1},
    ],
)
def test_options_are_those_of_fit(options):
    ks = (3,) if len(options.get("fixed", {})) > 1 else (1, 3, 4)
    comparison = gmm1d.compare(WAITING, ks, **options)
    for k in ks:
        fixed = {
            kind: row + [None] * (k - len(row)) for kind, row in options.get("fixed", {}).items()
        }
        same = {**options, "fixed": fixed or None}
        assert comparison[k].to_json() == quiet(WAITING, k, **same).to_json()
        equal = quiet(WAITING, k, equal_variances=True, **same)
        assert comparison[k, "equal"].to_json() == equal.to_json()


def test_a_generator_goes_on_from_fit_to_fit():
    rng = np.random.default_rng(1)
    gmm1d.compare(WAITING, [2, 3], n_random=2, rng=rng)
    assert rng.bit_generator.state != np.random.default_rng(1).bit_generator.state


# families


def test_families_are_asked_for_in_several_ways(own):
    equal = gmm1d.compare(WAITING, [1, 2], equal_variances=True)
    for families in (("equal",), ["equal"], "equal", ("equal", "equal")):
        for flag in (False, True):
            same = gmm1d.compare(WAITING, [1, 2], families=families, equal_variances=flag)
            assert same.to_json() == equal.to_json()
    assert (equal.families, equal.family, equal.k) == (("equal",), "equal", 2)
    assert equal.reason.startswith("k = 2 with equal variances is chosen")
    assert equal[2] is equal[2, "equal"]
    with pytest.raises(KeyError):
        equal[2, "unequal"]
    assert own.families == ("unequal",)
    assert "variances" not in own.summary()
    turned = gmm1d.compare(WAITING, [1, 2], families=("equal", "unequal"))
    assert turned[2].to_json() == equal[2].to_json()
    assert turned[2, "unequal"].to_json() == own[2].to_json()
    assert turned[1] is turned[1, "unequal"] is turned[1, "equal"]


def test_fixed_stds_leave_unequal_variances_alone():
    comparison = gmm1d.compare(WAITING, [1, 2], fixed={"stds": [6.0]})
    assert comparison.families == ("unequal",)
    assert comparison[2].mixture.stds[list(comparison[2].order).index(0)] == 6.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"families": "uneqal"}, "families must be"),
        ({"families": ()}, "families must be"),
        ({"families": 2}, "families must be"),
        ({"families": ("equal", 1)}, "families must be"),
        ({"families": {"equal": 1}}, "families must be"),
        ({"families": ("unequal",), "equal_variances": True}, "contradict each other"),
        ({"families": ("unequal", "equal"), "equal_variances": True}, "contradict each other"),
        ({"equal_variances": 1}, "equal_variances must be True or False"),
        ({"equal_variances": True, "fixed": {"stds": [1.0]}}, "fixed stds exclude each other"),
        ({"families": "equal", "fixed": {"variances": [1.0]}}, "fixed stds exclude each other"),
        ({"fixed": {"means": [1.0, 2.0]}}, "more than k = 1 has components"),
        ({"fixed": {"means": 1.0}}, "must be a list"),
        ({"fixed": [1.0]}, "fixed must be a dict"),
        ({"n_random": 3}, "n_random needs rng"),
    ],
)
def test_wrong_families_and_constraints_are_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.compare(WAITING, [1, 2], **options)


# the choice


def test_the_waiting_times_have_two_components_of_one_variance(waiting, own):
    assert (waiting.k, waiting.family, waiting.chosen) == (2, "equal", (2, "equal"))
    assert waiting.best is waiting[2, "equal"]
    assert waiting.best.bic == min(f.bic for f in waiting.candidates.fits.values())
    assert waiting.reason == (
        "k = 2 with equal variances is chosen: its BIC, 2090.43, is the lowest of those that take part; "
        "next is k = 2 with unequal variances, 5.61 higher (16 times less probable); "
        "k = 5, 6 with unequal variances take part, though penalised: the data support fewer components"
    )
    assert (own.k, own.family) == (2, "unequal")
    assert own.reason.startswith(
        "k = 2 is chosen: its BIC, 2096.03, is the lowest of those that take part; next is k = 3, 12.08 higher (420 times less probable)"
    )


@pytest.mark.parametrize("unit", [1e-150, -1e-3, 1e150])
def test_the_choice_is_that_of_any_unit(waiting, unit):
    comparison = gmm1d.compare(WAITING * unit, range(1, 7))
    assert comparison.chosen == waiting.chosen
    assert comparison.left_out == waiting.left_out
    assert comparison.reason.partition(", is")[2] == waiting.reason.partition(", is")[2]


def test_criteria_follow_their_definitions(waiting):
    f = waiting[2]
    r = f.mixture.responsibilities(WAITING)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(r * np.log(r))
    assert f.aic == pytest.approx(-2 * f.log_likelihood + 2 * 5)
    assert f.bic == pytest.approx(-2 * f.log_likelihood + 5 * np.log(272))
    assert f.icl == pytest.approx(f.bic + 2 * entropy, rel=1e-10)
    assert waiting[1].icl == pytest.approx(waiting[1].bic)
    equal = waiting[2, "equal"]
    assert equal.bic == pytest.approx(-2 * equal.log_likelihood + 4 * np.log(272))


def test_criterion_decides(waiting):
    by_aic = gmm1d.compare(WAITING, range(1, 7), criterion="aic")
    fits = by_aic.candidates.fits
    assert by_aic.chosen == min(fits, key=lambda key: fits[key].aic)
    assert "its AIC" in by_aic.reason
    assert waiting.criterion == "bic"


def test_unconverged_fits_are_not_chosen():
    stopped = gmm1d.compare(WAITING, range(2, 7), start="spread", method="em", tol=1)
    assert min(stopped, key=lambda k: stopped[k].bic) == 3  # the trap
    assert stopped.k is stopped.family is stopped.chosen is stopped.row is None
    assert "none of the fits converged" in stopped.reason
    with pytest.raises(InputError, match="none of the fits converged"):
        _ = stopped.best


def test_fits_that_are_left_out_are_named():
    comparison = gmm1d.compare(ZEROS, [1, 2], families="unequal")
    assert comparison.left_out[2, "unequal"].startswith("penalised")
    assert "note: k = 2: component 1" in comparison.summary()
    assert "900 of 1000 values" in comparison.summary()


def test_a_k_that_collapses_from_its_start_does_not_stop_the_others():
    comparison = gmm1d.compare(ZEROS, [1, 2], families="unequal", start="quantile")
    assert comparison.k == 1
    assert list(comparison.collapsed) == [2]
    assert "left out, because not converged: k = 2 (collapsed)" in comparison.reason
    assert "sits on 0, 900 of 1000 values" in comparison.summary()
    with pytest.raises(CollapseError, match="k = 2: the climb"):
        comparison[2]
    assert comparison.table()[1][1] == ["2", "–", "–", "–", "–", "collapsed"]
    both = gmm1d.compare(ZEROS, [1, 2], start="quantile")
    assert list(both.collapsed) == [2]
    assert both.chosen == (2, "equal")
    with pytest.raises(CollapseError, match="k = 2 with unequal variances: the climb"):
        both[2]
    with pytest.raises(CollapseError, match="k = 2 with unequal variances: the climb"):
        gmm1d.compare(ZEROS, [2], start="quantile")


# the choice among made-up fits


@pytest.fixture(scope="module")
def one():
    return gmm1d.fit(WAITING, 1)


def scored(one, bic, k, *, equal=False, status=Ending.CONVERGED, reason=None, sample=None):
    """Make up a fit of a BIC."""
    count = 2 * k if equal else 3 * k - 1
    mixture = gmm1d.Mixture(np.full(k, 1 / k), np.linspace(50, 80, k), np.full(k, 5.0))
    log_likelihood = (count * np.log(one.n) - bic) / 2
    return replace(
        one,
        mixture=mixture,
        log_likelihood=log_likelihood,
        n_parameters=count,
        status=status,
        reason=reason,
        sample=sample or one.sample,
    )


SUPPORT = {"status": Ending.PENALISED, "reason": "support"}
TIES = {"status": Ending.PENALISED, "reason": "ties"}


def chosen(one, *rows):
    """Choose among rows of (bic, k, what else)."""
    fits = {}
    for bic, k, more in rows:
        family = "equal" if more.get("equal") else "unequal"
        fits[k, family] = scored(one, bic, k, **more)
    return choose(Candidates(("unequal", "equal"), fits, {}), "bic")


def test_penalised_fits_of_too_little_support_take_part_and_are_marked(one):
    key, reason, left_out = chosen(one, (100, 1, {}), (90, 2, SUPPORT), (95, 3, SUPPORT))
    assert key == (2, "unequal")
    assert left_out == {}
    assert "its BIC, 90.00, is the lowest of those that take part" in reason
    assert (
        "; k = 2, 3 with unequal variances take part, though penalised: the data support fewer components"
        in reason
    )
    key, reason, _ = chosen(one, (80, 1, {}), (90, 2, SUPPORT))
    assert key == (1, "unequal")
    assert reason.startswith("k = 1 is chosen")
    assert "k = 2 with unequal variances takes part, though penalised" in reason


@pytest.mark.parametrize(
    "more",
    [
        {"status": Ending.PENALISED},
        {"status": Ending.FLAT},
        {"status": Ending.TOLERANCE},
        {"status": Ending.MAX_ITER},
        {"status": Ending.FLAT, "reason": "support"},
    ],
)
def test_what_is_no_maximum_takes_no_part(one, more):
    key, reason, left_out = chosen(one, (100, 1, {}), (10, 2, more))
    assert key == (1, "unequal")
    assert list(left_out) == [(2, "unequal")]
    word = more["status"].name.lower()
    assert f"left out, because not converged: k = 2 ({word}" in reason
    assert reason.partition(f"({word}")[2].endswith(") with unequal variances")


def test_penalised_fits_may_be_lower_without_a_remark(one):
    lower = (500, 2, SUPPORT)
    _, reason, _ = chosen(one, (100, 1, {}), lower)
    assert "log-likelihood is higher" not in reason
    _, reason, _ = chosen(one, (100, 1, {}), (500, 2, {}), (110, 2, {"equal": True}))
    assert reason.endswith(
        "; with fewer components the log-likelihood is higher than at k = 2 with unequal variances"
    )
    families = (90, 2, {}), (160, 2, {"equal": True})  # of which one may be lower than the other
    _, reason, _ = chosen(one, (170, 1, {}), *families)
    assert "log-likelihood is higher" not in reason


@pytest.fixture(scope="module")
def mostly_zero():
    return gmm1d.Sample.of(ZEROS)


def tied(sample, bic=-5000):
    return bic, TIES | {"sample": sample}


def test_ties_beside_the_best_leave_nothing_chosen(one, mostly_zero):
    bic, more = tied(mostly_zero)
    key, reason, left_out = chosen(one, (100, 1, {}), (bic, 2, more))
    assert key is None
    assert left_out == {(2, "unequal"): "penalised, ties"}
    assert reason == (
        "nothing is chosen: 900 of 1000 values are exactly 0, and at k = 2 with unequal variances the likelihood is "
        "unbounded there: no choice can be made with them in; leave them out and say so, or model the step in which "
        "the values were recorded"
    )


def test_ties_decide_beside_equal_variances_too(one, mostly_zero):
    bic, more = tied(mostly_zero)
    equal = {"equal": True}
    for k in (1, 2):  # the next larger, or as many
        rows = (100, 1, {}), (50, 2, equal), (bic, k + 1, more), (80, 3, equal)
        key, reason, _ = chosen(one, *rows)
        assert key is None
        assert reason.startswith("nothing is chosen: 900 of 1000 values are exactly 0")
    key, _, _ = chosen(one, (bic, 2, more))
    assert key is None


def test_ties_further_on_are_a_remark(one, mostly_zero):
    bic, more = tied(mostly_zero)
    key, reason, _ = chosen(one, (100, 1, {}), (110, 2, {}), (bic, 3, more), (bic, 4, more))
    assert key == (1, "unequal")
    assert (
        "; 900 of 1000 values are exactly 0, and at k = 3 with unequal variances the likelihood is unbounded there"
        in reason
    )
    assert reason.count("unbounded") == 1
    key, _, _ = chosen(one, (90, 1, {}), (95, 2, SUPPORT), (bic, 3, more))
    assert key == (1, "unequal")


def test_ties_of_fits_without_data_are_those_of_their_notes(one, mostly_zero):
    bic, more = tied(mostly_zero)
    f = replace(scored(one, bic, 2, **more), sample=None, notes=("component 1 sits on 0",))
    found = Candidates(("unequal",), {(1, "unequal"): one, (2, "unequal"): f}, {})
    key, reason, _ = choose(found, "bic")
    assert key is None
    assert "component 1 sits on 0, and at k = 2 the likelihood" in reason


def test_several_tied_values_are_named(one):
    x = np.concatenate([np.zeros(50), np.full(30, 4.0), np.linspace(1, 9, 21) + 0.013])
    f = scored(one, 0, 3, **TIES, sample=gmm1d.Sample.of(x))
    f = replace(f, mixture=gmm1d.Mixture([0.3, 0.3, 0.4], [0, 4, 5], [1e-2, 1e-3, 2]))
    found = Candidates(("unequal",), {(3, "unequal"): f}, {})
    assert (
        "50 of 101 values are exactly 0, 30 are exactly 4, and at k = 3" in choose(found, "bic")[1]
    )


# narrow components, and outliers


def of_widths(one, bic, stds, weights=None, *, equal=False):
    """Make up a fit of a BIC of components at the same place, so that they alone set the std of all."""
    k = len(stds)
    weights = np.full(k, 1 / k) if weights is None else weights
    mixture = gmm1d.Mixture(weights, np.linspace(70, 70.01, k), np.asarray(stds, float))
    return replace(scored(one, bic, k, equal=equal), mixture=mixture)


def test_a_narrow_component_needs_a_lead_over_what_chance_finds(one):
    narrow = of_widths(one, 0, [10, 0.1])  # there are 47.1 places for such a one
    std = narrow.mixture.std()
    needed = 2 * np.log(2 / 3 * std / 0.1)
    assert lead(narrow) == pytest.approx(needed)
    for lower, takes_part in ((needed - 0.1, False), (needed + 0.1, True)):
        fits = {
            (1, "unequal"): scored(one, 100, 1),
            (2, "unequal"): of_widths(one, 100 - lower, [10, 0.1]),
        }
        key, reason, left_out = choose(Candidates(("unequal",), fits, {}), "bic")
        assert (key == (2, "unequal")) is takes_part
        assert left_out == ({} if takes_part else {(2, "unequal"): "narrow"})
        said = f"because chance finds components as narrow somewhere in the data: k = 2 ({lower:.2f} lower, {needed:.2f} needed)"
        assert (said in reason) is not takes_part


def test_the_choice_is_the_lowest_of_those_that_take_part(one):
    fits = {
        (1, "unequal"): scored(one, 100, 1),
        (2, "unequal"): of_widths(one, 97, [10, 0.1]),
        (2, "equal"): of_widths(one, 99, [10, 10], equal=True),
        (3, "unequal"): of_widths(one, 98, [10, 10, 0.1]),
        (3, "equal"): of_widths(one, 101, [1, 1, 1], equal=True),
    }
    key, reason, left_out = choose(Candidates(("unequal", "equal"), fits, {}), "bic")
    assert key == (2, "equal")
    # Not what is higher anyway.
    assert left_out == {(2, "unequal"): "narrow", (3, "unequal"): "narrow"}
    assert (
        "its BIC, 99.00, is the lowest of those that take part; next is k = 1, 1.00 higher"
        in reason
    )


def test_an_outlier_is_no_group(one):
    weights = 1.9 / one.n, 1 - 1.9 / one.n
    fits = {
        (1, "unequal"): scored(one, 100, 1),
        (2, "equal"): of_widths(one, -900, [10, 10], weights, equal=True),
    }
    key, reason, left_out = choose(Candidates(("unequal", "equal"), fits, {}), "bic")
    assert key == (1, "unequal")
    assert left_out == {(2, "equal"): "outlier"}
    assert (
        "left out, because a component of theirs holds fewer than two values: k = 2 (1000.00 lower)"
        in reason
    )
    del fits[1, "unequal"]  # with nothing else to choose
    assert choose(Candidates(("unequal", "equal"), fits, {}), "bic").key == (2, "equal")


@pytest.mark.parametrize(("scale", "shift"), [(1e-150, 0), (-3.0, 1e3), (1e140, -1e140)])
def test_leads_have_no_unit(one, scale, shift):
    f = of_widths(one, 0, [10, 0.1, 3], [0.2, 0.5, 0.3])
    m = f.mixture
    moved = replace(
        f, mixture=gmm1d.Mixture(m.weights, scale * m.means + shift, abs(scale) * m.stds)
    )
    assert lead(moved) == pytest.approx(lead(f), rel=1e-6)


def test_one_gaussian_with_an_outlier_is_one_group():
    x = np.random.default_rng(5000).normal(100, 15, 50).round(1)
    c = gmm1d.compare(np.append(x, 190.0), range(1, 5))
    assert c.k == 1
    assert c[2, "equal"].bic < c[1].bic
    assert c.left_out[2, "equal"] == "outlier"


# recorded values


@pytest.mark.parametrize("n", [1_000, 100_000])  # 100 000 are compressed
def test_a_comb_of_recorded_values_takes_no_part(one, n):
    scores = np.random.default_rng(0).normal(5, 2, n).round().clip(1, 9)
    sample = gmm1d.Sample.of(scores)
    comb = scored(one, -99, 8, equal=True, sample=sample)
    for std, takes_part in ((0.05, False), (0.499, False), (0.501, True)):
        m = gmm1d.Mixture(np.full(8, 1 / 8), np.arange(1, 9), np.full(8, std))
        fits = {(1, "unequal"): scored(one, 0, 1), (8, "equal"): replace(comb, mixture=m)}
        key, reason, left_out = choose(Candidates(("unequal", "equal"), fits, {}), "bic")
        assert (key == (8, "equal")) is takes_part
        assert (left_out == {}) is takes_part
        said = "left out, because their components sit on the steps of the recorded values: k = 8"
        assert (said in reason) is not takes_part
    as_many = scored(one, -99, 9, equal=True, sample=sample)  # as distinct values
    fits = {(1, "unequal"): scored(one, 0, 1), (9, "equal"): as_many}
    assert choose(Candidates(("unequal", "equal"), fits, {}), "bic").left_out == {
        (9, "equal"): "comb"
    }


def test_unequal_variances_of_few_levels_are_no_comb(one):
    scores = np.random.default_rng(0).normal(5, 2, 1_000).round().clip(1, 9)
    few = scored(one, -99, 3, sample=gmm1d.Sample.of(scores))
    narrow = replace(few, mixture=gmm1d.Mixture([0.2, 0.3, 0.5], [1, 4, 8], [0.4, 0.4, 0.4]))
    fits = {(1, "unequal"): scored(one, 0, 1), (3, "unequal"): narrow}
    assert choose(Candidates(("unequal", "equal"), fits, {}), "bic").key == (3, "unequal")


def test_scores_of_one_gaussian_are_one_group():
    scores = np.random.default_rng(0).normal(5, 2, 1_000).round().clip(1, 9)
    comparison = gmm1d.compare(scores, range(1, 10), equal_variances=True)
    assert comparison.k == 1


# what is shown


def test_summary_and_html_say_the_same(waiting):
    text, html = waiting.summary(), waiting._repr_html_()
    assert "*2      equal" in text
    assert "k = 2 with unequal variances: p(x) = " in text
    for piece in ("2096.03", "2090.43", "converged", "k = 2 with equal variances is chosen"):
        assert piece in text
        assert piece in html
    assert "k = 2 with equal variances is chosen" in repr(waiting)


def test_endings_are_marked_in_the_table(one, mostly_zero):
    bic, more = tied(mostly_zero)
    fits = {
        (1, "unequal"): one,
        (2, "unequal"): scored(one, 5, 2, **SUPPORT),
        (2, "equal"): scored(one, 5, 2, equal=True, sample=gmm1d.Sample.of([1, 1, 2, 2])),
        (3, "unequal"): scored(one, bic, 3, **more),
    }
    comparison = gmm1d.Comparison.of(Candidates(("unequal", "equal"), fits, {}), "bic")
    header, rows = comparison.table()
    assert header[-1] == "ending"
    endings = ["converged", "penalised, support", "converged, comb", "penalised, ties"]
    assert [row[-1] for row in rows] == endings
    assert comparison.candidates.fits == fits
    assert comparison.k is None
    assert comparison.summary().count("penalised, ") == 2


@pytest.mark.parametrize(
    ("ks", "options", "sentence"),
    [
        ([], {}, "ks is empty"),
        ([0, 1], {}, "k must be"),
        ([60, 61], {}, "distinct values"),
        (3, {}, "ks must be several numbers"),
        ([1], {"criterion": "wic"}, "criterion='wic' is unknown"),
        ([1], {"start": {"means": [1], "stds": [1]}}, "start must be a name"),
        ([1], {"tol": -1}, "tol must be"),
    ],
)
def test_wrong_options_are_one_sentence(ks, options, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.compare(WAITING, ks, **options)


def test_more_components_than_distinct_values_are_rows_without_a_fit():
    x = np.repeat([1.0, 2.0, 3.0], [30, 50, 20])
    comparison = gmm1d.compare(x, range(1, 6))
    rows = {row[0].lstrip("*"): row[-1] for row in comparison.table()[1]}
    assert rows["4"] == rows["5"] == "too few values"
    with pytest.raises(InputError, match="k is 5, more than there are distinct values"):
        comparison[5]
    with pytest.raises(InputError, match="k is 4, more than there are distinct values"):
        gmm1d.compare(x, [4, 5])


def test_what_all_fits_share_is_noted_once():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=100), rng.uniform(0.1, 1, 100)
    c = gmm1d.compare(x, range(1, 4), sample_weight=w)
    taken = "the weights are taken as importance weights, scaled to n_eff = "
    lines = c.summary().splitlines()
    assert [line for line in lines if taken in line] == [f"note: {taken}{c[1].n:.6g}"]
    held = [line for line in lines if "held by the penalty alone" in line]
    assert [line.partition(": the data")[0] for line in held] == [
        "note: k = 3 with unequal variances"
    ]
    alone = gmm1d.compare(x, [2], sample_weight=w, families="unequal").summary()
    assert f"note: k = 2: {taken}" in alone
