"""`fit`: from observations to a mixture with the evidence that it is an optimum. Reads no files."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gmm1d import climbing, starts
from gmm1d.climbing import Climb, Rules, Search
from gmm1d.constraints import Constraints
from gmm1d.errors import CollapseError, Ending, FitWarning
from gmm1d.formatting import number
from gmm1d.frozen import guarded, made
from gmm1d.mixture import Mixture
from gmm1d.options import check_exact, check_k, check_rules, random_starts
from gmm1d.progress import check_progress, watched
from gmm1d.regularity import clumps, reasons, seat
from gmm1d.result import Fit
from gmm1d.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from gmm1d.sketch import Sketch

COMPRESSION = 1e-10  # in the log-likelihood, nats per value: a larger error asks for finer leaves
REFINEMENTS = 3
QUICK = 3  # components up to which the search is over in no time
BATCH = 32  # random starts between two looks at the progress bar


def fit(
    x: ArrayLike | Sample | Sketch,
    k: int,
    *,
    sample_weight: ArrayLike | None = None,
    weights_are: str | None = None,
    start: str | Mapping[str, ArrayLike] | Mixture | None = None,
    method: str = "newton",
    tol: float | None = None,
    max_iter: int | None = None,
    equal_variances: bool = False,
    fixed: Mapping[str, Sequence[float | None]] | None = None,
    n_random: int = 0,
    rng: np.random.Generator | int | None = None,
    exact: bool = False,
    threads: int | None = None,
    progress: bool | None = None,
) -> Fit:
    """Fit a mixture of k Gaussians by maximum likelihood, where the data support so many.

    Parameters
    ----------
    x : array-like, Sample or Sketch
        One column of numbers, in any units. More than 20 000 of them are compressed in one reading (`gmm1d.Sketch`).
    k : int
        The number of components, from 1 to the number of distinct values.
    sample_weight : array-like, optional
        Numbers >= 0: counts if all are whole, else importance weights, scaled to Kish's effective number of values.
    weights_are : {"counts", "importance"}, optional
        What the weights are, whatever they look like.
    start : str, mapping or Mixture, optional
        Where to climb from: "spread", "quantile", "kmeans", or dict(weights=, means=, stds= or variances=) in your
        order. Without it, a deterministic search finds the best optimum of the penalised likelihood S, and the fit is
        the maximum near it, or itself if there is none (PENALISED).
    method : {"newton", "em", "squarem"}
        Newton's method in a trust region after five EM steps, plain EM, or EM with squared extrapolation.
    tol : float, optional
        Stop when the log-likelihood changes by less than this between two steps (the textbook rule; nothing is
        claimed about convergence). Without it the climb goes on to a certified optimum.
    max_iter : int, optional
        Steps at most; by default 1 000 of Newton's, 100 000 of the others'; 0 returns the start.
    equal_variances : bool
        Whether all components have the same variance.
    fixed : mapping, optional
        Values that stay, in the start's order: dict(weights=, means=, stds= or variances=), lists with None where free.
    n_random : int
        So many random starts in addition to the search. They need `rng`.
    rng : Generator or int, optional
        The generator of random starts, or its seed.
    exact : bool
        End with passes over the data themselves where they were compressed.
    threads : int, optional
        By default as many as there are processors; the result has the same bits for any number.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal where tqdm is installed, if it takes long.

    Returns
    -------
    Fit
        Its `status` says how it ended; anything but CONVERGED and TOLERANCE is also a FitWarning.

    Raises
    ------
    InputError
        If the data or an option cannot be used; the message says which value and what to do.
    CollapseError
        If the climb from an explicit start runs into a spike, where the likelihood is unbounded.

    References
    ----------
    Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39.
    Varadhan and Roland (2008), Simple and globally convergent methods for accelerating EM, Scand. J. Stat. 35.
    Moré and Sorensen (1983), Computing a trust region step, SIAM J. Sci. Stat. Comput. 4.

    Examples
    --------
    >>> import gmm1d
    >>> f = gmm1d.fit([1.0, 1.2, 0.9, 1.1, 5.0, 5.3, 4.9, 5.2], 2)
    >>> f.mixture.means.round(3).tolist()
    [1.05, 5.1]
    >>> f.status.name
    'CONVERGED'
    """
    rules = check_rules(method, tol, max_iter, threads)
    check_progress(progress)
    sample = Sample.of(x, sample_weight, weights_are, threads=rules.threads, progress=progress)
    k = check_k(k, sample)
    rules = rules.under(Constraints.of(k, equal_variances, fixed))
    drawn = random_starts(n_random, rng, start)
    check_exact(exact, sample)
    if start is not None:
        result = fit_from(sample, k, start, rules, exact=exact)
    else:
        found = searched(Search(sample, rules), sample, k, rules, *drawn, progress)
        result = finish(sample, found, "search", rules, exact=exact)
    if result.status not in (Ending.CONVERGED, Ending.TOLERANCE):
        warnings.warn("; ".join([result.status.value, *result.notes]), FitWarning, stacklevel=2)
    return result


def searched(
    search: Search,
    sample: Sample,
    k: int,
    rules: Rules,
    n_random: int,
    rng: np.random.Generator | None,
    progress: bool | None,
) -> Climb:
    """Return the best climb of the search, and of one from random starts, too."""
    if k > QUICK:
        for fewer in watched(range(1, k), "components", progress):
            search.look(fewer)
    found = search.best(k, rules=rules)
    if rng is not None:
        for begin in watched(range(0, n_random, BATCH), "random starts", progress):
            batch = min(BATCH, n_random - begin)
            other = search.best(k, [starts.random(sample, k, rng) for _ in range(batch)], rules)
            found = max(found, other, key=_rank)
    return found


def _rank(found: Climb) -> tuple[bool, float]:
    return found.reason != "ties", found.objective


def fit_from(sample: Sample, k: int, start: object, rules: Rules, *, exact: bool = False) -> Fit:
    """Climb from what the caller gave as `start`.

    Raises
    ------
    InputError
        If it is no start.
    CollapseError
        If the climb runs into a spike.
    """
    given = starts.resolve(start, sample, k)
    if rules.constraints.values is not None:
        given = _held(given, rules.constraints.values)
        starts.check_reach(given, sample, "start with what is fixed")
    found = climbing.climb(sample, given, rules)
    if found.collapsed is not None:
        j = found.collapsed
        where = seat(sample, found.end.means[j], found.end.stds[j])
        raise CollapseError(
            f"the climb from this start ran into a spike, where the likelihood is unbounded"
            f"{where}; try another start, or none"
        )
    return finish(sample, found, start if isinstance(start, str) else "given", rules, exact=exact)


def _held(start: starts.Start, held: np.ndarray) -> starts.Start:
    """Put what is fixed into a start; free weights share what is left."""
    free = np.isnan(held)
    weights, means, stds = np.where(free, [start.weights, start.means, start.stds], held)
    if free[0].any() and not free[0].all():
        weights[free[0]] *= (1 - weights[~free[0]].sum()) / weights[free[0]].sum()
    return starts.Start(weights, means, stds)


def finish(sample: Sample, found: Climb, start: str, rules: Rules, *, exact: bool = False) -> Fit:
    """Make a Fit of a climb: state or remove the compression error, order the components, name what stands out."""
    sample, last, error = _decompressed(sample, found, rules, exact=exact)
    trace = last.trace
    if last is not found:
        trace = replace(trace, letters="o" + trace.letters[1:])
    end, certificate = last.end, last.certificate
    order = np.arange(end.k)
    if not end.ascending:  # a search ends in order, but for a tie
        order = Mixture.sorting(end.weights, end.means, end.stds)
        end = end.reordered(order)
        if certificate is not None and certificate.covariance is not None:
            rows = np.concatenate([order, order + len(order), order + 2 * len(order)])
            covariance = certificate.covariance[np.ix_(rows, rows)]
            certificate = replace(certificate, covariance=guarded(covariance))
    mixture = Mixture._trusted(end.weights, end.means, end.stds)
    return made(
        Fit,
        mixture=mixture,
        log_likelihood=last.log_likelihood,
        n=sample.n,
        status=last.status,
        certificate=certificate,
        order=guarded(order),
        start=start,
        notes=(
            *_doubts(error, sample),
            *sample.total_remarks,
            *(reasons(last, sample) if start == "search" else clumps(last, sample, rules)),
        ),
        n_parameters=rules.constraints.n_parameters(mixture.k),
        reason=found.reason if last.status is Ending.PENALISED else None,
        compression_error=error,
        trace=trace,
        sample=sample,
    )


def _decompressed(
    sample: Sample, found: Climb, rules: Rules, *, exact: bool
) -> tuple[Sample, Climb, float]:
    """Go on with the points themselves if that is asked for, else on finer leaves as long as the error asks for it."""
    if sample.sketch is None:
        return sample, found, 0.0
    if exact and found.status in (Ending.CONVERGED, Ending.FLAT):
        return sample, climbing.exact(sample, found.end, rules), 0.0
    return _refined(sample, found, rules)


def _doubts(error: float, sample: Sample) -> list[str]:
    """Say what compression does to a fit where finer leaves did not help, or could not be had."""
    if abs(error) <= COMPRESSION * sample.n:
        return []
    again = "" if sample.readable else ", and the data cannot be read again"
    return [f"compression may change the log-likelihood by {number(error, 2)}{again}"]


def _refined(sample: Sample, found: Climb, rules: Rules) -> tuple[Sample, Climb, float]:
    """Read the data again, on finer leaves, as long as the compression error asks for it."""
    for _ in range(REFINEMENTS):
        error = _compression_error(sample, found)
        settled = found.status in (Ending.CONVERGED, Ending.FLAT) or found.reason == "support"
        if abs(error) <= COMPRESSION * sample.n or not sample.readable or not settled:
            break
        sample = sample.refined(found.end.weights, found.end.means, found.end.stds, rules.threads)
        again = climbing.climb(sample, found.end, rules, penalised=found.reason is not None)
        found = again._replace(held=found.held)
    return sample, found, _compression_error(sample, found)


def _compression_error(sample: Sample, found: Climb) -> float:
    assert sample.sketch is not None
    return sample.sketch.error(found.end.weights, found.end.means, found.end.stds)
