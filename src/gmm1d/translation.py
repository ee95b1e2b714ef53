"""What the parameters of scikit-learn's mixtures ask of `fit` and `compare`. Keeps nothing."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import _engine
from gmm1d.arguments import finite_numbers, generator, real, shown, whole
from gmm1d.columns import column, refuse_faults
from gmm1d.comparing import compare
from gmm1d.errors import Ending, FitWarning, InputError, require
from gmm1d.fitting import fit
from gmm1d.formatting import number
from gmm1d.options import check_k
from gmm1d.sample import Sample
from gmm1d.scoring import log_likelihood
from gmm1d.sketch import Sketch
from gmm1d.starts import resolve
from gmm1d.weighing import check_total, weights_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmm1d.comparison import Comparison
    from gmm1d.result import Fit

    Array = NDArray[np.float64]

require("sklearn", "sklearn", (1, 6))
exceptions: Any = require("sklearn.exceptions", "sklearn")
validation: Any = require("sklearn.utils.validation", "sklearn")

SHAPES = {"full": (-1, 1, 1), "tied": (1, 1), "diag": (-1, 1), "spherical": (-1,)}
INITIAL = {"weights": "weights_init", "means": "means_init", "variances": "precisions_init"}


class FitConvergenceWarning(exceptions.ConvergenceWarning, FitWarning):  # type: ignore[misc]
    """A FitWarning that is filtered with scikit-learn's ConvergenceWarning."""


def taken(model: Any, X: Any, *, reset: bool = False) -> Any:
    """Return the one column (n_samples,) of X; finite if it is not to be fitted, which would find out.

    Parameters
    ----------
    X : array-like (n_samples,) or (n_samples, 1); to be fitted, also a Sample or a Sketch
    reset : bool
        Whether it is to be fitted: the model takes down, not compares, what it is called.

    Raises
    ------
    InputError
        If it is no column, or not finite.
    ValueError, TypeError
        Of scikit-learn, if it is no array of numbers, or the model is not fitted.
    """
    if not reset:
        validation.check_is_fitted(model)
    elif isinstance(X, Sample | Sketch):
        model.n_features_in_ = 1
        return X
    array = validation.check_array(
        X,
        dtype="numeric",
        ensure_2d=False,
        ensure_all_finite=False,
        ensure_min_samples=2 if reset else 1,
        input_name="X",
        estimator=model,
    )
    values = column(array, "X")
    if array.ndim == 2:
        validation.validate_data(model, X, reset=reset, skip_check_array=True)
    elif reset:  # a vector is one feature without a name
        validation.validate_data(model, values[:, None], skip_check_array=True)
    if not reset and not np.isfinite(values).all():
        refuse_faults(values, None)
    return values


def log_likelihood_of(model: Any, X: Any, sample_weight: object) -> tuple[float, float]:
    """Return the log-likelihood of the model and the number of values, of weights as a fit counts them.

    Raises
    ------
    InputError, ValueError, TypeError
        As `taken` does, or if `sample_weight` is none.
    """
    values = taken(model, X)
    if sample_weight is None:
        return log_likelihood(model.mixture_, [[values]])
    weights = finite_numbers("sample_weight", weights_column(sample_weight, values.size))
    total, n = log_likelihood(model.mixture_, [[values, weights]])
    scale = _engine.scale(weights, n)
    check_total(n, values.size, scale)
    return scale * total, scale * n


def shaped(values: Array, covariance_type: str) -> Array:
    """Return one value per component (k,) in the shape that scikit-learn gives to covariances."""
    return (values[:1] if covariance_type == "tied" else values).reshape(SHAPES[covariance_type])


