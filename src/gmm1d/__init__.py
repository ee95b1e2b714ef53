"""gmm1d fits, checks, compares, draws and explains mixtures of Gaussians in one dimension."""

from gmm1d.comparing import compare
from gmm1d.comparison import Comparison
from gmm1d.errors import Ending
from gmm1d.fits import Fits
from gmm1d.fitting import fit
from gmm1d.many import fit_many
from gmm1d.mixture import Mixture
from gmm1d.result import Fit
from gmm1d.sample import Sample
from gmm1d.sketch import Sketch

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Ending",
    "Fit",
    "Fits",
    "Mixture",
    "Sample",
    "Sketch",
    "compare",
    "fit",
    "fit_many",
]
