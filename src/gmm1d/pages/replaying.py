"""A replay as one HTML file that needs no network, or as a frame in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gmm1d.pages import assets, scenes

if TYPE_CHECKING:
    from gmm1d.replays import Replay

HEIGHT = 820  # pixels of the frame


def page(replay: Replay, xlabel: str = "x", title: str | None = None) -> str:
    """Return the page: a slider over the half steps of EM, the mixture, the log-likelihood and its lower bound.

    Raises
    ------
    MissingExtraError
        If a library is not installed.
    """
    assets.begin()
    scene = scenes.scene(replay.sample, [replay.fit.mixture], xlabel, replay.span)
    what = "EM" if {*replay.kinds[1:]} <= {"em"} else "A climb"
    return assets.page(
        "replay.html",
        title=title or f"{what} on {'the data' if xlabel == 'x' else xlabel}, step by step",
        replay=replay,
        content={"scene": scene, "climb": replay.content()},
    )


def frame(replay: Replay) -> str:
    """Return the page in a frame of its own, for a notebook."""
    return assets.page("frame.html", page=page(replay), height=HEIGHT, title=repr(replay))
