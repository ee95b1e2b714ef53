"""The squared Hellinger distance between two mixtures, by quadrature on the scales of all their components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import gmm1d

# Half standard deviations, out to where a component has no mass left that a double could tell from none.
STEPS = np.linspace(-9.0, 9.0, 37)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)


def squared(p: gmm1d.Mixture, q: gmm1d.Mixture) -> float:
    """Return H² = ½ ∫ (√p − √q)² dx, which is 1 − ∫ √(p q) dx without its cancellation; between 0 and 1.

    Every component of both cuts the line at half its standard deviations; Gauss's rule of four nodes stands between any
    two cuts. Against 25 times as many nodes the relative error is below 1e-7.
    """
    cuts = np.concatenate([(m.means + np.multiply.outer(STEPS, m.stds)).ravel() for m in (p, q)])
    cuts.sort()
    half = np.diff(cuts) / 2
    x = (cuts[:-1] + half)[:, None] + np.multiply.outer(half, NODES)
    apart = np.square(np.sqrt(p.pdf(x)) - np.sqrt(q.pdf(x)))
    return float(half @ (apart @ WEIGHTS)) / 2
