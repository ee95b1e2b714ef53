"""The files that the benchmarks measure against: complete, of the samples they say, and never lowered."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import numpy as np
import reference_fits
import search_best
from figures import Figure
from s_climb import C, D

import gmm1d

Entries = dict[search_best.Problem, search_best.Entry]


@pytest.fixture(scope="module")
def entries() -> Entries:
    return search_best.read()


def test_best_values_belong_to_the_samples(entries: Entries) -> None:
    assert search_best.FILE.exists()
    assert tuple(entries) == search_best.problems()
    assert len(entries) == 500
    for problem, entry in entries.items():
        search_best.check(entry, problem.x)
    entry = entries[search_best.Problem("MW6", 200, 0, 2)]
    other = search_best.Problem("MW6", 200, 1, 2).x
    with pytest.raises(ValueError, match="another sample"):
        search_best.check(entry, other)


def test_best_values_are_those_of_their_mixtures(entries: Entries) -> None:
    for problem, entry in entries.items():
        assert entry.best is not None, problem
        assert entry.mixture is not None, problem
        assert entry.mixture.k == problem.k
        w, mu, s = entry.mixture.weights, entry.mixture.means, entry.mixture.stds
        z = (problem.x - mu[:, None]) / s[:, None]
        density = (w / s / np.sqrt(2 * np.pi)) @ np.exp(-z * z / 2)
        total = np.log(density).sum() + C * np.log(s).sum() + D * np.log(w).sum()
        assert total == pytest.approx(entry.best, rel=0, abs=1e-6), problem


def test_best_values_only_rise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = search_best.Problem("MW1", 200, 0, 1)
    monkeypatch.setattr(search_best, "FILE", tmp_path / "best.csv")
    monkeypatch.setattr(search_best, "problems", lambda: (problem,))
    mixture = gmm1d.Mixture([1.0], [0.0], [1.0])
    none = search_best.read()[problem]
    assert none.best is None

    def merged(best: float | None, by: str) -> tuple[int, float | None, str]:
        end = None if best is None else (best, mixture)
        rose = search_best.merge([none.raised(end, by)])
        entry = search_best.read()[problem]
        return rose, entry.best, entry.by

    assert merged(None, "nobody") == (0, None, "")
    assert merged(-300.0, "first") == (1, -300.0, "first")
    assert merged(-300.5, "second") == (0, -300.0, "first")
    assert merged(-300.0 + 1e-9, "rounding") == (0, -300.0, "first")
    assert merged(None, "nobody") == (0, -300.0, "first")
    assert merged(-299.5, "third") == (1, -299.5, "third")


def test_reference_fits_are_those_with_a_regular_maximum() -> None:
    assert len(reference_fits.fits("V")) == 49
    assert len(reference_fits.fits("E")) == 44
    assert len(reference_fits.mixtures()) == 49


def test_reference_mixtures_have_their_log_likelihoods() -> None:
    for one in reference_fits.fits("V"):
        mixture = reference_fits.mixtures()[f"{one['dataset']} k={one['k']}"]
        level = mixture.logpdf(reference_fits.columns()[one["dataset"]]).sum()
        assert mixture.k == one["k"]
        assert level == pytest.approx(one["best_regular"], rel=0, abs=1e-6)


@pytest.mark.parametrize(
    ("least", "most", "bound", "kept"),
    [
        (None, None, "", True),
        (2.0, None, "≥ 2", True),
        (None, 2.5, "≤ 2.5", False),
        (2.0, 4.0, "2 … 4", True),
        (3.5, 4.0, "3.5 … 4", False),
    ],
)
def test_figure_bounds(least: float | None, most: float | None, bound: str, kept: bool) -> None:
    figure = Figure("three", 3.0, at_least=least, at_most=most)
    assert (figure.bound, figure.kept) == (bound, kept)


def test_a_figure_without_a_value_is_not_kept() -> None:
    assert not Figure("nothing", float("nan"), at_least=1).kept
    assert Figure("skipped", float("nan"), note="not here").row()[1:4] == ["", "", ""]
