"""`compare`: the table, the choice and its reason."""

import warnings

import numpy as np
import pytest
from equivariance import datasets

import gmm1d
from gmm1d.errors import CollapseError, FitWarning, InputError

WAITING = datasets()["faithful_waiting"]


@pytest.fixture(scope="module")
def waiting():
    return gmm1d.compare(WAITING, range(1, 7))


def test_every_row_is_the_fit_of_that_k_bit_for_bit(waiting):
    for k in waiting:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)
            assert waiting[k].to_json() == gmm1d.fit(WAITING, k).to_json()


def test_the_waiting_times_have_two_components(waiting):
    assert (waiting.k, waiting.best.k) == (2, 2)
    assert waiting.best.bic == min(f.bic for f in waiting.fits.values())
    assert waiting.reason.startswith(
        "k = 2 is chosen: its BIC, 2096.03, is the lowest of the converged fits; next is k = 3, 11.89 higher (380 times less probable)"
    )


def test_criteria_follow_their_definitions(waiting):
    f = waiting[2]
    r = f.mixture.responsibilities(WAITING)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(r * np.log(r))
    assert f.aic == pytest.approx(-2 * f.log_likelihood + 2 * 5)
    assert f.bic == pytest.approx(-2 * f.log_likelihood + 5 * np.log(272))
    assert f.icl == pytest.approx(f.bic + 2 * entropy, rel=1e-10)
    assert waiting[1].icl == pytest.approx(waiting[1].bic)


def test_unconverged_fits_are_not_chosen():
    stopped = gmm1d.compare(WAITING, range(2, 7), start="spread", method="em", tol=1)
    assert min(stopped, key=lambda k: stopped[k].bic) == 3  # the trap
    assert stopped.k is None
    assert "none of the fits converged" in stopped.reason
    with pytest.raises(InputError, match="none of the fits converged"):
        _ = stopped.best


def test_fits_that_are_left_out_are_named():
    x = np.concatenate([np.zeros(900), np.random.default_rng(0).normal(5, 1, 100)])
    comparison = gmm1d.compare(x, [1, 2])
    assert comparison.k == 1
    assert "left out, because not converged: k = 2 (penalised)" in comparison.reason
    assert "note: k = 2: component 1 wants to collapse: it sits on 0" in comparison.summary()


def test_a_k_that_collapses_from_its_start_does_not_stop_the_others():
    x = np.concatenate([np.zeros(900), np.random.default_rng(0).normal(5, 1, 100)])
    comparison = gmm1d.compare(x, [1, 2], start="quantile")
    assert comparison.k == 1
    assert list(comparison.collapsed) == [2]
    assert "left out, because not converged: k = 2 (collapsed)" in comparison.reason
    assert "sits on 0, 900 of 1000 values" in comparison.summary()
    with pytest.raises(CollapseError, match="k = 2: the climb"):
        comparison[2]
    with pytest.raises(CollapseError, match="k = 2: the climb"):
        gmm1d.compare(x, [2], start="quantile")
    assert comparison.table()[1][1] == ["2", "–", "–", "–", "–", "collapsed"]


def test_criterion_decides():
    by_aic = gmm1d.compare(WAITING, range(1, 7), criterion="aic")
    assert by_aic.k == min(by_aic, key=lambda k: by_aic[k].aic)
    assert "its AIC" in by_aic.reason


def test_summary_and_html_say_the_same(waiting):
    text, html = waiting.summary(), waiting._repr_html_()
    assert "*2" in text
    assert "k = 2: " in text
    for piece in ("2096.03", "converged", "k = 2 is chosen"):
        assert piece in text
        assert piece in html
    assert len(waiting) == 6
    assert "k = 2 is chosen" in repr(waiting)


@pytest.mark.parametrize(
    ("ks", "options", "sentence"),
    [
        ([], {}, "ks is empty"),
        ([0, 1], {}, "k must be"),
        ([1, 60], {}, "distinct values"),
        (3, {}, "ks must be several numbers"),
        ([1], {"criterion": "wic"}, "criterion='wic' is unknown"),
        ([1], {"start": {"means": [1], "stds": [1]}}, "start must be a name"),
        ([1], {"tol": -1}, "tol must be"),
    ],
)
def test_wrong_options_are_one_sentence(ks, options, sentence):
    with pytest.raises(InputError, match=sentence):
        gmm1d.compare(WAITING, ks, **options)
