"""``python -m gmm1d`` is the command ``gmm1d``."""

from gmm1d.cli import main

main()
