"""What a notebook and a terminal show of a fit, a comparison, a mixture and a sketch: golden, complete, and never an error."""

import re
import warnings
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import gmm1d
from gmm1d import Mixture, Sketch, views

HERE = Path(__file__).parent
GOLDEN = HERE / "data" / "display"
WAITING = np.loadtxt(HERE.parent / "examples" / "data" / "faithful_waiting.txt")
MOVED = 2  # tenths of a pixel, by which rounding may move a point on another machine
PLACES = {"cx", "cy", "x", "y"}


def quiet(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)


def normal(size, seed=0):
    return np.random.default_rng(seed).normal(size=size)


def spiky():
    return quiet(gmm1d.fit, np.concatenate([normal(300), 0.5 + 1e-4 * normal(20, 1)]), 2)


def collapsing():
    x = np.concatenate([np.zeros(900), normal(100) + 5])
    return quiet(gmm1d.compare, x, [1, 2], families="unequal", start="quantile")


GOLDENS = {
    "fit": lambda: gmm1d.fit(WAITING, 2, start="quantile"),
    "fit_of_few": lambda: quiet(
        gmm1d.fit, [-1, 0, 4, 5, 6], 2, start={"means": [6, 7], "stds": [1, 2]}
    ),
    "mixture": lambda: Mixture([0.3, 0.5, 0.2], [-2, 1, 5], [0.7, 1.2, 0.8]),
    "mixture_spike": lambda: Mixture([0.02, 0.98], [1, 0], [1e-4, 1]),
    "comparison": lambda: gmm1d.compare(WAITING, range(1, 5), start="quantile"),
    "comparison_of_tolerances": lambda: quiet(
        gmm1d.compare,
        WAITING,
        [1, 2, 3],
        families="unequal",
        method="em",
        start="spread",
        tol=1,
    ),
    "sketch": lambda: Sketch().add(np.append(np.arange(400.0) % 37 + np.arange(400) % 7, 1e6)),
    "sketch_of_few": lambda: Sketch().add([1, 2, 4]),
    "sketch_empty": Sketch,
}


def picture(shown):
    """Return the first SVG of a display."""
    return ElementTree.fromstring(shown._repr_html_()).find("svg")


def names(shown):
    return [
        svg.get("aria-label") for svg in ElementTree.fromstring(shown._repr_html_()).iter("svg")
    ]


def corners(path):
    """Return the points of a line that is written as steps."""
    return np.cumsum(np.array(path[1:].split(), dtype=int).reshape(-1, 2), axis=0).astype(float)


def farthest(points, line):
    """Return how far from a line (q, 2) the farthest of the points (p, 2) is."""
    begin, step = line[:-1], np.diff(line, axis=0)
    along = ((points[:, None] - begin) * step).sum(-1) / np.maximum((step**2).sum(-1), 1)
    foot = begin + np.clip(along, 0, 1)[..., None] * step
    return np.hypot(*(points[:, None] - foot).T).min(axis=0).max()


def assert_path_alike(ours, theirs):
    if ours.startswith("m"):
        # Where a curve is told from zero, rounding decides: what lies beyond is zero in either.
        ours, theirs = (np.vstack([[0, 770], corners(d), [2600, 770]]) for d in (ours, theirs))
        assert max(farthest(ours, theirs), farthest(theirs, ours)) <= MOVED
    else:
        kinds, numbers = r"[A-Za-z]", r"-?\d+"
        assert re.findall(kinds, ours) == re.findall(kinds, theirs)
        ours, theirs = (np.array(re.findall(numbers, d), dtype=int) for d in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, atol=MOVED)


def assert_alike(ours, theirs):
    """Compare two elements: all words, tags and looks, and places up to the rounding of another machine."""
    assert (ours.tag, ours.text, ours.tail) == (theirs.tag, theirs.text, theirs.tail)
    assert list(ours.attrib) == list(theirs.attrib)
    for name, value in ours.attrib.items():
        if name == "d":
            assert_path_alike(value, theirs.get(name))
        elif name in PLACES:
            assert abs(float(value) - float(theirs.get(name))) <= MOVED
        else:
            assert value == theirs.get(name)
    for one, other in zip(ours, theirs, strict=True):
        assert_alike(one, other)


@pytest.mark.parametrize("name", GOLDENS)
def test_displays_are_what_they_were(name):
    html = GOLDENS[name]()._repr_html_()
    path = GOLDEN / f"{name}.html"
    if not path.exists():
        path.write_text(html + "\n", encoding="utf-8")
        pytest.fail(f"{path.name} is new: look at it")
    golden = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    golden.tail = None
    assert_alike(ElementTree.fromstring(html), golden)