def compared(model: Any, sample: Sample) -> Comparison:
    """Compare 1 to `max_components`, or as many as there are distinct values; "tied" stands for equal variances alone.

    Raises
    ------
    InputError
        If a parameter of the model is out of range, or `compare` refuses the data.
    """
    _check_type(model)
    if model.n_components != "auto":
        asked = shown(model.n_components)
        raise InputError(f'n_components must be a whole number or "auto", not {asked}')
    if given := [name for name in INITIAL.values() if getattr(model, name) is not None]:
        raise InputError(
            f'{given[0]} is for one number of components: drop it, or n_components="auto"'
        )
    most = whole("max_components", model.max_components, least=1, default=1)
    return compare(
        sample,
        range(1, min(most, sample.nodes[0].size) + 1),
        criterion=model.criterion,
        max_iter=model.max_iter,
        equal_variances=model.covariance_type == "tied",
        progress=bool(model.verbose),
    )


def fitted(model: Any, sample: Sample) -> tuple[Fit, NDArray[np.intp]]:
    """Fit `n_components`.

    Returns
    -------
    Fit
    ndarray of int, shape (k,)
        The number that the estimator gives to each component of the mixture.

    Raises
    ------
    InputError, CollapseError
        As `fit` does.
    KeyboardInterrupt
        If the fit was interrupted.
    """
    _check_type(model)
    k = check_k(model.n_components, sample)
    start = _start(model, sample, k)
    tol = real(model.tol) * sample.n  # of the log-likelihood, of which scikit-learn takes the mean
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = fit(
            sample,
            k,
            start=start,
            tol=tol if tol >= 0 else model.tol,
            max_iter=model.max_iter,
            equal_variances=model.covariance_type == "tied",
            progress=bool(model.verbose),
        )
    if found.status is Ending.INTERRUPTED:
        raise KeyboardInterrupt
    for warning in caught:
        own = issubclass(warning.category, FitWarning)
        asked = (
            model.max_iter == 0 or found.reason == "support"
        )  # the start itself; a model for every k, as in a table of BIC
        if not own or not asked:
            category = FitConvergenceWarning if own else warning.category
            warnings.warn(str(warning.message), category, stacklevel=3)
    return found, np.arange(k) if start is None else found.order


def _check_type(model: Any) -> None:
    if model.covariance_type not in tuple(SHAPES):
        asked, known = shown(model.covariance_type), ", ".join(SHAPES)
        raise InputError(f"covariance_type={asked} is unknown: use one of {known}")


def _start(model: Any, sample: Sample, k: int) -> dict[str, Array] | None:
    """Return where to climb from, in the caller's order; None for the search."""
    if model.warm_start and getattr(model, "n_components_", None) == k:
        return dict(zip(("weights", "means", "stds"), model._parameters(), strict=True))
    given = {
        kind: finite_numbers(name, getattr(model, name)).ravel()
        for kind, name in INITIAL.items()
        if getattr(model, name) is not None
    }
    if "variances" in given:
        if not (given["variances"] > 0).all():
            worst = number(given["variances"].min())
            raise InputError(f"precisions_init holds {worst}: give 1 / variance, a positive number")
        given["variances"] = 1 / given["variances"]
        if model.covariance_type == "tied" and given["variances"].size == 1:
            given["variances"] = np.repeat(given["variances"], k)
    for kind, values in given.items():
        if values.size != k:
            asked = f"there are {k} components"
            raise InputError(f"{INITIAL[kind]} has {values.size} entries, but {asked}")
    if not given or len(given) == len(INITIAL):
        return given or None
    rest = resolve("kmeans", sample, k)
    rank = np.argsort(np.argsort(given.get("means", rest.means)))
    filled = {"weights": rest.weights, "means": rest.means, "variances": np.square(rest.stds)}
    return {kind: values[rank] for kind, values in filled.items()} | given


def drawing(random_state: object) -> np.random.Generator:
    """Return the generator that a `random_state` means: seed 0 for None, never NumPy's global one.

    Raises
    ------
    InputError
        If it is no seed and no generator.
    """
    if isinstance(random_state, np.random.RandomState):
        return generator(int(random_state.randint(2**31)))
    return generator(0 if random_state is None else random_state)
