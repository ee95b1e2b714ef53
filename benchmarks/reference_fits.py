"""The default search on public real data, k = 2 to 6, against the best regular maxima of an independent many-start EM."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from figures import Figure
from judging import Judged, endings, judge, misses

TESTS = Path(__file__).parents[1] / "tests"
FAMILIES = {"V": "unequal variances", "E": "equal variances"}


def fits(model: str) -> list[dict[str, Any]]:
    """Return the reference fits of one family with k = 2 to 6 that have a regular maximum."""
    listed = json.loads((TESTS / "data" / "reference_fits.json").read_text("utf-8"))["fits"]
    return [
        one
        for one in listed
        if one["model"] == model and 2 <= one["k"] <= 6 and one["best_regular"] is not None
    ]


def measure() -> list[Figure]:
    return [figure for model in FAMILIES for figure in _figures(model, judged(model))]


def judged(model: str) -> list[Judged]:
    """Fit every case of a family."""
    sys.path.insert(0, str(TESTS))
    from equivariance import datasets

    columns = datasets()
    options = {"equal_variances": True} if model == "E" else {}
    return [
        judge(
            f"{one['dataset']} k={one['k']}",
            columns[one["dataset"]],
            one["k"],
            one["best_regular"],
            **options,
        )
        for one in fits(model)
    ]


def _figures(model: str, judged: list[Judged]) -> list[Figure]:
    name = f"{FAMILIES[model]}: best regular maximum reached within 0.01, of {len(judged)}"
    reached = sum(one.reached for one in judged)
    above = sum(one.level > one.best + 0.01 for one in judged if one.best is not None)
    note = f"missed: {misses(judged) or 'none'}; regular and above: {above}"
    return [
        Figure(name, reached, at_least=len(judged), note=note),
        *endings(FAMILIES[model], judged),
    ]
