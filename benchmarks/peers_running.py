"""Runs gmm1d and its peers, each in a process of its own, on the same samples; judges nothing."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HERE = Path(__file__).parent
PYTHON = (sys.executable, str(HERE / "peers_python.py"))
R = (shutil.which("Rscript") or "Rscript", str(HERE / "peers.R"))
# Each with what brings it: an unknown peer is skipped with these words.
PEERS = {
    "scikit-learn": "pip install --group bench",
    "daal4py": "pip install --group bench",
    "mlpack": "pip install --group bench",
    "pomegranate": "pip install --group bench-heavy",
    "Armadillo": "Debian's g++ and libarmadillo-dev",
    "mclust": "Debian's r-base-core and r-cran-mclust",
    "mixtools": "Debian's r-base-core and r-cran-mixtools",
}
LONGEST = 600.0  # seconds that one peer may take for one problem


class PeerError(Exception):
    """A peer that is not there or did not answer; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What one peer made of one sample, and the median of the seconds that it took."""

    weights: list[float]
    means: list[float]
    variances: list[float]
    seconds: float
    model: str = ""  # the family that mclust took


@dataclass(frozen=True)
class Runner:
    """One peer, ready to run."""

    name: str
    command: tuple[str, ...]

    def run(
        self,
        samples: Sequence[NDArray[np.float64]],
        k: int | str,
        repeats: int = 1,
        budget: float = 1.0,
        threads: int | None = 1,
    ) -> tuple[str, list[Answer]]:
        """Return the peer's version and its answers; with a budget of 0 it fits each sample once.

        Raises
        ------
        PeerError
            If it fails or takes too long.
        """
        environment = dict(os.environ)
        if threads is not None:
            for name in ("OMP", "OPENBLAS", "MKL"):
                environment[f"{name}_NUM_THREADS"] = str(threads)
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder) / f"{i}.bin") for i in range(len(samples))]
            for x, file in zip(samples, files, strict=True):
                x.tofile(file)
            words = [*self.command, str(k), str(repeats), str(budget), *files]
            lines = _lines(words, environment)
        version, *answers = (json.loads(line) for line in lines)
        return str(version["version"]), [Answer(**answer) for answer in answers]


def _lines(words: Sequence[str], environment: dict[str, str]) -> list[str]:
    try:
        ran = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=LONGEST, check=True
        )
    except subprocess.TimeoutExpired:
        raise PeerError(f"gave up after {LONGEST:g} s") from None
    except FileNotFoundError:
        raise PeerError(f"{Path(words[0]).name} is not installed") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
        elsewhere = re.sub(r" \(/.*\)", "", said[-1])  # without the folder where a module lies
        raise PeerError(elsewhere) from None
    return [line for line in ran.stdout.splitlines() if line.startswith("{")]


def _armadillo(folder: Path) -> tuple[str, ...]:
    """Compile peers.cpp; return its command."""
    program = str(folder / "peers")
    compiler = os.environ.get("CXX", "c++")
    words = [compiler, "-O3", "-march=native", "-std=c++17", str(HERE / "peers.cpp")]
    try:
        subprocess.run(
            [*words, "-o", program, "-larmadillo"], capture_output=True, text=True, check=True
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise PeerError("does not compile here") from None
    return (program, "armadillo")


def runner(name: str, folder: Path) -> Runner:
    """Return a peer that has answered once; `folder` is for what it compiles.

    Raises
    ------
    PeerError
        If it is not there or does not work.
    """
    if name == "Armadillo":
        found = Runner(name, _armadillo(folder))
    else:
        found = Runner(
            name, ((*R, name) if name.startswith(("mclust", "mixtools")) else (*PYTHON, name))
        )
    rng = np.random.default_rng(0)
    found.run([np.concatenate([rng.normal(size=50), rng.normal(6, 1, 50)])], 2)
    return found


def machine() -> str:
    """Name the processor, as far as the system does."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text("utf-8")) if info.exists() else None
    name = found[1].strip() if found else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} processors, {platform.system()}"