def test_a_golden_display_notices_changes():
    html = GOLDENS["fit"]()._repr_html_()
    golden = ElementTree.fromstring(html)
    first = re.search(r'd="m(\d+) (\d+) ', html)
    assert first is not None
    x, y = map(int, first.groups())
    assert_alike(ElementTree.fromstring(html.replace(first[0], f'd="m{x} {y + 1} ')), golden)
    for wrong in (
        html.replace(first[0], f'd="m{x} {y + 3} '),
        html.replace("#E69F00", "#000000"),
        html.replace("converged", "konvergiert"),
    ):
        assert wrong != html
        with pytest.raises(AssertionError):
            assert_alike(ElementTree.fromstring(wrong), golden)


def test_a_terminal_shows_one_line():
    many = Mixture([0.1] * 10, range(10), [1] * 10)
    weighted = Sketch().add([1, 2, 3], [0.5, 0.25, 1])
    shown = [*(make() for make in GOLDENS.values()), many, weighted, collapsing()]
    expected = (GOLDEN / "reprs.txt").read_text(encoding="utf-8").splitlines()
    assert [repr(each) for each in shown] == expected


# what is drawn


def test_pictures_have_names_in_words():
    assert names(GOLDENS["fit"]()) == [
        "2 Gaussians: 36 % around 54.6, 64 % around 80.1; boundary at 66.6"
    ]
    assert names(GOLDENS["mixture_spike"]()) == [
        "2 Gaussians: 98 % around 0, 2 % around 1; boundaries at 1, 1; the sum peaks at 80"
    ]
    many = names(Mixture(np.full(40, 1 / 40), np.arange(40), np.full(40, 0.3)))[0]
    assert many.startswith("40 Gaussians: 2.5 % around 0, 2.5 % around 1, ")
    assert many.endswith(" and 34 more; boundaries at 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, and 33 more")
    assert names(GOLDENS["sketch"]()) == [
        "histogram of 401 values from 0 to 1e+06; 1 value lies outside: the data go from 0 to 1e+06"
    ]
    assert names(GOLDENS["comparison_of_tolerances"]())[1] == (
        "BIC against k = 1, 2, 3: nothing is chosen; not converged: k = 1, 2, 3"
    )
    assert names(collapsing())[1] == "BIC against k = 1, 2: k = 1 is chosen; collapsed: k = 2"
    for make in GOLDENS.values():
        html = make()._repr_html_()
        assert html.count('role="img"') == html.count("<svg") == html.count("aria-label")


def test_components_have_the_colours_of_all_pictures():
    paths = picture(Mixture([0.125] * 8, range(8), [1] * 8)).iter("path")
    drawn = [path for path in paths if path.get("stroke")]
    assert [path.get("stroke") for path in drawn] == [views.COLOURS[j % 6] for j in range(8)]
    assert [path.get("stroke-dasharray") is None for path in drawn] == [True] * 6 + [False] * 2


def test_a_curve_is_within_a_pixel_of_the_truth():
    m = Mixture([0.4, 0.1, 0.5], [-4, 0, 3], [1, 0.1, 1.5])
    shown = views.view(m, 1000, None)
    x, _, total = views.curves(m, shown)
    height = views.top(views.typical(m, shown), total.max())
    assert total.max() < height
    across = (x - shown.low) / (shown.high - shown.low) * 2600
    truth = np.stack([across, 770 - 740 * total / height], axis=1)
    curve = next(path for path in picture(m) if path.get("stroke-width") == "22")
    assert farthest(truth, corners(curve.get("d"))) < 10
    assert farthest(corners(curve.get("d")), truth) < 2


def test_a_spike_does_not_flatten_the_rest():
    for shown in (spiky(), gmm1d.Fit.from_json(spiky().to_json()), GOLDENS["mixture_spike"]()):
        heights = [
            corners(path.get("d"))[:, 1].min()
            for path in picture(shown)
            if path.get("stroke") in views.COLOURS
        ]
        assert min(heights) < 0  # out of sight
        assert 100 < max(heights) < 650


def test_few_values_are_ticks_and_many_are_bars():
    few = [path.get("d") for path in picture(gmm1d.fit(WAITING[:29], 1)).iter("path")]
    assert sum(d.count("v-100") for d in few) == np.unique(WAITING[:29]).size
    filled = [path.get("fill") for path in picture(gmm1d.fit(WAITING[:30], 1)).iter("path")]
    assert filled.count("currentColor") == 1


def test_the_choice_is_ringed_and_what_did_not_converge_is_hollow():
    def marks(comparison):
        svg = ElementTree.fromstring(comparison._repr_html_()).findall("svg")[1]
        rings = [circle for circle in svg.iter("circle") if circle.get("r") == "55"]
        dots = [circle.get("fill") for circle in svg.iter("circle") if circle.get("r") == "25"]
        squares = [square.get("fill") for square in svg.iter("rect")]
        crosses = [path for path in svg.iter("path") if "l50 50" in path.get("d")]
        return len(rings), dots, squares, len(crosses)

    blue = views.COLOURS[0]
    both = marks(GOLDENS["comparison"]())
    assert both == (1, [blue] * 4, [blue, "none", blue], 0)  # k = 3 with equal variances is flat
    assert marks(GOLDENS["comparison_of_tolerances"]()) == (0, ["none"] * 3, [], 0)
    assert marks(collapsing()) == (1, [blue], [], 1)


