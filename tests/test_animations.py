"""Moving pictures of climbs: each shows what its title says, in the colours of the other pictures."""

import json
import shutil
import sys
from pathlib import Path

import matplotlib.animation
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import gmm1d
from gmm1d import plots, textbook
from gmm1d.errors import FitWarning, InputError, MissingExtraError
from gmm1d.plots import animations
from gmm1d.plots.stages import Stage

GOLDEN = json.loads((Path(__file__).parent / "data" / "golden.json").read_text("utf-8"))
S2 = np.array(GOLDEN["S2"]["x"])
START2 = {"means": [-0.5, 0.5], "stds": [1, 1]}
WAITING = np.loadtxt(Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt")


@pytest.fixture(scope="module")
def five() -> gmm1d.Fit:
    start = {"means": [6, 7], "variances": [1, 4]}
    return gmm1d.fit([-1, 0, 4, 5, 6], 2, start=start, method="em")


@pytest.fixture(scope="module")
def short() -> gmm1d.Fit:
    with pytest.warns(FitWarning, match="max_iter"):
        return gmm1d.fit(S2, 2, start=START2, method="em", max_iter=1)


def hide_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "ffmpeg" else which(name))


def pixels(stage: Stage, picture: int) -> bytes:
    canvas = matplotlib.backends.backend_agg.FigureCanvasAgg(stage.figure)
    stage.draw(picture)
    canvas.draw()
    return bytes(canvas.buffer_rgba())


def test_e_steps_and_m_steps_take_turns(five: gmm1d.Fit) -> None:
    stage = Stage(five.replay(), "x")
    kinds = [half.what for half in stage.halves]
    assert kinds == ["start", *["E", "em"] * 7, "end"]
    titles = []
    for i in range(4):
        stage.draw(i)
        titles.append(stage.title.get_text())
    assert titles == [
        "Start: 2 Gaussians, log-likelihood -24.512532",
        "E-step 1: who belongs to whom; the bound touches the log-likelihood",
        "M-step 1: each Gaussian moves to its values, to the top of the bound",
        "E-step 2: who belongs to whom; the bound touches the log-likelihood",
    ]


def test_each_picture_shows_its_half_step(five: gmm1d.Fit) -> None:
    r = five.replay()
    stage = Stage(r, "x")
    stage.draw(0)
    assert not stage.slice.bound.get_visible()  # there are no responsibilities yet
    assert stage.figure.get_layout_engine() is None  # or panels would move from picture to picture
    for i, (what, t) in enumerate(stage.halves[1:-1], 1):
        stage.draw(i)
        m = gmm1d.Mixture(r.weights[t], r.means[t], r.stds[t])
        x, total = stage.density.total.get_data()
        np.testing.assert_allclose(total, m.pdf(x), rtol=1e-12)
        parts = [line.get_ydata() for line in stage.density.parts]
        np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=1e-12)
        assert x[np.argmax(parts[0])] == pytest.approx(r.means[t, 0], abs=0.05)
        height = r.log_likelihood[t] if what == "E" else r.bound[t]
        assert np.ravel(stage.climb.here.get_data()).tolist() == [t, height]
        place, rise = np.ravel(stage.slice.here.get_data())
        assert place == (0 if what == "E" else 1)
        before = t if what == "E" else t - 1
        assert rise == pytest.approx(height - r.log_likelihood[before], abs=1e-12)
        assert len(stage.climb.line.get_xdata()) == t + 1


def test_values_have_the_colours_of_their_responsibilities(five: gmm1d.Fit) -> None:
    r = five.replay()
    stage = Stage(r, "x")
    (ticks, values), *others = stage.density.places
    assert not others  # five values make no histogram
    assert values.tolist() == [-1, 0, 4, 5, 6]
    stage.draw(0)
    assert len(np.unique(ticks.get_colors(), axis=0)) == 1  # nobody belongs to anybody yet
    # The first component of the start is the second by mean at the end, where others draw it orange.
    orange, blue = np.array(to_rgb(plots.COLOURS[1])), np.array(to_rgb(plots.COLOURS[0]))
    gammas = textbook.e_step(values, [0.5, 0.5], [6, 7], [1, 4])
    for i in (1, 2):  # the M-step leaves the responsibilities alone
        stage.draw(i)
        found = ticks.get_colors()[:, :3]
        np.testing.assert_allclose(found, gammas @ np.array([orange, blue]), atol=1e-12)


