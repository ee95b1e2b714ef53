"""What is known about a point from the gradient and the Hessian of the log-likelihood there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gmm1d.frozen import Frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The conditions of Ending.CONVERGED.
GRADIENT, DECREMENT, CURVATURE = 1e-8, 1e-6, 1e-6


@dataclass(frozen=True, eq=False)
class Certificate(Frozen):
    """Gradient g and Hessian H of the objective in (log-odds of the weights, mean / std, log std), in a few numbers.

    They are measured by the complete-data information I_c = n (π, π, 2π), in which EM's steps are the gradient.
    Where parameters are fixed or shared, g, H and I_c are those of the free ones.

    Attributes
    ----------
    gradient_norm : float
        max |g_i| / √(n I_c,i).
    newton_decrement : float
        √(gᵀ(−H)⁻¹g): the distance to the optimum in units of standard errors.
    smallest_eigenvalue : float
        λ of B' = I_c^(−½) (−H) I_c^(−½) without its null direction; EM's rate of convergence is 1 − λ.
    entropy : float
        Of the responsibilities, in nats: 0 where every value belongs to one component for sure.
    covariance : ndarray, shape (3k, 3k), or None
        Of (log-odds of the weights up to a constant, means, log stds), from the observed information (Louis, 1982);
        zero where fixed; None where B' is not positive definite.
    """

    gradient_norm: float
    newton_decrement: float
    smallest_eigenvalue: float
    entropy: float
    covariance: Array | None = field(repr=False)

    @property
    def stationary(self) -> bool:
        """Whether the gradient vanishes."""
        return self.gradient_norm < GRADIENT

    @property
    def maximum(self) -> bool:
        """Whether the conditions of Ending.CONVERGED hold."""
        curved = self.smallest_eigenvalue > CURVATURE
        return self.stationary and self.newton_decrement < DECREMENT and curved
