"""Which answers have no spike: where a component sits on a few values, the likelihood is unbounded and says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    import gmm1d

NARROWEST = 1e-3  # of the data's standard deviation
FEWEST = 2.5  # values that a component expects


def is_regular(mixture: gmm1d.Mixture, x: NDArray[np.float64]) -> bool:
    """Whether no component is narrower, or of fewer values."""
    wide = mixture.stds.min() >= NARROWEST * x.std()
    return bool(wide and mixture.weights.min() * x.size >= FEWEST)
