"""Writes what peers.py found: docs/peers.md, and the picture that it shows. Measures nothing."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from peers import SAME, duration, short
from peers_running import machine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from peers import Outcome, Results

DOCS = Path(__file__).parents[1] / "docs"
# Okabe and Ito's blue and vermilion, and grey: told apart by everybody, and by shape and fill as well.
OURS, SAME_ANSWER, SHORT = "#0072B2", "#555555", "#D55E00"
INTRODUCTION = """# gmm1d beside others

Whole fits of the same samples in one run on one machine ({machine}); medians. Each peer has its default settings, and a
fixed seed where it draws lots; gmm1d has no settings, climbs from several starts to a certified optimum, and needs no
seed. Armadillo has no default number of iterations: it gets the most that its manual calls typical, 10 of k-means and 10 of
EM. Up to n = 1 000 everybody has one thread. In brackets: the median of the ratios to gmm1d's time. Two log-likelihoods
no more than {same} apart are the same answer; otherwise it says by how much a peer falls short of gmm1d, at worst. An
irregular answer has a component that sits on a few points, where the likelihood is unbounded. gmm1d does not look for the
highest likelihood: of several maxima it takes the one that pays for its narrow components. `make bench` writes this page.

![Seconds per fit of gmm1d and its peers](peers.svg)
"""


def write(results: Results) -> None:
    """Write docs/peers.md and .svg."""
    text = INTRODUCTION.format(machine=machine(), same=f"{SAME:g}")
    (DOCS / "peers.md").write_text(
        "\n".join([text, *table(results), *missing(results)]) + "\n", "utf-8"
    )
    draw(results)


def peers(results: Results) -> dict[str, str]:
    """Return who answered at least once, in the order of the run, with version."""
    return {one.peer: one.version for found in results.outcomes.values() for one in found}


def table(results: Results) -> list[str]:
    """Return the Markdown rows: a peer each, two columns per problem."""
    heads = [name for problem in results.outcomes for name in (problem, "log-likelihood")]
    rows = ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: | --- |" * len(results.outcomes)]
    for peer, version in peers(results).items():
        cells = [f"{peer} {version.split(' (')[0]}"]
        for problem, found in results.outcomes.items():
            of_peer = [one for one in found if one.peer == peer]
            why = results.failed.get((problem, peer), "")
            cells += _cells(of_peer[0]) if of_peer else ["no answer", why.replace("|", "/")]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _cells(one: Outcome) -> list[str]:
    time = duration(median(one.seconds))
    if one.peer == "gmm1d":
        return [time, ""]
    return [f"{time} ({short(median(one.ratios))}×)", one.comparison()]


def missing(results: Results) -> list[str]:
    """Name the peers that were skipped."""
    if not results.skipped:
        return ["", "No peer was skipped."]
    return ["", "Skipped:", "", *(f"- {peer}: {why}" for peer, why in results.skipped.items())]


def draw(results: Results) -> None:
    """Draw the times, a panel per problem; a filled mark has gmm1d's log-likelihood or more, an open one falls short."""
    names = list(peers(results))
    with plt.rc_context({"svg.hashsalt": "gmm1d", "svg.fonttype": "none", "font.size": 9}):
        figure, panels = plt.subplots(
            1, len(results.outcomes), figsize=(9, 0.3 * len(names) + 1.35), sharey=True
        )
        for panel, (problem, found) in zip(panels, results.outcomes.items(), strict=True):
            _panel(panel, problem, found, names)
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.4, -0.6)
        _legend(figure)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
        figure.savefig(DOCS / "peers.svg", metadata={"Date": None})
        plt.close(figure)


def _panel(panel: Axes, problem: str, found: list[Outcome], names: list[str]) -> None:
    for one in found:
        time = median(one.seconds)
        place = (time, names.index(one.peer))
        ours, below = one.peer == "gmm1d", max(one.short) > SAME
        colour = OURS if ours else SHORT if below else SAME_ANSWER
        panel.plot(
            *place, "D" if ours else "o", ms=6, mec=colour, mew=1.4, mfc="none" if below else colour
        )
        text = duration(time) if ours else f"{short(median(one.ratios))}×"
        panel.annotate(text, place, (7, 0), textcoords="offset points", va="center", color=colour)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(numticks=4))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda time, _: duration(time)))
    panel.xaxis.set_minor_locator(NullLocator())
    times = [median(one.seconds) for one in found]
    panel.set_xlim(min(times) / 1.6, max(times) * (max(times) / min(times)) ** 0.35 * 1.6)
    panel.set_title(problem, fontsize=9)
    panel.set_xlabel("time of a fit")
    panel.grid(axis="x", color="0.9", lw=0.8)
    panel.tick_params(axis="y", length=0)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.set_axisbelow(True)


def _legend(figure: mpl.figure.Figure) -> None:
    from matplotlib.lines import Line2D

    marks = [
        ("gmm1d", "D", OURS, OURS),
        ("same log-likelihood, or above", "o", SAME_ANSWER, SAME_ANSWER),
        (f"short by more than {SAME:g} in some sample", "o", "none", SHORT),
    ]
    handles = [
        Line2D([], [], marker=marker, ls="", mfc=fill, mec=edge, mew=1.4, label=label)
        for label, marker, fill, edge in marks
    ]
    figure.legend(handles=handles, loc="lower center", ncols=3, frameon=False, fontsize=8)
