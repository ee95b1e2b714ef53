"""How many groups, and why: the choice, what speaks for it and what against it, and the formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gmm1d.choice import CRITERIA
from gmm1d.errors import Ending
from gmm1d.formatting import listed, location, number
from gmm1d.report.blocks import Formula, Picture, Section, Text, numbered

if TYPE_CHECKING:
    from gmm1d.comparison import Comparison
    from gmm1d.families import Key
    from gmm1d.report.blocks import Block
    from gmm1d.result import Fit

STOPPED = (Ending.TOLERANCE, Ending.MAX_ITER)
PURPOSES = (
    "BIC picks the number of Gaussians that describe the density, ICL the number of separate clusters, "
    "AIC the best prediction."
)


def stopped_keys(found: Comparison) -> list[Key]:
    """Return the k and families of the fits that were stopped before their maximum."""
    return [key for key, f in found.candidates.fits.items() if f.status in STOPPED]


def lowest(found: Comparison, criterion: str, *, all_fits: bool) -> Key | None:
    """Return k and family of the lowest criterion: of all fits, or of those that take part in the choice; None if there is none."""
    scores = {
        key: value
        for key, f in found.candidates.fits.items()
        if (all_fits or key not in found.left_out) and (value := getattr(f, criterion)) is not None
    }
    return min(scores, key=scores.__getitem__) if scores else None


def formulas(found: Comparison) -> list[Formula]:
    """Return the fitted densities, one for every k and family."""
    fits = found.candidates.fits
    return [
        Formula(found.name(key), tuple(_terms(f)), key == found.chosen) for key, f in fits.items()
    ]


def _terms(fit: Fit) -> list[tuple[str, str, str]]:
    m = fit.mixture
    rows = zip(m.weights, m.means, m.stds, strict=True)
    return [(number(w), location(mu, s), number(s)) for w, mu, s in rows]


def choice(found: Comparison) -> Section:
    """Say what speaks for the choice, and what against it."""
    several = len(found.candidates.fits) > 1
    texts = [_each_criterion(found)] if several else []
    texts += [Text(text, warning=True) for text in _edges(found)]
    if found.k is not None and found.k > 1:
        texts.append(Text(_modes(found.best)))
    blocks: list[Block] = [*texts]
    if several:
        blocks.append(Picture("criteria", "The criteria against k; lower is better.", _alt(found)))
    return Section("choice", "How many groups, and why", tuple(blocks))


def _each_criterion(found: Comparison) -> Text:
    """Say what each of the criteria would choose."""
    would = {name.upper(): lowest(found, name, all_fits=False) for name in CRITERIA}
    names = {name: found.name(key) for name, key in would.items() if key is not None}
    if found.chosen is None or len(names) < len(would):
        return Text(PURPOSES)
    if len(set(names.values())) == 1:
        return Text(f"All three criteria choose {names['BIC']}. {PURPOSES}")
    said = [f"{name} is lowest at {where}" for name, where in names.items()]
    return Text(
        f"The criteria disagree: {listed(said)}. {found.criterion.upper()} decides here. {PURPOSES}"
    )


def _edges(found: Comparison) -> list[str]:
    """Warn where the chosen k is the largest or the smallest that was tried."""
    tried = sorted({k for k, _ in found.candidates.keys})
    if len(tried) == 1:
        return [f"Only k = {tried[0]} was tried, so that nothing was compared."]
    if found.k == tried[-1]:
        return [f"k = {found.k} is the largest that was tried: a larger one may be better."]
    if found.k == tried[0] and tried[0] > 1:
        return [f"k = {found.k} is the smallest that was tried: a smaller one may be better."]
    return []


def _modes(fit: Fit) -> str:
    """Say how many modes the density has, and what that means."""
    m = fit.mixture
    modes = m.modes()
    where = listed([location(mode, float(m.stds.min()), 3) for mode in modes])
    text = f"The density of this fit has {numbered(modes.size, 'mode')}, at {where}"
    if modes.size < fit.k:
        return (
            f"{text}: fewer than its {fit.k} components, which overlap so much that some of them "
            "describe the shape of one group rather than groups of their own."
        )
    return f"{text}: one for every component."


def _alt(found: Comparison) -> str:
    chosen = "" if found.chosen is None else f"; {found.name(found.chosen)} is chosen"
    ks = listed([str(k) for k in found.fits])
    families = f", with {listed([*found.families])} variances" if len(found.families) > 1 else ""
    return f"AIC, BIC and ICL against k = {ks}{families}{chosen}. Their values stand in the next table."
