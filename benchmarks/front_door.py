"""The command line on large files, beside DuckDB's own scan of them: time of the whole process, and its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from figures import Figure, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

REPEATS = 5
NORMAL = "sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())"
DATA = f"SELECT CASE WHEN random() < 0.4 THEN -2.0 ELSE 3.0 END + {NORMAL} AS x FROM range({{}})"
SCAN = "SELECT avg(x), stddev_pop(x) FROM '{}'"


def measure() -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        con.execute("SELECT setseed(0.5)").fetchall()
        for name, n, within in (("parquet", 100_000_000, 3), ("csv", 10_000_000, 2)):
            path = Path(folder) / f"data.{name}"
            con.execute(f"COPY ({DATA.format(n)}) TO '{path}' (FORMAT {name})")
            scan = SCAN.format(path)
            theirs = seconds(lambda scan=scan: con.execute(scan).fetchall(), REPEATS)  # type: ignore[misc]
            command = ("fit", str(path), "-k", "2", "--quiet", "-o", str(path.with_suffix(".json")))
            ours = seconds(lambda command=command: run(command), REPEATS)  # type: ignore[misc]
            note = f"{ours:.2f} s, DuckDB {theirs:.2f} s"
            figures += [
                Figure(f"gmm1d fit, {name}, n = {n:.0e}", ours / theirs, at_most=within, note=note),
                Figure("  its memory, MB", run(command), at_most=500),
            ]
            path.unlink()
    return figures


def run(arguments: Sequence[str]) -> float:
    """Run the command and return the most memory that it had, in MB."""
    command = Path(sys.executable).with_name("gmm1d")
    process = subprocess.Popen([command, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} {' '.join(arguments)} failed")
    return usage.ru_maxrss * 1024 / 1e6
