"""Pictures: what they show is right at every scale, and they touch nothing outside the figure."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import gmm1d
from gmm1d import plots, views
from gmm1d.errors import Ending, InputError, MissingExtraError

WAITING = np.loadtxt(Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt")


@pytest.fixture(scope="module")
def waiting() -> gmm1d.Fit:
    return gmm1d.fit(WAITING, 2)


@pytest.fixture(scope="module")
def comparison() -> gmm1d.Comparison:
    return gmm1d.compare(WAITING, range(1, 4))


def area(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def test_fit_draws_the_components_and_their_sum(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_fit(waiting)
    *parts, total = [line.get_xydata() for line in ax.lines]
    x = total[:, 0]
    assert np.allclose(total[:, 1], waiting.mixture.pdf(x), rtol=1e-12)
    assert np.allclose(sum(part[:, 1] for part in parts), total[:, 1], rtol=1e-12)
    peaks = [x[part[:, 1].argmax()] for part in parts]
    assert np.allclose(peaks, waiting.mixture.means, atol=0.05 * waiting.mixture.stds.min())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "0.361 N(x | 54.61, 5.87²)",
        "0.639 N(x | 80.09, 5.87²)",
        "sum",
    ]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "density")


@pytest.mark.parametrize("k", [1, 8])
def test_as_many_curves_in_the_legend_as_components_and_one(k: int) -> None:
    mixture = gmm1d.Mixture(np.full(k, 1 / k), 10.0 * np.arange(k), np.ones(k))
    ax = plots.plot_fit(gmm1d.fit(mixture.rvs(400, rng=np.random.default_rng(1)), k, start=mixture))
    assert len(ax.get_legend().get_texts()) == len(ax.lines) == k + 1
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == k + 1


def test_bars_and_curves_hold_the_same_mass(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_fit(waiting)
    heights, edges, _ = ax.patches[0].get_data()
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    total = ax.lines[-1].get_xydata()
    assert area(*total.T) == pytest.approx(1, abs=5e-3)
    assert ax.get_ylim()[1] > heights.max()
    # Whole minutes: every bin must hold equally many of them.
    assert set(np.diff(edges)) == {np.diff(edges)[0]}
    assert np.diff(edges)[0] == round(np.diff(edges)[0])


def test_few_values_are_ticks() -> None:
    start = {"weights": [0.5, 0.5], "means": [6, 7], "variances": [1, 4]}
    ax = plots.plot_fit(gmm1d.fit([-1, 0, 4, 5, 6], 2, start=start))
    assert not ax.patches
    assert ax.lines[0].get_xdata().tolist() == [-1, 0, 4, 5, 6]
    assert len(ax.get_legend().get_texts()) == 3


def test_data_can_be_given_and_weights_count(waiting: gmm1d.Fit) -> None:
    loaded = gmm1d.Fit.from_json(waiting.to_json())
    assert not plots.plot_fit(loaded).patches
    values, counts = np.unique(WAITING, return_counts=True)
    for data in (WAITING, gmm1d.Sample.of(values, counts)):
        heights, edges, _ = plots.plot_fit(loaded, data=data).patches[0].get_data()
        expected, same, _ = plots.plot_fit(waiting).patches[0].get_data()
        assert np.array_equal(edges, same)
        assert np.allclose(heights, expected)
    with pytest.raises(InputError):
        plots.plot_fit(loaded, data=["a"])


def test_far_points_are_counted_not_shown() -> None:
    x = np.append(np.random.default_rng(1).normal(size=500), [1e6, -1e5])
    mixture = gmm1d.Mixture(weights=[0.998, 0.002], means=[0, 1e6], stds=[1, 1])
    shown = views.view(mixture, 502.0, gmm1d.Sample.of(x))
    assert -5 < shown.low < -3
    assert 3 < shown.high < 5
    assert shown.outside == 2


def test_a_far_component_of_some_points_is_shown() -> None:
    rng = np.random.default_rng(1)
    x = np.append(rng.normal(size=970), rng.normal(1000, 1, size=30))
    shown = views.view(gmm1d.Mixture([0.97, 0.03], [0, 1000], [1, 1]), 1000.0, gmm1d.Sample.of(x))
    assert shown.low < -3
    assert shown.high > 1003
    assert shown.outside == 0


def test_a_spike_does_not_flatten_the_rest() -> None:
    rng = np.random.default_rng(1)
    x = np.append(rng.normal(size=950), rng.normal(3, 1e-3, size=50))
    ax = plots.plot_fit(gmm1d.fit(x, 2, start=gmm1d.Mixture([0.95, 0.05], [0, 3], [1, 1e-3])))
    assert ax.get_ylim()[1] < 2
    assert ax.get_title(loc="left").startswith("the sum peaks at ")


@given(
    st.lists(st.floats(-9, 9), min_size=1, max_size=5),
    st.integers(-3, 3),
    st.integers(-20, 20),
)
def test_curves_are_sampled_finely_wherever_a_component_is(
    means: list[float], ratio: int, scale: int
) -> None:
    k = len(means)
    stds = 10.0 ** (np.linspace(-ratio, ratio, k) + scale)
    mixture = gmm1d.Mixture(np.full(k, 1 / k), np.array(means) * 10.0**scale, stds)
    shown = views.view(mixture, 1000.0, None)
    x = views.curve_points(mixture, shown)
    assert np.all(np.diff(x) > 0)
    assert area(x, mixture.pdf(x)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_views_and_bins_follow_the_scale(scale: float) -> None:
    x = np.random.default_rng(1).normal(size=300)
    mixture = gmm1d.Mixture([1.0], [0.0], [scale])
    sample = gmm1d.Sample.of(scale * x)
    shown = views.view(mixture, 300.0, sample)
    heights, edges = views.histogram(sample, shown)
    unit = views.view(gmm1d.Mixture([1.0], [0.0], [1.0]), 300.0, gmm1d.Sample.of(x))
    bars, bounds = views.histogram(gmm1d.Sample.of(x), unit)
    assert (shown.low / scale, shown.high / scale) == pytest.approx((unit.low, unit.high))
    assert edges / scale == pytest.approx(bounds)
    assert heights * scale == pytest.approx(bars)


def test_many_clusters_are_not_levelled_by_their_number() -> None:
    means = 10.0 * np.arange(8)
    x = np.concatenate([np.random.default_rng(1).normal(mean, 1, 250) for mean in means])
    sample = gmm1d.Sample.of(x)
    shown = views.view(gmm1d.Mixture([1.0], [35.0], [20.0]), sample.n, sample)
    heights, edges = views.histogram(sample, shown)
    at = np.searchsorted(edges, np.concatenate([means, means[:-1] + 5])) - 1
    assert heights[at[:8]].min() > 5 * heights[at[8:]].max()


def test_components_of_two_values_are_shown_whole() -> None:
    start = {"weights": [0.5, 0.5], "means": [6, 7], "variances": [1, 4]}
    fit = gmm1d.fit([-1, 0, 4, 5, 6], 2, start=start)  # two of five, but for rounding
    assert views.view(fit.mixture, fit.n, fit.sample).low < -2


@pytest.mark.parametrize(
    "x",
    [
        [0.0, 0.0, 0.0, 1.0],
        np.append(np.zeros(600), np.linspace(-1, 1, 400)),
        np.append(np.zeros(10_000), 1e9),
        np.random.default_rng(1).standard_cauchy(1000),
    ],
)
def test_bins_are_few_whatever_the_data(x: np.ndarray) -> None:
    sample = gmm1d.Sample.of(x)
    shown = views.view(gmm1d.Mixture([1.0], [0.0], [sample.std]), sample.n, sample)
    heights, edges = views.histogram(sample, shown)
    assert 1 <= len(heights) <= views.MOST_BINS + 2
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1 - shown.outside / sample.n)


def test_trace_shows_every_rise() -> None:
    waiting = gmm1d.fit(WAITING, 2, start="quantile")
    ax = plots.plot_trace(waiting)
    steps, heights = ax.lines[0].get_data()
    assert np.array_equal(heights, waiting.trace.log_likelihood)
    assert steps.tolist() == list(range(len(waiting.trace)))
    right = next(other for other in ax.figure.axes if other is not ax)
    assert right.get_yscale() == "log"
    at, rises = right.lines[0].get_data()
    assert np.array_equal(rises, np.diff(heights)[at - 1])
    assert np.all(np.diff(heights)[np.setdiff1d(steps[1:], at) - 1] < 1e-12)


def test_a_start_that_dwarfs_the_climb_is_named_not_drawn() -> None:
    start = gmm1d.Mixture([0.5, 0.5], [60, 75], [1, 1])
    fit = gmm1d.fit(WAITING, 2, start=start)
    ax = plots.plot_trace(fit)
    low, high = ax.get_ylim()
    assert low > fit.trace.log_likelihood[0]
    assert low < fit.trace.log_likelihood[1:].min()
    assert high > fit.trace.log_likelihood.max()
    assert ax.get_title(loc="left").startswith("start: -")


def test_a_climb_too_small_to_see_is_not_enlarged() -> None:
    fit = gmm1d.fit(WAITING, 2, start=gmm1d.fit(WAITING, 2).mixture, max_iter=2)
    assert np.ptp(fit.trace.log_likelihood[1:]) < 1e-9 * abs(fit.log_likelihood)
    ax = plots.plot_trace(fit)
    assert ax.get_title(loc="left") == ""
    assert ax.get_ylim()[0] < fit.trace.log_likelihood[0]


def test_trace_of_a_fit_without_steps_or_without_trace(waiting: gmm1d.Fit) -> None:
    one = gmm1d.fit([-1.0, 1.0], 1)
    assert len(one.trace) == 1
    ax = plots.plot_trace(one)
    assert ax.lines[0].get_xdata().tolist() == ax.get_xticks().tolist() == [0]
    with pytest.raises(InputError, match="no trace"):
        plots.plot_trace(gmm1d.Fit.from_json(waiting.to_json()))


def test_criteria_mark_the_choice_and_what_did_not_converge(comparison: gmm1d.Comparison) -> None:
    ax = plots.plot_criteria(comparison)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert lines["BIC"].tolist() == [comparison[k].bic for k in comparison]
    assert lines["chosen: k = 2 with equal variances"] == [comparison[2, "equal"].bic]
    assert {"unequal variances", "equal variances"} < set(lines)
    assert "not converged" not in lines
    stopped = gmm1d.compare(WAITING, [1, 2], families="unequal", tol=1)
    ax = plots.plot_criteria(stopped)
    assert "not converged" in [line.get_label() for line in ax.lines]
    converged = [fit.status is Ending.CONVERGED for fit in stopped.fits.values()]
    filled = [tuple(face[:3]) != (1, 1, 1) for face in ax.collections[0].get_facecolors()]
    assert filled == converged


def test_comparison_puts_the_chosen_fit_beside_the_criteria(
    comparison: gmm1d.Comparison,
) -> None:
    left, right = plots.plot_comparison(comparison).axes
    assert len(left.get_legend().get_texts()) == 3
    assert right.get_xlabel() == "k"
    nothing = gmm1d.compare(WAITING, [2, 3], tol=1)
    assert nothing.k is None
    assert len(plots.plot_comparison(nothing).axes[0].get_legend().get_texts()) == 4


def test_axes_are_returned_and_reused(waiting: gmm1d.Fit, comparison: gmm1d.Comparison) -> None:
    for draw in (
        lambda ax: plots.plot_fit(waiting, ax),
        lambda ax: plots.plot_trace(waiting, ax),
        lambda ax: plots.plot_criteria(comparison, ax),
        waiting.plot,
    ):
        ax = Figure().subplots()
        assert draw(ax) is ax
        assert isinstance(draw(None), Axes)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".PNG"])
def test_saved_figures_are_the_same_bytes_every_time(
    waiting: gmm1d.Fit, tmp_path: Path, suffix: str
) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        plots.save_figure(plots.plot_fit(waiting), path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    magic = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix.lower()]
    assert first.startswith(magic)
    assert len(list(tmp_path.iterdir())) == 2


def test_unknown_suffix_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.xls: pictures are written as \.png, \.pdf, \.svg"):
        plots.save_figure(None, tmp_path / "a.xls")  # the figure is not even looked at
    assert not list(tmp_path.iterdir())


def test_failed_picture_leaves_nothing(tmp_path: Path) -> None:
    figure = Figure()
    figure.text(0, 0, "$x$").set_text("$x^{$")  # cannot be drawn
    (tmp_path / "a.png").write_text("old")
    with pytest.raises(ValueError, match=r"\^\{"):
        plots.save_figure(figure, tmp_path / "a.png")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_no_pyplot_unless_the_session_uses_it() -> None:
    code = (
        "import sys, gmm1d\n"
        "f = gmm1d.fit([1, 2, 3, 7, 8, 9], 1)\n"
        "assert 'matplotlib' not in sys.modules\n"
        "f.plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "import matplotlib.pyplot as plt\n"
        "assert f.plot().figure.number in plt.get_fignums()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Hidden:
    """An import finder to which matplotlib does not exist."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "matplotlib":
            raise ModuleNotFoundError(name=name)


def test_without_matplotlib_the_extra_is_named(
    waiting: gmm1d.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hidden, *sys.meta_path])
    with pytest.raises(MissingExtraError, match=r"pip install 'gmm1d\[plot\]'"):
        waiting.plot()