def test_many_values_are_not_read_again(monkeypatch):
    fit = gmm1d.fit(normal(30_000), 1)
    monkeypatch.setattr(views, "_counts", None)
    assert "currentColor" in fit._repr_html_()


def test_a_coarsened_sketch_says_so():
    said = "coarsened: the bound on the leaves forced some of them together"
    x = np.random.default_rng(0).standard_cauchy(100_000)
    assert said in Sketch(256).add(x)._repr_html_()
    assert said not in Sketch().add(x)._repr_html_()


def test_displays_are_small():
    assert len(GOLDENS["fit"]()._repr_html_().encode()) < 12_000
    eight = gmm1d.fit(normal(1600) / 2 + np.repeat(np.arange(8) * 2, 200), 8, start="quantile")
    assert len(eight._repr_html_().encode()) < 20_000
    beyond = Mixture(np.full(60, 1 / 60), np.arange(60), np.full(60, 1))
    assert "<svg" not in beyond._repr_html_()
    assert "Mixture of 60 Gaussians" in beyond._repr_html_()


def test_names_are_text():
    odd = "<b onclick='x'>&\"</b>"
    fit = replace(GOLDENS["fit"](), notes=(odd,), status=gmm1d.Ending.CONVERGED)
    comparison = gmm1d.Comparison({2: fit}, "bic", 2, odd)
    for shown, text in ((fit, f"note: {odd}"), (comparison, odd)):
        html = shown._repr_html_()
        assert "<b" not in html.replace("<body", "").replace("<tbody", "")
        assert text in [p.text for p in ElementTree.fromstring(html).iter("p")]


# never an error

HARD = {
    "zero weights": lambda: Mixture([0, 1, 0], [0, 1, 1e9], [1, 1, 2]),
    "tiny weight": lambda: Mixture([1e-12, 1 - 1e-12], [50, 0], [1, 1]),
    "tiny std": lambda: Mixture([0.5, 0.5], [0, 1], [1e-150, 1]),
    "huge stds": lambda: Mixture([0.5, 0.5], [0, 1e151], [1e150, 2e150]),
    "huge and tiny std": lambda: Mixture([0.5, 0.5], [0, 5e153], [1.3e154, 1.6e-154]),
    "far away": lambda: Mixture([0.5, 0.5], [1e9, 1e9 + 0.01], [1e-3, 1e-3]),
    "no float64 between": lambda: Mixture([1], [1e9], [1e-150]),
    "forty": lambda: Mixture(np.full(40, 1 / 40), np.arange(40), np.full(40, 0.3)),
    "loaded": lambda: gmm1d.Fit.from_json(GOLDENS["fit"]().to_json()),
    "one": lambda: gmm1d.fit(WAITING, 1),
    "two values": lambda: quiet(gmm1d.fit, [0, 1] * 30, 1),
    "ulps": lambda: quiet(gmm1d.fit, [1e16, 1e16 + 2, 1e16 + 4, 1e16 + 2] * 20, 1),
    "outlier": lambda: quiet(gmm1d.fit, np.append(normal(200), 1e20), 2),
    "small unit": lambda: quiet(gmm1d.fit, normal(60) * 1e-150, 2),
    "large unit": lambda: quiet(gmm1d.fit, normal(60) * 1e150, 2),
    "one k": lambda: gmm1d.compare(WAITING, [2]),
    "collapsed": collapsing,
    "weights of zero": lambda: Sketch().add([1, 2], [0, 0]),
    "constant": lambda: Sketch().add([5] * 50),
    "zeros": lambda: Sketch().add([0] * 50),
    "tiny weights": lambda: Sketch().add([1, 2, 3], [1e-12, 1e-12, 2e-12]),
    "the whole line": lambda: Sketch().add([-1e308, 0, 1e308] * 20),
    "subnormal": lambda: Sketch().add([5e-324, 1e-323] * 20),
    "neighbours": lambda: Sketch().add([1e16, 1e16 + 2] * 20),
}


@pytest.mark.parametrize("name", HARD)
def test_no_display_fails(name):
    display = ElementTree.fromstring(HARD[name]()._repr_html_())  # warnings are errors
    assert display.find("table") is not None
    words = " ".join(display.itertext()) + " ".join(names(HARD[name]()))
    assert not re.search(r"\b(nan|inf)\b", words)
    for path in display.iter("path"):
        if path.get("d").startswith("m"):
            x, y = corners(path.get("d")).T
            assert 0 <= x.min() <= x.max() <= 2600
            assert -20 <= y.min() <= y.max() <= 770
