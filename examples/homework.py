"""The homework: train mixtures for several k, write formulas and plots, say how many clusters.

Run it: ``python examples/homework.py [FOLDER]``; the plots go to the folder, ``out`` by default.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import gmm1d
from gmm1d import textbook
from gmm1d.plots import plot_fit, save_figure
from gmm1d.readers import read_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

Parameters: TypeAlias = tuple["ArrayLike", "ArrayLike", "ArrayLike"]

DATA = Path(__file__).parent / "data" / "faithful_waiting.txt"
KS = range(2, 7)
TOL = 1.0


def expectation(
    data: ArrayLike, weights: ArrayLike, means: ArrayLike, varis: ArrayLike
) -> ArrayLike:
    """Return the responsibilities, a row for each point."""
    return textbook.e_step(data, weights, means, varis)


def maximization(data: ArrayLike, gammas: ArrayLike) -> Parameters:
    """Return the weights, means and variances that belong to the responsibilities."""
    return textbook.m_step(data, gammas)


def log_likelihood(
    data: ArrayLike, weights: ArrayLike, means: ArrayLike, varis: ArrayLike
) -> float:
    """Return the log-likelihood of the parameters."""
    return float(textbook.log_likelihood(data, weights, means, varis))


def gauss(mean: float, variance: float, x: ArrayLike) -> ArrayLike:
    """Return the density of one Gaussian."""
    return gmm1d.Mixture([1], [mean], variances=[variance]).pdf(x)


def train(
    datapath: str | Path, k: int, tol: float
) -> tuple[ArrayLike, ArrayLike, ArrayLike, float]:
    """Return weights, means, variances and log-likelihood after the step that changed it < tol."""
    fit = gmm1d.fit(read_column(datapath), k, start="spread", method="em", tol=tol)
    return fit.mixture.weights, fit.mixture.means, fit.mixture.variances, fit.log_likelihood


def plot_model(fit: gmm1d.Fit, path: Path) -> Axes:
    """Draw the weighted components and their sum against the data, and save the picture."""
    ax = plot_fit(fit)
    ax.set(xlabel="waiting time (minutes)", title=f"k = {fit.k}")
    save_figure(ax, path)
    return ax


def table(stopped: gmm1d.Comparison, ended: gmm1d.Comparison) -> list[str]:
    """Set the fits that tol stopped beside the same climbs at their ends."""
    lines = [" k  steps  log-likelihood      BIC  |   at its end      BIC"]
    for k in KS:
        early, late = stopped[k], ended[k]
        left = f"{k:2}  {early.n_iter:5}  {early.log_likelihood:14.6f}  {early.bic:7.2f}"
        lines.append(f"{left}  |  {late.log_likelihood:.6f}  {late.bic:.2f}")
    return lines


def conclusion(stopped: gmm1d.Comparison, ended: gmm1d.Comparison) -> list[str]:
    """Choose k from converged fits, and say why not from the others."""
    tempting = min(KS, key=lambda k: stopped[k].bic)
    missing = {k: ended[k].log_likelihood - stopped[k].log_likelihood for k in KS}
    return [
        f"With tol = {TOL:g} the lowest BIC is that of k = {tempting}. But no climb was over yet:",
        f"k = 2 was stopped {missing[2]:.1f} below its maximum, k = 3 only {missing[3]:.1f}.",
        f"gmm1d says of them: {stopped.reason.split(';')[0]}.",
        f"Climbed to their ends: {ended.reason}.",
    ]


def main(folder: Path) -> None:
    """Fit every k twice, save the plots, print the write-up."""
    folder.mkdir(parents=True, exist_ok=True)
    data = read_column(DATA)
    stopped = gmm1d.compare(data, KS, families="unequal", start="spread", method="em", tol=TOL)
    ended = gmm1d.compare(data, KS, families="unequal", start="spread", method="em")
    for k in KS:
        plot_model(stopped[k], folder / f"homework_k{k}.png")
    sections = [
        table(stopped, ended),
        [f"Formulas with tol = {TOL:g}:", *stopped.formulas()],
        ["Formulas at the end of the climb:", *ended.formulas()],
        conclusion(stopped, ended),
        [f"The plots are in {folder}."],
    ]
    print("\n\n".join("\n".join(lines) for lines in sections))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