def test_the_end_looks_like_the_picture_of_the_fit(five: gmm1d.Fit) -> None:
    stage = Stage(five.replay(), "length (mm)")
    stage.draw(len(stage.halves) - 1)
    ax = plots.plot_fit(five, xlabel="length (mm)")
    legend = ax.get_legend()
    names = [text.get_text() for text in stage.density.legend.get_texts()]
    assert names == [text.get_text() for text in legend.get_texts()]
    colours = [line.get_color() for line in stage.density.legend.get_lines()]
    assert colours == [line.get_color() for line in legend.get_lines()]
    assert stage.density.total.axes.get_xlabel() == "length (mm)"
    assert stage.title.get_text() == "After 7 EM steps: log-likelihood -8.465259"


def test_pictures_do_not_depend_on_what_was_drawn_before(short: gmm1d.Fit) -> None:
    stage = Stage(short.replay(), "x")
    seen = [pixels(stage, i) for i in range(4)]
    assert len(set(seen)) == 4
    assert [pixels(stage, i) for i in (3, 1, 2, 0)] == [seen[i] for i in (3, 1, 2, 0)]


def test_a_first_step_of_146_nats_does_not_flatten_the_climb() -> None:
    r = gmm1d.fit(S2, 2, start=START2, method="em").replay()
    ax = Stage(r, "x").climb.ax
    low, high = ax.get_ylim()
    assert -98.2 < low < r.bound[1] < r.log_likelihood[-1] < high < -94
    assert ax.get_title(loc="left") == "start: -242.787"


def test_a_spike_at_the_start_does_not_flatten_the_end() -> None:
    r = gmm1d.fit(WAITING, 3, start="spread", method="em", tol=1e-2).replay()
    stage = Stage(r, "x")
    bars, _ = stage.density.places[0]
    tallest = max(path.vertices[:, 1].max() for path in bars.get_paths())
    assert tallest < stage.density.total.axes.get_ylim()[1] < 2 * tallest


def test_long_climbs_are_thinned_and_say_so() -> None:
    f = gmm1d.fit(WAITING, 3, start="spread", method="em")
    for told in (f.replay(), f.replay(most=60)):
        stage = Stage(told, "x")
        assert len(stage.halves) <= 120
        assert stage.halves[:5] == [("start", 0), ("E", 0), ("em", 1), ("E", 1), ("em", 2)]
        assert [half.what for half in stage.halves[-3:]] == ["E", "E", "end"]
        said = stage.density.total.axes.get_title(loc="left")
        assert said.endswith(f"of the {len(f.trace)} points of the climb are drawn")
        for i in range(len(stage.halves)):
            stage.draw(i)


@pytest.mark.parametrize(
    ("case", "pictures"),
    [
        ("Newton", ["start", *["E", "em"] * 5, *["newton"] * 5, "end"]),
        ("one component", ["start", "newton", "end"]),
        ("no step", ["start", "end"]),
    ],
)
def test_climbs_that_are_not_em(case: str, pictures: list[str]) -> None:
    if case == "Newton":
        f = gmm1d.fit(S2, 2, start=START2)
    elif case == "one component":
        f = gmm1d.fit(S2, 1)
    else:
        with pytest.warns(FitWarning, match="max_iter"):
            f = gmm1d.fit(S2, 2, start=START2, max_iter=0)
    stage = Stage(f.replay(), "x")
    assert [half.what for half in stage.halves] == pictures
    for i in range(len(pictures)):
        stage.draw(i)
    pixels(stage, len(pictures) - 2)


