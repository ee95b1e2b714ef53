"""How long `gmm1d report` takes for k = 2 … 6 on Old Faithful, from the command to the file, and how large its page is."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from figures import Figure, seconds

WAITING = Path(__file__).parents[1] / "examples" / "data" / "faithful_waiting.txt"
TOL = ("--start", "spread", "--method", "em", "--tol", "1")
AGAIN = 3


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        page, paper = Path(folder) / "writeup.html", Path(folder) / "writeup.pdf"
        figures = [
            Figure("HTML, seconds", _taken(page), at_most=5, note=f"median of {AGAIN}"),
            Figure("HTML, MB", page.stat().st_size / 1e6, at_most=2),
            Figure("PDF, seconds", _taken(paper), at_most=10, note=f"median of {AGAIN}"),
        ]
        homework = _taken(paper, *TOL)
    return [*figures, Figure("PDF of the homework, --tol 1, seconds", homework, at_most=10)]


def _taken(path: Path, *options: str) -> float:
    """Return the median of the seconds that the command takes."""
    program = Path(sys.executable).with_name("gmm1d")
    command = [str(program), "report", str(WAITING), "-k", "2..6", *options, "-o", str(path), "-q"]
    return seconds(lambda: subprocess.run(command, check=True), AGAIN)
