"""Every benchmark in one run, or those that are named: figures, their bounds, and whether they are kept.

Each also replaces its section of docs/benchmarks.md. `--slow` adds those that take minutes.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from gmm1d.formatting import text_table

if TYPE_CHECKING:
    from figures import Figure

BENCHMARKS = (
    "em_pass",
    "accuracy",
    "units",
    "quantiles",
    "startup",
    "swap",
    "front_door",
    "writeups",
    "explore",
    "interrupt",
    "reference_fits",
    "search",
    "coverage",
    "sketches",
    "peers",
    "peers_many",
    "peers_large",
    "clusters_dask",
    "clusters_spark",
)
SLOW = ("risk", "false_groups", "peers_k", "peers_overlap")
HEADS = ["figure", "value", "must be", "", ""]
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
INTRODUCTION = """# What the benchmarks measured

`make bench` writes these figures, `make bench ARGS=--slow` those that take minutes as well, and
`make bench ARGS="NAME ..."` some of them. Fits beside other libraries, by library: [peers.md](peers.md).
"""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*BENCHMARKS, *SLOW)))
    asked.add_argument("--slow", action="store_true", help="those that take minutes, too")
    words = asked.parse_args()
    if unknown := set(words.names) - {*BENCHMARKS, *SLOW}:
        asked.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    sys.path.insert(0, str(Path(__file__).parent))
    missed = 0
    for name in words.names or (*BENCHMARKS, *(SLOW if words.slow else ())):
        module = import_module(name)
        figures: list[Figure] = module.measure()
        missed += sum(not figure.kept for figure in figures)
        print(f"\n{name}\n{text_table(HEADS, [figure.row() for figure in figures])}", flush=True)
        publish(name, (module.__doc__ or "").partition("\n")[0], figures)
    return 1 if missed else 0


def publish(name: str, about: str, figures: list[Figure]) -> None:
    """Replace one benchmark's section of the page."""
    from peers_running import machine

    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    rows = [HEADS, ["---", "---:", "---", "---", "---"], *(figure.row() for figure in figures)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    sections[name] = f"\n{about} Measured on {machine()}.\n\n" + "\n".join(lines) + "\n"
    order = [name for name in (*BENCHMARKS, *SLOW) if name in sections]
    order += [name for name in sections if name not in order]
    parts = [f"## {name}\n{sections[name].rstrip()}\n" for name in order]
    PAGE.write_text("\n".join([INTRODUCTION, *parts]), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
