"""`fit_many`: one mixture for each of thousands of data sets, in one call."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from gmm1d import _engine
from gmm1d.certificate import CURVATURE, DECREMENT, GRADIENT
from gmm1d.constraints import Constraints
from gmm1d.datasets import data_sets, paired
from gmm1d.errors import Ending, FitWarning, InputError
from gmm1d.fits import Fits
from gmm1d.fitting import fit
from gmm1d.frames import library_of
from gmm1d.options import check_rules, whole_k
from gmm1d.progress import watched
from gmm1d.sample import EXACT
from gmm1d.weighing import check_meaning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from gmm1d.climbing import Rules
    from gmm1d.datasets import Rows
    from gmm1d.result import Fit

    Array = NDArray[np.float64]

BATCH, FEW = (
    256,
    8,
)  # data sets per thread between two looks at the progress bar, and where some are large
# What the engine tells of each fit, before weights, means and stds.
FACTS = (
    "n",
    "unit",
    "tolerance",
    "reason",
    "log_likelihood",
    "gradient_norm",
    "newton_decrement",
    "smallest_eigenvalue",
    "entropy",
)
N, LOG_LIKELIHOOD = 0, 4
REASONS = (None, "support", "ties")  # as the engine numbers them


def fit_many(
    X: ArrayLike | Mapping[Any, ArrayLike] | Iterable[ArrayLike],
    k: int,
    *,
    axis: int = 0,
    sample_weight: ArrayLike | Mapping[Any, ArrayLike] | Sequence[ArrayLike] | None = None,
    weights_are: str | None = None,
    equal_variances: bool = False,
    method: str = "newton",
    tol: float | None = None,
    max_iter: int | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> Fits:
    """Fit a mixture of k Gaussians to each of many data sets.

    Each gets what `gmm1d.fit` finds for it alone, to the last bit, at a fraction of the time. A data
    set that cannot be fitted is reported in its place and does not stop the others.

    Parameters
    ----------
    X : 2-D array, frame, or list, tuple or dict of arrays
        One data set per column (or row); per item of a list, of any lengths; nothing is copied that
        holds float64, float32 or whole numbers.
    k : int
        The number of components.
    axis : {0, 1}
        0 for a mixture per column of a 2-D array, 1 for one per row.
    sample_weight : array-like, optional
        Weights of the values: one column for all data sets, or of the form of `X`. Those of each data set are counts or
        importance weights, as in `gmm1d.fit`.
    weights_are, equal_variances, method, tol, max_iter
        As in `gmm1d.fit`.
    threads : int, optional
        By default as many as there are processors; the result has the same bits for any number.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal where tqdm is installed, if it takes
        long.

    Returns
    -------
    Fits
        Arrays with a row for each data set; NaN, and a sentence in `errors`, for those that could
        not be fitted. Any ending but CONVERGED and TOLERANCE is also counted in a FitWarning.

    Raises
    ------
    InputError
        If `X` or an option cannot be used at all.

    Examples
    --------
    >>> import gmm1d
    >>> short, long = [1.0, 1.2, 0.9, 5.0, 5.3, 4.9], [9.0, 8.8, 9.3, 8.9, 2.1, 2.0, 1.7, 1.9]
    >>> fits = gmm1d.fit_many({"short": short, "long": long, "constant": [3.0, 3.0]}, 2)
    >>> fits
    <Fits of 2 Gaussians to each of 3 data sets: 2 CONVERGED, 1 failed>
    >>> fits.means.round(3).tolist()
    [[1.033, 5.067], [1.925, 9.0], [nan, nan]]
    >>> fits.errors[2]
    'all values equal 3: a Gaussian needs at least two distinct values'
    """
    rules = check_rules(method, tol, max_iter, threads)
    rules = rules.under(Constraints.of(1, equal_variances, None))
    k, asked = whole_k(k), check_meaning(weights_are)
    data = data_sets(X, axis)
    if k > data.largest():
        raise InputError(
            f"k is {k}, more than there are values in any data set: choose a smaller k"
        )
    data, weights = paired(data, sample_weight, axis)
    table, errors = np.full((len(data), len(FACTS) + 3 * k), np.nan), {}
    batch = (BATCH if data.largest() <= EXACT else FEW) * rules.threads
    for i in watched(range(len(data)), "data sets", progress):
        if i % batch == 0:
            rows = slice(i, i + batch)
            part = None if weights is None else weights[rows]
            table[rows], failed = _fit_batch(data.rows[rows], part, asked, k, rules)
            errors.update({i + j: sentence for j, sentence in failed.items()})
    return _warned(_fits(table, k, rules, errors, data.names, library_of(X)))


def _fit_batch(
    rows: Rows, weights: Rows | None, asked: str, k: int, rules: Rules
) -> tuple[Array, dict[int, str]]:
    """Return a row of numbers for each data set, and what was wrong with those without."""
    options = (rules.constraints.equal_variances, *rules.options(), rules.threads, asked)
    each_weight = [None] * len(rows) if weights is None else weights
    table = np.full((len(rows), len(FACTS) + 3 * k), np.nan)
    if isinstance(rows, np.ndarray):
        assert weights is None or isinstance(weights, np.ndarray)
        if rows.shape[1] <= EXACT:
            table = _engine.fit_rows(rows, weights, k, *options)
    else:
        few = [i for i, w in enumerate(each_weight) if _is_plain(rows[i], weights is None, w)]
        chosen = None if weights is None else [weights[i] for i in few]
        table[few] = _engine.fit_list([rows[i] for i in few], chosen, k, *options)
    errors = {}
    for i in np.flatnonzero(np.isnan(table[:, N])).tolist():
        try:
            table[i] = _row(_alone(rows[i], each_weight[i], asked, k, rules))
        except InputError as error:
            errors[i] = str(error)
    return table, errors


def _is_plain(points: object, unweighted: bool, weights: object) -> bool:
    """Say whether the engine takes the data set as it is."""
    if not isinstance(points, np.ndarray) or points.size > EXACT:
        return False
    return unweighted or (isinstance(weights, np.ndarray) and weights.size == points.size)


def _alone(points: Any, weights: Any, asked: str, k: int, rules: Rules) -> Fit:
    """Fit one data set by `fit`: it is large, or `fit` says what is wrong with it.

    Raises
    ------
    InputError
        If it cannot be fitted.
    """
    for each in (points, weights):
        if isinstance(each, InputError):
            raise each
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        found = fit(
            points,
            k,
            sample_weight=weights,
            weights_are=asked or None,
            method=rules.method,
            tol=rules.tol,
            max_iter=rules.max_iter,
            equal_variances=rules.constraints.equal_variances,
            threads=rules.threads,
        )
    if found.certificate is None:  # what was found so far is lost with the other data sets
        raise KeyboardInterrupt
    return found


def _row(found: Fit) -> Array:
    """Write a fit as the engine writes it."""
    certificate, mixture = found.certificate, found.mixture
    assert certificate is not None
    facts = {
        "n": found.n,
        "unit": 1.0,  # the log-likelihood is that of the data themselves
        "tolerance": found.status is Ending.TOLERANCE,
        "reason": REASONS.index(found.reason),
        "log_likelihood": found.log_likelihood,
        **{name: getattr(certificate, name) for name in FACTS[LOG_LIKELIHOOD + 1 :]},
    }
    known = [facts[name] for name in FACTS]
    return np.concatenate([known, mixture.weights, mixture.means, mixture.stds])


def _fits(
    table: Array,
    k: int,
    rules: Rules,
    errors: dict[int, str],
    names: tuple[Any, ...] | None,
    library: str | None,
) -> Fits:
    facts = dict(zip(FACTS, table.T, strict=False))
    units, which = np.unique(facts["unit"], return_inverse=True)
    logs = np.array([float(np.log(unit)) for unit in units])  # one by one, as for a single fit
    weights, means, stds = (table[:, len(FACTS) + j * k :][:, :k] for j in range(3))
    kept = {
        "weights": weights,
        "means": means,
        "stds": stds,
        "log_likelihood": facts["log_likelihood"] - facts["n"] * logs[which],
        "status": _endings(facts),
        **{name: facts[name] for name in ("n", *FACTS[LOG_LIKELIHOOD + 1 :])},
    }
    for name, values in kept.items():
        kept[name] = np.array(values, order="C")
        kept[name].setflags(write=False)
    n_parameters = rules.constraints.n_parameters(k)
    return Fits(**kept, n_parameters=n_parameters, errors=errors, names=names, library=library)


def _endings(facts: Mapping[str, Array]) -> NDArray[np.object_]:
    """Return how each fit ended, None where there is none, by the rules of `gmm1d.climbing`."""
    stationary = facts["gradient_norm"] < GRADIENT
    curvature = facts["smallest_eigenvalue"]
    by_tol = facts["tolerance"] == 1
    rules = {
        None: np.isnan(facts["n"]),
        Ending.PENALISED: np.where(
            by_tol, facts["reason"] == REASONS.index("ties"), (facts["reason"] > 0) & stationary
        ),
        Ending.TOLERANCE: by_tol,
        Ending.CONVERGED: stationary
        & (facts["newton_decrement"] < DECREMENT)
        & (curvature > CURVATURE),
        Ending.FLAT: stationary & (curvature <= CURVATURE),
    }
    number = np.select(list(rules.values()), list(range(len(rules))), len(rules))
    endings = np.array([*rules, Ending.MAX_ITER], dtype=object)
    found: NDArray[np.object_] = endings[number]
    return found


def _warned(fits: Fits) -> Fits:
    """Warn once of what `fit` would warn of or refuse."""
    remarkable = {
        name: count
        for name, count in fits.counts().items()
        if name not in (Ending.CONVERGED.name, Ending.TOLERANCE.name)
    }
    if remarkable:
        found = ", ".join(f"{count} {name}" for name, count in remarkable.items())
        first = next((f" (first: {line})" for line in fits.failures(1)), "")
        warnings.warn(
            f"of {len(fits)} data sets {found}{first}: see status and errors",
            FitWarning,
            stacklevel=3,
        )
    return fits
