"""The families of mixtures that are set side by side: their names, and what tells fits of several k apart. Fits nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Key: TypeAlias = tuple[int, str]  # number of components and family

UNEQUAL, EQUAL = "unequal", "equal"  # variances
FAMILIES = (UNEQUAL, EQUAL)


def keys(numbers: Sequence[int], families: Sequence[str]) -> list[Key]:
    """Return what is to be fitted: every k in the order of the families, k = 1 once, for it has one variance in each."""
    return [(k, family) for k in numbers for family in (families[:1] if k == 1 else families)]


def name(key: Key, families: Sequence[str]) -> str:
    """Name a fit among those of these families: "k = 2 with equal variances", and "k = 2" where nothing else can be meant."""
    k, family = key
    plain = k == 1 or tuple(families) == (UNEQUAL,)
    return f"k = {k}" if plain else f"k = {k} with {family} variances"
