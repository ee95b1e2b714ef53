"""What an import, a --help and a small fit cost, in units of importing NumPy and SciPy's special functions."""

from __future__ import annotations

import compileall
import subprocess
import sys
from pathlib import Path

from figures import Figure, seconds

import gmm1d


def measure() -> list[Figure]:
    compileall.compile_dir(Path(gmm1d.__file__).parent, quiet=1)  # as installations do
    command = Path(sys.executable).with_name("gmm1d")

    def run(*arguments: str) -> float:
        return seconds(lambda: subprocess.run(arguments, check=True, capture_output=True), 15)

    reference = run(sys.executable, "-c", "import numpy, scipy.special")
    ours = run(sys.executable, "-c", "import gmm1d")
    help_text = run(str(command), "--help")
    waiting = Path(__file__).parents[1] / "examples" / "data" / "faithful_waiting.txt"
    fit = run(str(command), "fit", str(waiting), "-k", "2")
    note = f"numpy and scipy.special: {reference * 1e3:.0f} ms"
    return [
        Figure("import gmm1d", ours / reference, at_most=1.5, note=note),
        Figure("gmm1d --help", help_text / reference, at_most=3, note=note),
        Figure("gmm1d fit of 272 numbers", fit / reference, at_most=6, note=note),
    ]
