"""Data sets, fits and climbs as JSON for the page: facts that the library computed, and the sentences that it wrote."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import uncertainty, views
from gmm1d.errors import Ending
from gmm1d.formatting import steps
from gmm1d.pages import scenes

if TYPE_CHECKING:
    from gmm1d.comparison import Comparison
    from gmm1d.explore.store import DataSet
    from gmm1d.result import Fit

LEVEL = 0.95
PARTS = ("weights", "means", "stds")
MEASURES = ("gradient_norm", "newton_decrement", "smallest_eigenvalue", "entropy")


def plain(value: Any) -> Any:
    """Return what JSON can write: lists for arrays, null for what is no finite number."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f" or np.isfinite(value).all():
            return value.tolist()
        return plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def of_data(name: str, data: DataSet) -> dict[str, Any]:
    """Return what the page knows of a data set (see `gmm1d.explore.routes`)."""
    sample = data.sample
    return {
        "id": name,
        "name": data.name,
        "column": {"number": data.number, "name": data.column},
        "columns": [{"number": number, "name": name} for number, name in data.columns],
        "n": sample.n,
        "n_missing": data.n_missing,
        "low": sample.low,
        "high": sample.high,
        "compressed": sample.sketch is not None,
        "has_values": sample.points is not None,
        "start": data.start,
        "scene": scenes.scene(sample, (), data.column, _stretch(data)),
    }


def _stretch(data: DataSet) -> tuple[float, float]:
    """Return what is shown of the data, and of the start that comes with them."""
    low, high = scenes.stretch(data.sample)
    if data.start is None:
        return low, high
    means, stds = np.array(data.start["means"]), np.array(data.start["stds"])
    return min(low, float((means - stds).min())), max(high, float((means + stds).max()))


def of_fit(name: str, fit: Fit) -> dict[str, Any]:
    """Return what the page knows of a fit (see `gmm1d.explore.routes`)."""
    header, rows = fit.table()
    shown = views.view(fit.mixture, fit.n, fit.sample)
    return {
        "fit": name,
        "k": fit.k,
        **scenes.drawing(fit),
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "bic": fit.bic,
        "icl": fit.icl,
        "n": fit.n,
        "n_parameters": fit.n_parameters,
        "status": {"name": fit.status.name, "sentence": fit.status.value},
        "converged": fit.status is Ending.CONVERGED,
        "notes": fit.notes,
        "certificate": fit.certificate
        and {measure: getattr(fit.certificate, measure) for measure in MEASURES},
        "compression_error": fit.compression_error,
        "n_steps": fit.n_iter,
        "steps": None if fit.trace is None else steps(fit.trace.kind),
        **_uncertainty(fit),
        "remarks": uncertainty.report(fit),
        "table": {"header": header, "rows": rows},
        "formula": fit.mixture.formula(),
        "view": [shown.low, shown.high],
    }


def _uncertainty(fit: Fit) -> dict[str, Any]:
    """Return standard errors and intervals of the parameters, or why there are none."""
    reason = uncertainty.refusal(fit)
    if reason is not None:
        return {"errors": None, "intervals": None, "no_errors": reason}
    errors = uncertainty.standard_errors(fit)
    intervals = uncertainty.confidence_intervals(fit, LEVEL)
    return {
        "errors": {part: getattr(errors, part) for part in PARTS},
        "intervals": {"level": LEVEL, **{part: getattr(intervals, part) for part in PARTS}},
        "no_errors": None,
    }


def of_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return the criteria of every k and family, and the choice with its reason."""
    header, rows = comparison.table()
    criteria = [
        {
            "k": k,
            "family": family,
            "log_likelihood": fit.log_likelihood,
            "aic": fit.aic,
            "bic": fit.bic,
            "icl": fit.icl,
            "status": fit.status.name,
            "converged": fit.status is Ending.CONVERGED,
            "left_out": comparison.left_out.get((k, family)),
        }
        for (k, family), fit in comparison.candidates.fits.items()
    ]
    return {
        "criterion": comparison.criterion,
        "k": comparison.k,
        "family": comparison.family,
        "families": comparison.families,
        "row": comparison.row,
        "reason": comparison.reason,
        "criteria": criteria,
        "table": {"header": header, "rows": rows},
    }
