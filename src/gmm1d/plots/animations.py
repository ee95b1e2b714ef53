"""A climb as a moving picture: E-step and M-step by turns, with the bound that one lifts and the other climbs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from gmm1d.arguments import real, shown
from gmm1d.errors import InputError, MissingExtraError, require
from gmm1d.files import replacing
from gmm1d.plots.stages import MOST, Stage
from gmm1d.progress import check_progress, watched
from gmm1d.replays import Replay, replay
from gmm1d.result import Fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.animation import Animation, FuncAnimation

HELD = 5  # times as long as any other, the last picture is shown
FORMATS = {".gif": "pillow", ".mp4": "ffmpeg"}
DPI = 100
LETTERS = 200  # of what ffmpeg says, the last of which are passed on


def animate(
    fit: Fit | Replay, *, data: object = None, xlabel: str = "x", interval: float = 400
) -> FuncAnimation:
    """Draw a climb step by step, as a moving picture.

    Left the data in the colours of the components that they belong to, the weighted components and their sum.
    Right the log-likelihood against the step with the lower bound, which the M-step climbs and the E-step lifts,
    and below both along the line to the next point of the climb. Of more than 60 points so many are drawn, the
    first half of them one by one.

    Parameters
    ----------
    fit : Fit or Replay
    data : column of m numbers, Sketch or Sample, optional
        Those that were fitted, if the fit does not hold them.
    xlabel : str
        What x is, with its unit.
    interval : float
        Milliseconds from one picture to the next.

    Returns
    -------
    FuncAnimation
        Keep it, or hand it to `save_animation`; in a notebook, ``HTML(animation.to_jshtml())`` shows it.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InputError
        If the fit cannot be replayed (see `gmm1d.replays.replay`), or the interval is not positive.
    """
    if not 0 < real(interval) < np.inf:
        raise InputError(
            f"interval must be a positive number of milliseconds, not {shown(interval)}"
        )
    make = require("matplotlib.animation", "plot").FuncAnimation
    told = fit if isinstance(fit, Replay) else replay(fit, data=data, most=MOST)
    stage = Stage(told, xlabel)
    frames = [*range(len(stage.halves)), *[len(stage.halves) - 1] * (HELD - 1)]
    return cast(
        "FuncAnimation", make(stage.figure, stage.draw, frames, interval=interval, blit=False)
    )


def save_animation(
    animation: Animation | Fit | Replay,
    path: str | os.PathLike[str],
    *,
    progress: bool | None = None,
) -> None:
    """Write a climb to a GIF or MP4 file, whole or not at all.

    Parameters
    ----------
    animation : Animation, Fit or Replay
        What `animate` returns, or takes.
    path : path
        Ending in .gif or .mp4. A GIF has the same bytes every time. MP4 needs ffmpeg: that on the PATH, or that
        of the package imageio-ffmpeg (extra ``video``).
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal where tqdm is installed, if it takes long.

    Raises
    ------
    InputError
        If the path ends otherwise, or the fit cannot be replayed.
    MissingExtraError
        If matplotlib, or ffmpeg for MP4, is not installed.
    OSError
        If the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{os.fspath(path)}: animations are written as {', '.join(FORMATS)}, not {suffix!r}"
        )
    check_progress(progress)
    matplotlib = require("matplotlib", "plot")
    options = {"animation.ffmpeg_path": _ffmpeg()} if suffix == ".mp4" else {}
    bar: list[Iterator[int]] = []

    def follow(_: int, total: int | None) -> None:
        if not bar:
            bar.append(iter(watched(range(total or 0), "pictures", progress)))
        next(bar[0], None)

    try:
        with replacing(path) as temporary, matplotlib.rc_context(options):
            film = animate(animation) if isinstance(animation, Fit | Replay) else animation
            film.save(temporary, writer=FORMATS[suffix], dpi=DPI, progress_callback=follow)
    except subprocess.CalledProcessError as error:
        said = str(error.stderr).strip()[-LETTERS:]
        raise OSError(f"{os.fspath(path)}: ffmpeg failed: {said}") from error
    for each in bar:
        list(each)  # closes it


def _ffmpeg() -> str:
    """Return the path of ffmpeg."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        return str(require("imageio_ffmpeg", "video").get_ffmpeg_exe())
    except (MissingExtraError, RuntimeError) as error:
        raise MissingExtraError(
            "MP4 needs ffmpeg, which is not on the PATH, or the package imageio-ffmpeg: "
            "pip install 'gmm1d[video]'; GIF needs neither"
        ) from error
