"""The files that the benchmarks measure against: complete, of the samples they say, and never lowered."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import marron_wand
import marron_wand_best
import reference_fits
from figures import Figure


def test_best_values_belong_to_the_samples() -> None:
    assert marron_wand_best.FILE.exists()
    entries = marron_wand_best.read()
    assert tuple(entries) == marron_wand.PROBLEMS
    assert len(entries) == 450
    assert sum(entry.best is not None for entry in entries.values()) > 400
    for problem, entry in entries.items():
        marron_wand_best.check(entry, marron_wand.sample(*problem))
    with pytest.raises(ValueError, match="another sample"):
        marron_wand_best.check(entries[6, 200, 0], marron_wand.sample(6, 200, 1))


def test_best_values_only_rise() -> None:
    entry = marron_wand_best.Entry(6, 200, 0, mean=0.0)
    assert entry.raised(None, "nobody").best is None
    first = entry.raised(-300.0, "first")
    assert (first.best, first.by) == (-300.0, "first")
    assert first.raised(-300.5, "second") == first
    assert first.raised(-300.0 + 1e-9, "rounding") == first
    assert first.raised(None, "nobody") == first
    assert first.raised(-299.5, "third").by == "third"


def test_reference_fits_are_those_with_a_regular_maximum() -> None:
    assert len(reference_fits.fits("V")) == 49
    assert len(reference_fits.fits("E")) == 44


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
