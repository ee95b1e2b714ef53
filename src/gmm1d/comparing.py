"""`compare`: fits of several numbers of components, with unequal and equal variances, for one choice. Chooses nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gmm1d.candidates import Candidates
from gmm1d.choice import CRITERIA
from gmm1d.climbing import Search
from gmm1d.comparison import Comparison
from gmm1d.constraints import constrained
from gmm1d.errors import CollapseError, Ending, InputError
from gmm1d.fitting import finish, fit_from, searched
from gmm1d.options import check_exact, check_families, check_ks, check_rules, random_starts, too_few
from gmm1d.progress import check_progress, watched
from gmm1d.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    from gmm1d.climbing import Rules
    from gmm1d.families import Key
    from gmm1d.result import Fit
    from gmm1d.sketch import Sketch


def compare(
    x: ArrayLike | Sample | Sketch,
    ks: Iterable[int],
    *,
    families: Sequence[str] | str | None = None,
    criterion: str = "bic",
    sample_weight: ArrayLike | None = None,
    weights_are: str | None = None,
    start: str | None = None,
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
) -> Comparison:
    """Fit mixtures for several k, with unequal variances and with equal ones, and choose one.

    Only maxima of the likelihood can be chosen: a fit that was stopped before its maximum makes another one look better
    than it is. Penalised fits of more components than the data support take part with their own log-likelihood, for they
    can only lose by the penalty. Those that are lower by less than narrow components or outliers are by chance take none.
    Nothing is chosen where the next larger fit ends on tied values.

    Parameters
    ----------
    x, sample_weight, weights_are, start, method, tol, max_iter, exact, threads, progress
        As in `fit`. The data are read once, and one search of each family serves all k.
    ks : iterable of int
        The numbers of components, such as ``range(1, 7)``.
    families : sequence of {"unequal", "equal"}, optional
        Whether each component has a variance of its own, or all have one. By default both are compared; where `fixed` holds
        stds, unequal ones alone.
    criterion : {"bic", "aic", "icl"}
        What the choice goes by. BIC picks the number of Gaussians that describe the density, ICL the number of
        separate clusters, AIC the best prediction.
    equal_variances : bool
        True stands for ``families=("equal",)``.
    fixed : mapping, optional
        As in `fit`; components beyond the end of a list are free: ``dict(means=[0.0])`` holds one mean for every k.
    n_random, rng
        As in `fit`: so many random starts for every fit. A seed begins anew for each; a generator goes on.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the data or an option cannot be used.
    CollapseError
        If all climbs of the first family run into spikes from the given start.
    KeyboardInterrupt
        If a fit was interrupted.

    References
    ----------
    Akaike (1974); Schwarz (1978); Biernacki, Celeux and Govaert (2000), IEEE PAMI 22.
    """
    if criterion not in CRITERIA:
        raise InputError(f"criterion={criterion!r} is unknown: use one of {', '.join(CRITERIA)}")
    if start is not None and not isinstance(start, str):
        raise InputError("start must be a name here: one set of parameters cannot serve several k")
    rules = check_rules(method, tol, max_iter, threads)
    named = check_families(families, equal_variances)
    check_progress(progress)
    random_starts(n_random, rng, start)
    sample = Sample.of(x, sample_weight, weights_are, threads=rules.threads, progress=progress)
    check_exact(exact, sample)
    compared, held = constrained(check_ks(ks, sample), named, fixed)
    plans = {key: rules.under(constraints) for key, constraints in held.items()}
    work = _fitter(sample, plans, start, n_random, rng, exact=exact)
    found = Candidates(compared, *_made(plans, work, progress))
    if not any(family == compared[0] for _, family in found.fits):
        spikes = {key: why for key, why in found.collapsed.items() if key[1] == compared[0]}
        raise CollapseError("; ".join(f"{found.name(key)}: {why}" for key, why in spikes.items()))
    return Comparison.of(found, criterion)


def _fitter(
    sample: Sample,
    plans: Mapping[Key, Rules],
    start: str | None,
    n_random: int,
    rng: np.random.Generator | int | None,
    *,
    exact: bool,
) -> Callable[[Key], Fit]:
    """Return what makes one fit; those of a family have a search in common."""
    searches: dict[str, Search] = {}

    def fitted(key: Key) -> Fit:
        (k, family), rules = key, plans[key]
        if not sample.has_distinct(k):
            raise CollapseError(too_few(k))
        if start is not None:
            return fit_from(sample, k, start, rules, exact=exact)
        if family not in searches:
            searches[family] = Search(sample, rules)
        drawn = random_starts(n_random, rng, start)
        found = searched(searches[family], sample, k, rules, *drawn, progress=False)
        return finish(sample, found, "search", rules, exact=exact)

    return fitted


def _made(
    plans: Mapping[Key, Rules], work: Callable[[Key], Fit], progress: bool | None
) -> tuple[dict[Key, Fit], dict[Key, str]]:
    """Return the fits, and why some have none."""
    fits: dict[Key, Fit] = {}
    collapsed: dict[Key, str] = {}
    for k in watched(dict.fromkeys(k for k, _ in plans), "numbers of components", progress):
        for key in (key for key in plans if key[0] == k):
            try:
                fits[key] = work(key)
            except CollapseError as error:
                collapsed[key] = str(error)
                continue
            if fits[key].status is Ending.INTERRUPTED:
                raise KeyboardInterrupt
    return fits, collapsed
