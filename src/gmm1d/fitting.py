"""`fit`: from observations to a mixture with the evidence that it is an optimum. Reads no files."""

from __future__ import annotations

import operator
import os
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gmm1d.certificate import Penalty
from gmm1d.climbing import Climb, Rules, climb
from gmm1d.errors import CollapseError, Ending, FitWarning, InputError
from gmm1d.formatting import number
from gmm1d.mixture import Mixture
from gmm1d.regularity import is_sound, remarks, seat
from gmm1d.result import Fit
from gmm1d.sample import Sample
from gmm1d.starts import DEFAULT, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

MAX_ITER = 100_000
MOST_STEPS = 2**31 - 1  # so much as the engine counts
LARGEST = sys.float_info.max


def fit(
    x: ArrayLike | Sample,
    k: int,
    *,
    sample_weight: ArrayLike | None = None,
    start: str | Mapping[str, ArrayLike] | Mixture | None = None,
    method: str = "em",
    tol: float | None = None,
    max_iter: int | None = None,
    threads: int | None = None,
) -> Fit:
    """Fit a mixture of k Gaussians by maximum likelihood.

    Parameters
    ----------
    x : array-like or Sample
        One column of numbers, in any units.
    k : int
        The number of components, from 1 to the number of distinct values.
    sample_weight : array-like, optional
        How often each value counts: non-negative numbers, not necessarily whole.
    start : str, mapping or Mixture, optional
        Where to climb from: "spread", "quantile", "kmeans", or dict(weights=, means=, stds= or variances=) in your
        order. Without it, fit climbs from several starts and keeps the best regular optimum.
    method : {"em"}
        Plain expectation-maximisation.
    tol : float, optional
        Stop when the log-likelihood changes by less than this between two steps (the textbook rule; nothing is
        claimed about convergence). Without it the climb goes on to a certified optimum.
    max_iter : int, optional
        Steps at most; 100 000 by default, 0 returns the start.
    threads : int, optional
        By default as many as there are processors; the result has the same bits for any number.

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

    Examples
    --------
    >>> import gmm1d
    >>> f = gmm1d.fit([1.0, 1.2, 0.9, 1.1, 5.0, 5.3, 4.9, 5.2], 2)
    >>> f.mixture.means.round(3).tolist()
    [1.05, 5.1]
    >>> f.status.name
    'CONVERGED'
    """
    result = fit_sample(
        Sample.of(x, sample_weight), k, start, method, check_rules(tol, max_iter, threads)
    )
    if result.status not in (Ending.CONVERGED, Ending.TOLERANCE):
        warnings.warn("; ".join([result.status.value, *result.notes]), FitWarning, stacklevel=2)
    return result


def fit_sample(sample: Sample, k: int, start: object, method: str, rules: Rules) -> Fit:
    """Fit without a word about the ending: `fit` and `compare` report it each in their way."""
    k = check_k(k, sample)
    if method != "em":
        raise InputError(f"method={method!r} is unknown: use 'em'")
    if start is None:
        return _best(sample, k, rules)
    found = climb(sample, resolve(start, sample, k), rules)
    if found.collapsed is not None:
        raise CollapseError(
            f"the climb from this start ran into a spike, where the likelihood is unbounded"
            f"{_collapse(found, sample)}; try another start, or none"
        )
    return _result(sample, found, start if isinstance(start, str) else "given")


def check_k(k: int, sample: Sample) -> int:
    """Return k as an int that the sample can bear.

    Raises
    ------
    InputError
        If k is no whole number from 1 to the number of distinct values, or all values are equal.
    """
    try:
        components = -1 if isinstance(k, bool) else operator.index(k)
    except TypeError:
        components = -1
    if components < 1:
        raise InputError(f"k must be a whole number from 1 on, not {k!r}")
    if sample.constant:
        raise InputError(
            f"all values equal {number(sample.low, 17)}: a Gaussian needs at least two distinct values"
        )
    if not sample.has_distinct(components):
        raise InputError(
            f"k is {components}, more than there are distinct values: choose a smaller k"
        )
    return components


