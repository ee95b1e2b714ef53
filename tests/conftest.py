"""What every test shares: one seeded hypothesis profile and a matplotlib without windows."""

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"

settings.register_profile("gmm1d", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("gmm1d")
