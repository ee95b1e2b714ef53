"""Fits samples with one peer in a process of its own: `python peers_python.py PEER K REPEATS BUDGET FILE ...`.

Prints lines of JSON: first its version, then for each file (float64, raw) parameters and seconds. `peers.R` and `peers.cpp`
do the same for theirs.
Every peer has its default settings; where it draws lots, the seed is fixed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from importlib.metadata import packages_distributions, version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Parameters = tuple[Any, Any, Any]  # weights, means, variances
    Fitter = Callable[[Array, int], Parameters]

WARM = 0.1
THREADS = int(os.environ.get("OMP_NUM_THREADS", "0")) or None


def gmm1d() -> Fitter:
    import gmm1d

    def run(x: Array, k: int) -> Parameters:
        mixture = gmm1d.fit(x, k, threads=THREADS).mixture
        return mixture.weights, mixture.means, mixture.variances

    return run


def scikit_learn() -> Fitter:
    from sklearn.mixture import GaussianMixture

    def run(x: Array, k: int) -> Parameters:
        model = GaussianMixture(k, random_state=0).fit(x[:, None])
        return model.weights_, model.means_, model.covariances_

    return run


def daal4py() -> Fitter:
    import daal4py as d4p

    if THREADS:
        d4p.daalinit(THREADS)

    def run(x: Array, k: int) -> Parameters:
        begin = d4p.em_gmm_init(nComponents=k).compute(x[:, None])
        model = d4p.em_gmm(nComponents=k)
        end = model.compute(x[:, None], begin.weights, begin.means, begin.covariances)
        return end.weights, end.means, end.covariances

    return run


def mlpack() -> Fitter:
    from mlpack import gmm_train

    def run(x: Array, k: int) -> Parameters:
        model = gmm_train(gaussians=k, input_=x[:, None], seed=1)["output_model"]
        gmm = model.get_cpp_params()["GMM"]
        means = [gaussian["mean"] for gaussian in gmm["dists"]]
        return gmm["weights"], means, [gaussian["covariance"] for gaussian in gmm["dists"]]

    return run


def pomegranate() -> Fitter:
    import torch
    from pomegranate.distributions import Normal
    from pomegranate.gmm import GeneralMixtureModel

    if THREADS:
        torch.set_num_threads(THREADS)

    def run(x: Array, k: int) -> Parameters:
        normals = [Normal(covariance_type="diag") for _ in range(k)]
        model = GeneralMixtureModel(normals, random_state=0)
        model.fit(torch.from_numpy(x[:, None]).float())  # it only takes single precision
        means = [normal.means.numpy() for normal in normals]
        return model.priors.numpy(), means, [normal.covs.numpy() for normal in normals]

    return run


PEERS = {
    "gmm1d": gmm1d,
    "scikit-learn": scikit_learn,
    "daal4py": daal4py,
    "mlpack": mlpack,
    "pomegranate": pomegranate,
}


def timed(
    run: Fitter, x: Array, k: int, repeats: int, budget: float
) -> tuple[list[float], Parameters]:
    """Return the seconds of each repetition, as many as the budget allows, and the last answer.

    What is quick is repeated for `WARM` seconds, so that the median is that of a running program.
    """
    times: list[float] = []
    while not times or sum(times) < (budget if len(times) < repeats else min(WARM, budget)):
        begin = time.perf_counter()
        found = run(x, k)
        times.append(time.perf_counter() - begin)
    return times, found


def main(peer: str, k: int, repeats: int, budget: float, files: list[str]) -> None:
    warnings.simplefilter("ignore")
    run = PEERS[peer]()
    module = {"scikit-learn": "sklearn"}.get(peer, peer)
    package = packages_distributions().get(module, [module])[0]  # an editable one is not listed
    print(json.dumps({"version": version(package)}), flush=True)
    run(np.random.default_rng(0).normal(size=100), 2)  # what is only loaded on first use
    for file in files:
        times, found = timed(run, np.fromfile(file), k, repeats, budget)
        names = ("weights", "means", "variances")
        answer = {
            name: np.ravel(values).astype(float).tolist()
            for name, values in zip(names, found, strict=True)
        }
        print(json.dumps({**answer, "seconds": float(np.median(times))}), flush=True)


if __name__ == "__main__":
    sys.path.pop(0)  # so that nothing beside this file hides a peer
    name, components, times_at_most, seconds_at_most, *paths = sys.argv[1:]
    main(name, int(components), int(times_at_most), float(seconds_at_most), paths)