def check_rules(tol: object, max_iter: object, threads: object) -> Rules:
    """Validate the options that say when to stop.

    Raises
    ------
    InputError
        If one of them is out of range.
    """
    return Rules(
        tol=None if tol is None else _tolerance(tol),
        max_iter=_whole("max_iter", max_iter, least=0, default=MAX_ITER),
        threads=_whole("threads", threads, least=1, default=_processors()),
    )


def _tolerance(tol: object) -> float:
    value = -1.0
    if isinstance(tol, int | float | np.integer | np.floating) and not isinstance(tol, bool):
        value = float(tol) if tol < LARGEST else np.inf
    if not 0 <= value < np.inf:
        raise InputError(f"tol must be a finite number, zero or more, not {tol!r}")
    return value


def _whole(name: str, value: object, least: int, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be a whole number from {least} on, not {value!r}")
    return min(int(value), MOST_STEPS)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _best(sample: Sample, k: int, rules: Rules) -> Fit:
    """Climb from the default starts; keep the regular stationary point of highest log-likelihood.

    Where there is none, spikes give way to the penalised fit.
    """
    climbs: dict[str, Climb] = {}
    for name in DEFAULT:
        climbs[name] = climb(sample, resolve(name, sample, k), rules)
        if climbs[name].status is Ending.INTERRUPTED or k == 1:
            return _result(sample, climbs[name], name)
    mixtures = {name: _mixture(found) for name, found in climbs.items() if found.collapsed is None}
    kept = [name for name, mixture in mixtures.items() if is_sound(mixture, sample)]
    if kept:
        best = max(kept, key=lambda name: _rank(climbs[name]))
        return _result(sample, climbs[best], best)
    return _penalised(sample, k, rules, climbs)


def _rank(found: Climb) -> tuple[bool, float]:
    return found.status in (Ending.CONVERGED, Ending.FLAT, Ending.TOLERANCE), found.log_likelihood


def _penalised(sample: Sample, k: int, rules: Rules, spikes: dict[str, Climb]) -> Fit:
    """Climb on the weakly penalised likelihood, which is bounded, and say what wanted to collapse."""
    # a = 1/n, but no more than n (of a sample of little weight), and enough to keep spikes 1e-12 wide.
    a = max(min(1 / sample.n, sample.n), 1e-24 * sample.n)
    penalty = Penalty(a=a, std=_robust_std(sample))
    climbs = {name: climb(sample, resolve(name, sample, k), rules, penalty) for name in DEFAULT}
    best = max(climbs, key=lambda name: climbs[name].trace.log_likelihood[-1])
    mixture = _mixture(climbs[best])
    wanted = {
        int(mixture.predict(found.end.means[found.collapsed])) + 1: _collapse(found, sample)
        for found in spikes.values()
        if found.collapsed is not None
    }
    notes = [f"component {j} wants to collapse{where}" for j, where in sorted(wanted.items())]
    return _result(sample, climbs[best], best, notes)


def _robust_std(sample: Sample) -> float:
    """Return the interquartile range over 1.349, or the standard deviation where that is zero."""
    values, counts = sample.pilot()
    middle = np.cumsum(counts) - counts / 2
    low, high = np.interp([0.25, 0.75], middle / counts.sum(), values)
    return float(sample.unit * (high - low) / 1.349) or sample.std


def _collapse(found: Climb, sample: Sample) -> str:
    j = found.collapsed
    return "" if j is None else seat(sample, found.end.means[j], found.end.stds[j])


def _mixture(found: Climb) -> Mixture:
    return Mixture(found.end.weights, found.end.means, found.end.stds)


def _result(sample: Sample, found: Climb, start: str, notes: Sequence[str] = ()) -> Fit:
    mixture = _mixture(found)
    order = Mixture.sorting(found.end.weights, found.end.means, found.end.stds)
    certificate = found.certificate
    if certificate is not None and certificate.covariance is not None:
        rows = np.concatenate([order, order + len(order), order + 2 * len(order)])
        certificate = replace(certificate, covariance=certificate.covariance[np.ix_(rows, rows)])
    return Fit(
        mixture=mixture,
        log_likelihood=found.log_likelihood,
        n=sample.n,
        status=found.status,
        certificate=certificate,
        order=order,
        start=start,
        notes=(*notes, *remarks(mixture, sample)),
        trace=found.trace,
        sample=sample,
    )