def test_tiny_units_sketches_and_many_components_are_drawn() -> None:
    a = 1e-150
    start = {"means": [-0.5 * a, 0.5 * a], "stds": [a, a]}
    tiny = gmm1d.fit(a * S2, 2, start=start, method="em", tol=0.1)
    sketch = gmm1d.Sketch()
    x = gmm1d.Mixture([0.4, 0.6], [-2, 3], [1, 1.5]).rvs(30_000, rng=np.random.default_rng(4))
    sketch.add(x)
    large = gmm1d.fit(sketch, 2, start="quantile", method="em", tol=10)
    many = gmm1d.fit(WAITING, 9, start="quantile", method="em", tol=5)
    for f in (tiny, large, many):
        stage = Stage(f.replay(), "x")
        pixels(stage, 2)
        (bars, _), *ticks = stage.density.places
        assert len(ticks) == (f is not large)
        assert len(bars.get_paths()) > 5
        assert len(stage.density.legend.get_texts()) == f.k + 1
        box = stage.density.legend.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= stage.figure.bbox.x1
        assert box.y1 < stage.density.total.axes.bbox.y0


def test_a_gif_holds_every_picture_and_the_same_bytes_every_time(
    short: gmm1d.Fit, tmp_path: Path
) -> None:
    plots.save_animation(short, tmp_path / "one.GIF")
    plots.save_animation(plots.animate(short.replay()), tmp_path / "two.gif")
    assert (tmp_path / "one.GIF").read_bytes() == (tmp_path / "two.gif").read_bytes()
    with Image.open(tmp_path / "one.GIF") as picture:
        assert picture.n_frames == 4  # the last, which is held, is stored once
        assert picture.size == (1000, 560)
        durations = []
        for i in range(4):
            picture.seek(i)
            durations.append(picture.info["duration"])
    assert durations == [400, 400, 400, 5 * 400]


def test_an_mp4_is_written_by_the_package_where_there_is_no_ffmpeg(
    short: gmm1d.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    hide_ffmpeg(monkeypatch)
    path = tmp_path / "climb.mp4"
    plots.save_animation(plots.animate(short, interval=200), path)
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 8
    assert seconds == pytest.approx(8 * 0.2, abs=0.05)


def test_without_ffmpeg_both_ways_to_it_are_named(
    short: gmm1d.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_ffmpeg(monkeypatch)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtraError, match=r"not on the PATH.*imageio-ffmpeg.*gmm1d\[video\]"):
        plots.save_animation(short, tmp_path / "climb.mp4")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_nothing(short: gmm1d.Fit, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"climb\.avi: animations are written as \.gif, \.mp4"):
        plots.save_animation(short, tmp_path / "climb.avi")
    with pytest.raises(OSError, match=r"nowhere"):
        plots.save_animation(short.replay(), tmp_path / "nowhere" / "climb.gif")
    kept = tmp_path / "climb.gif"
    kept.write_text("kept")

    def fail(*_: object) -> None:
        raise RuntimeError("in the middle")

    film = plots.animate(short)
    film.save = fail  # type: ignore[method-assign]
    film._draw_was_started = True  # or matplotlib warns that nothing was drawn
    with pytest.raises(TypeError):
        plots.save_animation(film, kept)
    assert [path.name for path in tmp_path.iterdir()] == ["climb.gif"]
    assert kept.read_text() == "kept"


def test_a_failing_ffmpeg_is_said(
    short: gmm1d.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\necho of no use >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(animations, "_ffmpeg", lambda: str(broken))
    with pytest.raises(OSError, match=r"climb\.mp4: ffmpeg failed: of no use"):
        plots.save_animation(short, tmp_path / "climb.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["ffmpeg"]


def test_a_bar_follows_the_pictures(
    short: gmm1d.Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plots.save_animation(short, tmp_path / "climb.gif", progress=True)
    assert "pictures" in capsys.readouterr().err
    with pytest.raises(InputError, match="progress must be"):
        plots.save_animation(short, tmp_path / "climb.gif", progress="yes")  # type: ignore[arg-type]


def test_what_cannot_be_animated_is_said(five: gmm1d.Fit) -> None:
    for interval in (0, -1, float("nan"), "quick"):
        with pytest.raises(InputError, match="interval must be a positive number"):
            plots.animate(five, interval=interval)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="loaded from a file"):
        plots.animate(gmm1d.Fit.from_json(five.to_json()))
