"""Every benchmark in one run: figures, their bounds, and whether they are kept. `python benchmarks/run.py [name ...]`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from gmm1d.formatting import text_table

BENCHMARKS = ("em_pass", "accuracy", "units", "quantiles", "startup", "interrupt")


def main(names: list[str]) -> int:
    sys.path.insert(0, str(Path(__file__).parent))
    missed = 0
    for name in names or BENCHMARKS:
        figures = import_module(name).measure()
        missed += sum(not figure.kept for figure in figures)
        print(
            f"\n{name}\n{text_table(['figure', 'value', 'must be', '', ''], [f.row() for f in figures])}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
