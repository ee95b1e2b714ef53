"""Results as tidy frames of the library that the data came from, by narwhals (extra ``frames``)."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d.arguments import shown
from gmm1d.errors import InputError, MissingExtraError, UncertaintyError, require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gmm1d.climbing import Trace
    from gmm1d.comparison import Comparison
    from gmm1d.fits import Fits
    from gmm1d.mixture import Mixture
    from gmm1d.result import Fit
    from gmm1d.uncertainty import ConfidenceIntervals, StandardErrors

LIBRARIES = ("pandas", "polars", "pyarrow", "modin", "cudf")
PARAMETERS = ("weights", "means", "stds", "boundaries")


def library_of(data: object) -> str | None:
    """Return the name of the library that a column or frame is of, if it is one that makes frames."""
    name = type(data).__module__.partition(".")[0]
    if name == "narwhals" and hasattr(data, "to_native"):
        return library_of(data.to_native())
    return name if name in LIBRARIES else None


def library_of_fit(f: Fit) -> str | None:
    """Return the `Sample.library` of the data that were fitted; None after loading."""
    return None if f.sample is None else f.sample.library


def frame(columns: Mapping[str, Any], library: object) -> Any:
    """Return a frame of these columns (m,), of pandas, polars or PyArrow, whichever is there first, for None.

    Raises
    ------
    InputError
        If the library is none that is known here.
    MissingExtraError
        If it, or narwhals, is not installed.
    """
    if library is None:
        library = next((name for name in LIBRARIES[:3] if find_spec(name)), LIBRARIES[0])
    if not isinstance(library, str) or library not in LIBRARIES:
        raise InputError(f"library={shown(library)} is unknown: use one of {', '.join(LIBRARIES)}")
    narwhals = require("narwhals", "frames", (2,))
    if find_spec(library) is None:
        raise MissingExtraError(
            f"this needs {library}, which is not installed: pip install {library}"
        )
    return narwhals.from_dict(dict(columns), backend=library).to_native()


def of_mixture(m: Mixture, library: str | None = None) -> Any:
    """Return a frame with a row for each component: its number from 0, weight, mean, std, variance.

    Parameters
    ----------
    library : {"pandas", "polars", "pyarrow", "modin", "cudf"}, optional
        By default the first of pandas, polars and PyArrow that is installed.

    Raises
    ------
    InputError
        If the library is unknown.
    MissingExtraError
        If it, or narwhals, is not installed.
    """
    return frame(_components(m), library)


def of_fit(f: Fit, library: str | None = None) -> Any:
    """Return a frame with a row for each component: its number from 0, parameters, their standard errors, count.

    The errors are NaN where there are none; the expected count is n times the weight.

    Parameters
    ----------
    library : {"pandas", "polars", "pyarrow", "modin", "cudf"}, optional
        By default the one that the data came from, or the first of pandas, polars and PyArrow.

    Raises
    ------
    InputError
        If the library is unknown.
    MissingExtraError
        If it, or narwhals, is not installed.
    """
    errors = {f"{kind}_error": np.full(f.k, np.nan) for kind in ("weight", "mean", "std")}
    with suppress(UncertaintyError):
        known = f.standard_errors()
        errors = {name: getattr(known, f"{name.partition('_')[0]}s") for name in errors}
    count = {"expected_count": f.mixture.weights * f.n}
    return frame({**_components(f.mixture), **errors, **count}, library or library_of_fit(f))


def of_comparison(c: Comparison, library: str | None = None) -> Any:
    """Return a frame with a row for each k and family: log-likelihood, parameters, criteria, ending, whether it was chosen.

    A single Gaussian is of the first family. `left_out` says in a word why a fit took no part in the choice, and is ""
    where it did. Parameters, errors: as `Fit.to_frame`; what collapsed has no row.
    """
    found = c.candidates
    keys = [key for key in found.keys if key in found.fits]
    fits = [found.fits[key] for key in keys]
    numbers = ("log_likelihood", "n_parameters", "aic", "bic", "icl")
    columns = {"k": np.array([k for k, _ in keys]), "family": [family for _, family in keys]}
    columns |= {name: np.array([_number(getattr(f, name)) for f in fits]) for name in numbers}
    columns["n_parameters"] = np.asarray(columns["n_parameters"]).astype(int)
    endings = {
        "status": [f.status.name for f in fits],
        "left_out": [c.left_out.get(key, "") for key in keys],
        "chosen": [key == c.chosen for key in keys],
    }
    return frame({**columns, **endings}, library or (library_of_fit(fits[0]) if fits else None))


def of_fits(f: Fits, library: str | None = None) -> Any:
    """Return a frame with a row for each data set; the columns are those of `Fits.to_dict`.

    Parameters, errors: as `Fit.to_frame`.
    """
    return frame(f.to_dict(), library or f.library)


def of_trace(t: Trace, library: str | None = None) -> Any:
    """Return a frame with a row for each component of each point: step, kind, log-likelihood, parameters.

    Parameters, errors: as `Mixture.to_frame`.
    """
    k = t.weights.shape[1]
    columns = {
        "step": np.repeat(np.arange(len(t)), k),
        "kind": [kind for kind in t.kind for _ in range(k)],
        "log_likelihood": np.repeat(t.log_likelihood, k),
        "component": np.tile(np.arange(k), len(t)),
    }
    parameters = {"weight": t.weights, "mean": t.means, "std": t.stds}
    return frame({**columns, **{name: v.ravel() for name, v in parameters.items()}}, library)


def of_errors(errors: StandardErrors, library: str | None = None) -> Any:
    """Return a frame with a row for each parameter and boundary: its kind, number from 0, standard error.

    Parameters, errors: as `Fit.to_frame`.
    """
    values = np.concatenate([getattr(errors, name) for name in PARAMETERS])
    return frame({**_parameters(errors), "standard_error": values}, library or errors.library)


def of_intervals(intervals: ConfidenceIntervals, library: str | None = None) -> Any:
    """Return a frame with a row for each parameter and boundary: its kind, number from 0, lower and upper end.

    Parameters, errors: as `Fit.to_frame`.
    """
    ends = np.concatenate([getattr(intervals, name) for name in PARAMETERS])
    level = np.full(len(ends), intervals.level)
    return frame(
        {**_parameters(intervals), "lower": ends[:, 0], "upper": ends[:, 1], "level": level},
        library or intervals.library,
    )


def _components(m: Mixture) -> dict[str, Any]:
    numbers = {"weight": m.weights, "mean": m.means, "std": m.stds, "variance": m.variances}
    return {"component": np.arange(m.k), **numbers}


def _parameters(known: StandardErrors | ConfidenceIntervals) -> dict[str, Any]:
    kinds = {"weights": "weight", "means": "mean", "stds": "std", "boundaries": "boundary"}
    counts = {kinds[name]: len(getattr(known, name)) for name in PARAMETERS}
    return {
        "parameter": [kind for kind, count in counts.items() for _ in range(count)],
        "number": np.concatenate([np.arange(count) for count in counts.values()]),
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else value
