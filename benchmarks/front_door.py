"""The command line on large files, beside DuckDB's own scan of them (`duckdb -c`): time of the whole process, and its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import duckdb
from figures import Figure, seconds

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
            theirs = seconds(partial(run, "duckdb", "-c", scan), REPEATS)
            fit = ("gmm1d", "fit", str(path), "-k", "2", "-q", "-o", str(path.with_suffix(".json")))
            ours = seconds(partial(run, *fit), REPEATS)
            inside = seconds(lambda scan=scan: con.execute(scan).fetchall(), REPEATS)  # type: ignore[misc]
            note = f"{ours:.2f} s, duckdb -c {theirs:.2f} s (in a running process {inside:.2f} s)"
            figures += [
                Figure(f"gmm1d fit, {name}, n = {n:.0e}", ours / theirs, at_most=within, note=note),
                Figure("  its memory, MB", run(*fit), at_most=500),
            ]
            path.unlink()
    return figures


def run(command: str, *arguments: str) -> float:
    """Run a command of this environment and return the most memory that it had, in MB."""
    path = Path(sys.executable).with_name(command)
    process = subprocess.Popen([path, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} {' '.join(arguments)} failed")
    return usage.ru_maxrss * 1024 / 1e6
