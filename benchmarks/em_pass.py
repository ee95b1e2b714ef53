"""One E+M pass against an iteration of scikit-learn's GaussianMixture, in one run on the same data."""

from __future__ import annotations

import subprocess
import sys
import warnings
from functools import partial

import numpy as np
from figures import Figure, seconds

from gmm1d import _engine

N, K = 1_000_000, 3
WEIGHTS, MEANS, STDS = (
    np.array([0.3, 0.3, 0.4]),
    np.array([-2.0, 1.0, 4.0]),
    np.array([1.0, 0.7, 1.5]),
)


def data() -> np.ndarray:
    rng = np.random.default_rng(0)
    label = rng.choice(K, size=N, p=WEIGHTS)
    return rng.normal(MEANS[label], STDS[label])


def scikit_learn(x: np.ndarray) -> tuple[float, float]:
    """Return seconds per iteration, from two lengths of run, and the log-likelihood at the parameters."""
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    def run(iterations: int) -> GaussianMixture:
        model = GaussianMixture(
            K,
            weights_init=WEIGHTS,
            means_init=MEANS[:, None],
            precisions_init=(1 / STDS**2)[:, None, None],
            tol=0.0,
            reg_covar=0.0,
            max_iter=iterations,
            init_params="random_from_data",
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(x[:, None])

    with threadpool_limits(1):
        short, long = seconds(lambda: run(1), 5), seconds(lambda: run(9), 5)
        model = run(1)
        model.weights_, model.means_ = WEIGHTS, MEANS[:, None]
        model.precisions_cholesky_ = (1 / STDS)[:, None, None]
        return (long - short) / 8, float(model.score(x[:, None])) * N


def extra_memory() -> float:
    """Return the megabytes by which one pass raises the peak of a fresh process."""
    code = (
        "import resource, numpy as np; from gmm1d import _engine as e; import em_pass as b; x = b.data()\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "small = x[:1000]; big = np.zeros(4_000_000); big[:] = 1; del big\n"
        "e.em_sums(small, None, 0.0, 1.0, b.WEIGHTS, b.MEANS, b.STDS, threads=2)\n"
        "import pathlib, re\n"
        "def now(): return int(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
        "pathlib.Path('/proc/self/clear_refs').write_text('5'); before = now()\n"
        "e.em_sums(x, None, 0.0, 1.0, b.WEIGHTS, b.MEANS, b.STDS, threads=2)\n"
        "print((now() - before) / 1024)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=sys.path[0]
    )
    return float(ran.stdout)


def measure() -> list[Figure]:
    x = data()
    iteration, log_likelihood = scikit_learn(x)
    arguments = (x, None, 0.0, 1.0, WEIGHTS, MEANS, STDS)
    ours = float(_engine.em_sums(*arguments)[0])
    figures = [
        Figure(
            "log-likelihood against scikit-learn, relative",
            abs(ours / log_likelihood - 1),
            at_most=1e-10,
        ),
    ]
    for isa in _engine.instruction_sets():
        best = isa == _engine.instruction_sets()[0]
        for threads in (1, 2):
            run = partial(_engine.em_sums, *arguments, threads=threads, instruction_set=isa)
            t = seconds(run, 21)
            figures.append(
                Figure(
                    f"scikit-learn iteration / E+M pass, {isa}, {threads} thread{'s' * (threads > 1)}",
                    iteration / t,
                    at_least=18 if best and threads == 1 else None,
                    note=f"{iteration * 1e3:.0f} ms / {t * 1e3:.2f} ms",
                )
            )
    figures.append(Figure("memory of a pass beyond the data, MB", extra_memory(), at_most=1))
    return figures
