"""Pictures of tails, groups, quantiles and several k: what is drawn are the right numbers."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import gmm1d
from gmm1d import plots, views
from gmm1d.diagnostics import agreement, pointwise_band, simultaneous_band
from gmm1d.errors import Ending, FitWarning, InputError

WAITING = np.loadtxt(Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt")
TRUTH = gmm1d.Mixture([0.7, 0.3], [0, 4], [1, 0.5])
OF_X = [plots.plot_fit, plots.plot_log_density, plots.plot_responsibilities]
OF_DATA = [plots.plot_qq, plots.plot_pit]
Plot = Callable[..., Axes]


@pytest.fixture(scope="module")
def waiting() -> gmm1d.Fit:
    return gmm1d.fit(WAITING, 2)


@pytest.fixture(scope="module")
def comparison() -> gmm1d.Comparison:
    return gmm1d.compare(WAITING, range(1, 5))


def lines(ax: Axes) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_xydata() for line in ax.lines}


def labels(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


# every picture


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
def test_axes_are_returned_reused_and_named(plot: Plot, waiting: gmm1d.Fit) -> None:
    ax = Figure().subplots()
    assert plot(waiting, ax, xlabel="waiting time / min") is ax
    named = [ax.get_xlabel(), *(each.get_xlabel() for each in ax.child_axes)]
    assert any(label.startswith("waiting time / min") for label in named)
    assert isinstance(plot(waiting), Axes)


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
def test_long_labels_are_broken(plot: Plot, waiting: gmm1d.Fit) -> None:
    ax = plot(waiting, xlabel="word " * 40)
    named = [ax.get_xlabel(), *(each.get_xlabel() for each in ax.child_axes)]
    assert max(len(line) for label in named for line in label.splitlines()) <= 50


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
def test_a_loaded_fit_is_drawn_like_the_fit_if_data_are_handed_in(
    plot: Plot, waiting: gmm1d.Fit, tmp_path: Path
) -> None:
    waiting.save(tmp_path / "fit.json")
    loaded = gmm1d.Fit.load(tmp_path / "fit.json")
    for name, fit, data in (("a", waiting, None), ("b", loaded, WAITING)):
        plots.save_figure(plot(fit, data=data), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    if plot in OF_DATA:
        with pytest.raises(InputError, match="hand them in as data="):
            plot(loaded)
    else:
        assert labels(plot(loaded))
    with pytest.raises(InputError, match="with text"):
        plot(loaded, data=["a"])


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
@pytest.mark.parametrize(
    "data",
    [
        [70.0],
        [1.0, 2.0, 3.0, 4.0, 1e9],
        np.append(np.zeros(60), np.linspace(-1, 1, 40)),
        np.full(50, 3.0),
        np.random.default_rng(1).standard_cauchy(500),
        np.append(WAITING, [1e140, -1e140]),
    ],
)
def test_whatever_the_data_a_picture_appears(
    plot: Plot, data: np.ndarray, waiting: gmm1d.Fit, tmp_path: Path
) -> None:
    plots.save_figure(plot(waiting, data=data), tmp_path / "a.png")  # warnings are errors


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
@pytest.mark.parametrize("k", [1, 8])
def test_components_keep_their_colours_in_every_picture(plot: Plot, k: int) -> None:
    mixture = gmm1d.Mixture(np.full(k, 1 / k), 10.0 * np.arange(k), np.ones(k))
    fit = gmm1d.fit(mixture.rvs(400, rng=1), k, start=mixture)
    ax = plot(fit)
    drawn = {line.get_label(): line for line in ax.lines if " N(x | " in line.get_label()}
    assert [line.get_color() for line in drawn.values()] == [plots.COLOURS[j % 6] for j in range(k)]
    looks = {(a.get_color(), a.get_linestyle(), a.get_marker()) for a in drawn.values()}
    assert len(looks) == k
    assert set(drawn) <= set(labels(ax))


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
def test_a_fit_that_did_not_converge_says_so(plot: Plot, waiting: gmm1d.Fit) -> None:
    with pytest.warns(FitWarning):
        stopped = gmm1d.fit(WAITING, 3, start="spread", max_iter=3)
    assert plot(stopped).get_title(loc="left").replace("\n", " ") == Ending.MAX_ITER.value
    assert plot(waiting).get_title(loc="left") == ""


def test_a_legend_beside_the_picture_does_not_shrink_it() -> None:
    fit = gmm1d.fit(WAITING, 2)
    inside, beside = plots.plot_fit(fit), plots.plot_fit(gmm1d.fit(1e6 + 1e-6 * WAITING, 2))
    assert beside.figure.get_figwidth() > inside.figure.get_figwidth() + 2
    given = Figure(figsize=(5, 4))
    plots.plot_responsibilities(fit, given.subplots())
    assert given.get_figwidth() == 5


# the density on a log scale


def test_log_density_shows_dots_and_the_same_curves(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_log_density(waiting)
    drawn = lines(ax)
    assert ax.get_yscale() == "log"
    x, total = drawn["sum"].T
    np.testing.assert_allclose(total, waiting.mixture.pdf(x), rtol=1e-12)
    parts = [xy[:, 1] for name, xy in drawn.items() if " N(x | " in name]
    np.testing.assert_allclose(sum(parts), total, rtol=1e-12)
    assert len(parts) == 2
    dots = drawn["data"][:, 1]
    assert np.all(dots > 0)
    assert ax.get_ylim()[0] < dots.min()
    assert ax.get_ylim()[1] > max(dots.max(), total.max())


@pytest.mark.parametrize("scale", [1e-150, 1.0, -1e150])
@pytest.mark.parametrize("shape", ["t", "gap", "rounded"])
def test_dots_hold_all_the_mass_that_is_shown(shape: str, scale: float) -> None:
    rng = np.random.default_rng(5)
    x = {
        "t": rng.standard_t(2, 3000),
        "gap": np.append(rng.normal(size=500), rng.normal(40, 1, 30)),
        "rounded": np.round(rng.standard_t(3, 1000), 1),
    }[shape]
    sample = gmm1d.Sample.of(scale * x)
    mixture = gmm1d.Mixture([1.0], [0.0], [sample.std])
    shown = views.view(mixture, sample.n, sample, views.TAILS)
    counts, edges = views.tail_histogram(sample, shown)
    assert counts.sum() == pytest.approx(sample.n - shown.outside)
    assert np.all(np.diff(edges) > 0)
    assert edges[0] <= sample.low or shown.outside
    assert len(edges) < 500


def test_bins_grow_in_the_tails_only() -> None:
    x = np.random.default_rng(5).standard_t(2, 3000)
    sample = gmm1d.Sample.of(x)
    shown = views.view(gmm1d.Mixture([1.0], [0.0], [1.0]), sample.n, sample, views.TAILS)
    _, edges = views.tail_histogram(sample, shown)
    widths, middles = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    low, high = np.quantile(x, [0.05, 0.95])
    bulk = widths[(middles > low) & (middles < high)]
    assert np.ptp(bulk) < 1e-9 * bulk[0]
    assert widths.min() == pytest.approx(bulk[0])
    assert widths[[0, -1]].min() > 5 * bulk[0]
    distance = np.maximum(np.maximum(low - middles, middles - high), 0)
    assert np.all(widths < bulk[0] * 2 + distance)  # so that a gap stays a gap


def test_dots_of_a_heavy_tail_follow_its_density() -> None:
    x = np.random.default_rng(7).standard_cauchy(20_000)
    ax = plots.plot_log_density(gmm1d.fit(x, 3, start="quantile"))
    at, density = lines(ax)["data"].T
    cauchy = 1 / (np.pi * (1 + at**2))
    assert np.abs(at).max() > 100
    far = np.abs(at) > 20
    assert np.sum(far) > 10
    assert np.abs(np.log(density / cauchy))[far].mean() < 0.3
    assert np.all(np.abs(np.log(density / cauchy)) < 1.5)


def test_intervals_of_dots_are_those_of_counts() -> None:
    x = np.repeat(np.arange(10.0), [1, 0, 0, 0, 40, 50, 40, 0, 0, 1])
    fit = gmm1d.fit(x, 1)
    ax = plots.plot_log_density(fit)
    counts, edges = views.tail_histogram(
        fit.sample, views.view(fit.mixture, fit.n, fit.sample, views.TAILS)
    )
    scale = 1 / fit.n / np.diff(edges)
    upright = ax.collections[0].get_segments()
    held = counts > 0
    once = np.flatnonzero(counts[held] == 1)[0]
    # Garwood (1936): one event has the 95 % interval 0.0253 to 5.572.
    np.testing.assert_allclose(
        upright[once][:, 1] / scale[held][once], [0.0253178, 5.571643], rtol=1e-5
    )
    assert len(upright) == held.sum()


def test_a_spike_does_not_flatten_the_log_picture() -> None:
    x = np.append(np.random.default_rng(1).normal(size=950), np.full(50, 3.0))
    start = gmm1d.Mixture([0.95, 0.05], [0, 3], [1, 1e-9])
    fit = gmm1d.Fit.from_json(gmm1d.fit(x, 1).to_json())
    spiky = gmm1d.fit(x, 2, start=start, fixed={"stds": [None, 1e-9]})
    assert plots.plot_log_density(spiky).get_title(loc="left").startswith("the sum peaks at ")
    low, high = plots.plot_log_density(spiky).get_ylim()
    assert high / low < 1e6
    low, high = plots.plot_log_density(fit).get_ylim()  # no data to tell
    assert high / low < 1e7


# groups


def test_responsibilities_are_those_of_the_mixture(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_responsibilities(waiting)
    parts = [xy for name, xy in lines(ax).items() if " N(x | " in name]
    x = parts[0][:, 0]
    shares = np.stack([part[:, 1] for part in parts], axis=1)
    assert np.array_equal(shares, waiting.mixture.responsibilities(x))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)


def test_boundaries_stand_where_they_are_with_their_intervals(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_responsibilities(waiting)
    at = lines(ax)["boundary, 95 % interval"][:, 0]
    near = waiting.mixture.boundaries()[:1]
    assert at.tolist() == [near[0], near[0]]
    (band,) = ax.patches
    ends = band.get_x(), band.get_x() + band.get_width()
    np.testing.assert_allclose(ends, waiting.confidence_intervals().boundaries[0], rtol=1e-12)
    # The other root of the parabola, far from all values, is no news.
    assert waiting.mixture.boundaries()[1] > 1e4
    assert ax.get_title(loc="left") == ""


def test_boundaries_between_values_that_are_not_shown_are_named() -> None:
    x = np.append(np.random.default_rng(1).normal(size=500), 1e9)
    with pytest.warns(FitWarning):
        fit = gmm1d.fit(x, 2)
    ax = plots.plot_responsibilities(fit)
    title = ax.get_title(loc="left").splitlines()
    assert title[-2].startswith("1 value lies outside")
    assert title[-1].startswith("boundary outside: ")


def test_without_errors_only_the_lines() -> None:
    with pytest.warns(FitWarning):
        stopped = gmm1d.fit(WAITING, 3, start="spread", max_iter=3)
    ax = plots.plot_responsibilities(stopped)
    assert not ax.patches
    assert "boundary" in lines(ax)
    assert not plots.plot_responsibilities(gmm1d.fit(WAITING, 1)).patches


# quantiles and the probability integral transform


def drawn_values(ax: Axes) -> np.ndarray:
    return np.concatenate([xy for name, xy in lines(ax).items() if " N(x | " in name])


def test_qq_is_straight_for_quantiles_of_the_mixture(waiting: gmm1d.Fit) -> None:
    p = (np.arange(99) + 0.5) / 99
    x, y = drawn_values(plots.plot_qq(waiting, data=waiting.mixture.ppf(p))).T
    np.testing.assert_allclose(x, y, rtol=1e-9)
    assert len(x) == 99


def test_qq_band_is_that_of_order_statistics(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_qq(waiting)
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    positions = waiting.mixture.cdf(corners[:, 0])
    low, high = waiting.mixture.ppf(pointwise_band(positions, waiting.n))
    off = np.minimum(np.abs(corners[:, 1] - low), np.abs(corners[:, 1] - high))
    assert np.sort(off)[-4:].max() < 1e-6 * WAITING.std()
    assert ax.get_xlim() == ax.get_ylim()


def test_values_have_the_colour_of_their_component(waiting: gmm1d.Fit) -> None:
    for ax in (plots.plot_qq(waiting), plots.plot_pit(waiting)):
        first, second = (xy for name, xy in lines(ax).items() if " N(x | " in name)
        likely = waiting.mixture.predict(np.unique(WAITING))
        assert [len(first), len(second)] == np.bincount(likely).tolist()


def test_values_far_out_stand_on_the_edge_of_qq() -> None:
    x = np.append(np.random.default_rng(1).normal(size=500), [1e9, -1e7])
    ax = plots.plot_qq(gmm1d.fit(x[:-2], 1), data=x)
    markers = {line.get_marker(): line.get_xydata() for line in ax.lines}
    assert markers["^"][:, 1].tolist() == [ax.get_ylim()[1]]
    assert markers["v"][:, 1].tolist() == [ax.get_ylim()[0]]
    assert ax.get_ylim()[1] < 10
    assert ax.get_title(loc="left").startswith("2 values lie outside")


def test_pit_draws_the_residuals_and_their_band(waiting: gmm1d.Fit) -> None:
    ax = plots.plot_pit(waiting)
    found = agreement(waiting)
    u, residuals = drawn_values(ax).T
    np.testing.assert_allclose(np.sort(u), found.transforms)
    np.testing.assert_allclose(residuals[np.argsort(u)], found.residuals)
    corners = ax.patches[0].get_xy()
    p = corners.sum(axis=1)
    low, high = simultaneous_band(p, waiting.n)
    off = np.minimum(np.abs(corners[:, 0] - low), np.abs(corners[:, 0] - high))
    assert off.max() < 1e-9
    assert np.abs(ax.get_ylim()).min() > np.abs(corners[:, 1]).max()


@pytest.mark.parametrize(("a", "b"), [(1.0, 0.0), (1e150, 0.0), (1e-150, 0.0), (1e-3, 1e6)])
def test_marks_above_the_pit_picture_are_quantiles(a: float, b: float) -> None:
    mixture = gmm1d.Mixture([1.0], [b], [a])
    x = a * np.random.default_rng(1).normal(size=100) + b
    ax = plots.plot_pit(gmm1d.fit(x, 1, start=mixture), xlabel="x / m")
    (above,) = ax.child_axes
    ax.figure.draw_without_rendering()
    marks = [text.get_text().replace("−", "-") for text in above.get_xticklabels()]
    assert max(map(len, marks)) < 10
    label = above.get_xlabel().replace("−", "-")
    factor, _, offset = label.removeprefix("x / m").strip().partition("+")
    values = [float(mark) * float(factor or 1) for mark in marks]
    ends = gmm1d.fit(x, 1).mixture.ppf([0.05, 0.95]) - float(offset or 0)
    np.testing.assert_allclose([values[0], values[-1]], ends, rtol=0.01)


def test_pictures_of_agreement_follow_shift_and_scale() -> None:
    x = TRUTH.rvs(150, rng=4)
    pictures = {}
    for a, b in ((1.0, 0.0), (8.0, 1024.0), (1e150, 0.0)):
        start = gmm1d.Mixture(TRUTH.weights, a * TRUTH.means + b, a * TRUTH.stds)
        fit = gmm1d.fit(a * x + b, 2, start=start)
        qq = (drawn_values(plots.plot_qq(fit)) - b) / a
        pictures[a] = np.hstack([qq, drawn_values(plots.plot_pit(fit))])
    for other in (8.0, 1e150):
        np.testing.assert_allclose(pictures[other], pictures[1.0], atol=1e-6)


@pytest.fixture(scope="module")
def million() -> gmm1d.Fit:
    return gmm1d.fit(gmm1d.Sketch().add(TRUTH.rvs(1_000_000, rng=3)), 2, start=TRUTH)


@pytest.mark.parametrize("plot", OF_X + OF_DATA)
def test_a_sketch_is_drawn_with_few_marks(plot: Plot, million: gmm1d.Fit, tmp_path: Path) -> None:
    assert million.sample.points is None
    ax = plot(million)
    assert sum(len(line.get_xdata()) for line in ax.lines) < 20_000
    plots.save_figure(ax, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 2_000_000


def test_sketch_and_points_are_drawn_alike(million: gmm1d.Fit) -> None:
    x = TRUTH.rvs(1_000_000, rng=3)
    for plot, size in ((plots.plot_qq, 0.3), (plots.plot_pit, 1e-3)):
        few, all_of_them = drawn_values(plot(million)), drawn_values(plot(million, data=x))
        few, all_of_them = (xy[np.argsort(xy[:, 0])] for xy in (few, all_of_them))
        same = np.interp(few[:, 0], *all_of_them.T)
        assert np.abs(same - few[:, 1]).max() < size


# several k


def test_multiples_have_a_panel_for_every_k(comparison: gmm1d.Comparison) -> None:
    figure = plots.plot_multiples(comparison, xlabel="waiting time / min")
    assert isinstance(figure, Figure)
    assert figure.get_supxlabel() == "waiting time / min"
    panels = [ax for ax in figure.axes if ax.get_visible()]
    keys = [(1, "unequal"), *itertools.product([2, 3, 4], ["unequal", "equal"])]
    assert len(panels) == len(keys)
    for key, ax in zip(keys, panels, strict=True):
        assert len(ax.lines) == key[0] + 1
        fit = comparison[key]
        title = ax.get_title().splitlines()
        chosen = " (chosen)" if key == comparison.chosen == (2, "equal") else ""
        assert title[0] == comparison.name(key) + chosen
        assert title[1] == f"AIC {fit.aic:.1f}  BIC {fit.bic:.1f}  ICL {fit.icl:.1f}"
        x, total = ax.lines[-1].get_data()
        np.testing.assert_allclose(total, fit.mixture.pdf(x), rtol=1e-12)
    limits = {(ax.get_xlim(), ax.get_ylim()) for ax in panels}
    assert len(limits) == 1
    bars = [ax.patches[0].get_data() for ax in panels]
    assert all(np.array_equal(a.values, b.values) for a, b in itertools.pairwise(bars))
    thick = [ax.spines["left"].get_linewidth() > 1 for ax in panels]
    assert thick == [False, False, True, False, False, False, False]


@pytest.mark.parametrize(("many", "grid"), [(1, 1), (3, 3), (4, 2), (5, 3), (11, 4)])
def test_multiples_stand_in_a_grid_with_ticks_below(many: int, grid: int) -> None:
    one = gmm1d.fit(WAITING, 1)
    fits = dict.fromkeys(range(1, many + 1), one)
    figure = plots.plot_multiples(gmm1d.Comparison(fits, "bic", None, ""))
    places = [ax.get_subplotspec() for ax in figure.axes if ax.get_visible()]
    assert max(place.colspan.stop for place in places) == grid
    assert len(places) == many
    figure.draw_without_rendering()
    below = [any(t.label1.get_visible() for t in ax.xaxis.get_major_ticks()) for ax in figure.axes]
    assert sum(below[:many]) == grid


def test_multiples_name_endings_and_spikes() -> None:
    stopped = gmm1d.compare(WAITING, [1, 3], families="unequal", tol=1)
    figure = plots.plot_multiples(stopped)
    assert figure.axes[1].get_title().splitlines()[0] == "k = 3: tolerance"
    x = np.append(np.random.default_rng(1).normal(size=950), np.full(50, 3.0))
    spiky = gmm1d.fit(
        x, 2, start=gmm1d.Mixture([0.95, 0.05], [0, 3], [1, 1e-3]), fixed={"stds": [None, 1e-3]}
    )
    both = gmm1d.Comparison({1: gmm1d.fit(x, 1), 2: spiky}, "bic", 2, "")
    figure = plots.plot_multiples(both)
    assert figure.axes[0].get_ylim()[1] < 5
    assert figure.axes[1].get_title().splitlines()[-1].startswith("the sum peaks at ")


def test_comparison_names_x(comparison: gmm1d.Comparison) -> None:
    assert plots.plot_comparison(comparison, xlabel="t / min").axes[0].get_xlabel() == "t / min"


def test_multiples_name_what_they_leave_out(comparison: gmm1d.Comparison) -> None:
    assert plots.plot_multiples(comparison).get_suptitle() == ""
    x = np.append(np.random.default_rng(1).normal(size=500), 1e9)
    some = gmm1d.Comparison({1: gmm1d.fit(x, 1)}, "bic", 1, "", {2: "it ran into a spike"})
    said = plots.plot_multiples(some).get_suptitle().splitlines()
    assert said[0].startswith("1 value lies outside")
    assert said[1] == "k = 2: it ran into a spike"
