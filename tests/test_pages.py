"""Pages in a real browser: write-ups and replays play, are readable without sight or network, and hold hostile names."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from browser import address, opened, serious

import gmm1d
from gmm1d.pages import assets, scenes
from gmm1d.report import write_report

WAITING = Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt"
HOSTILE = "</script><img src=x onerror=alert(1)> \"'$a_b$ \\alpha {{ 7 * 7 }} #let 数据 \u202e"


@pytest.fixture(scope="module")
def compared():
    return gmm1d.compare(np.loadtxt(WAITING), range(2, 7))


@pytest.fixture(scope="module")
def written(compared, tmp_path_factory):
    path = tmp_path_factory.mktemp("pages") / "writeup.html"
    write_report(compared, path, xlabel="waiting time (minutes)")
    return address(path)


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    start = {"weights": [0.5, 0.5], "means": [6, 7], "variances": [1, 4]}
    path = tmp_path_factory.mktemp("pages") / "replay.html"
    f = gmm1d.fit([-1, 0, 4, 5, 6], 2, start=start, method="em")
    f.replay().save(path, xlabel="the five points")
    return address(path)


def drawn(page, where="#look"):
    page.wait_for_function(f"document.querySelector('{where} [data-chart=density] svg path')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_write_up_is_accessible_and_asks_for_nothing(browser, written, scheme):
    with opened(browser, written, color_scheme=scheme) as page:
        drawn(page)
        assert serious(page) == []


def test_a_write_up_of_five_k_is_small(written):
    assert Path(written.removeprefix("file://")).stat().st_size < 2_000_000


def test_another_k_is_shown(browser, written, compared):
    with opened(browser, written) as page:
        drawn(page)
        assert page.locator("#look .keys li").count() == 2
        page.get_by_role("radio", name="5", exact=True).check()
        assert page.locator("#look .keys li").count() == 5
        first = page.locator("#look .keys li").first.inner_text()
        page.get_by_role("radio", name="k = 4 with equal variances").check()
        assert page.locator("#look .keys li").count() == 4
        last = page.locator("#look .keys li").first.inner_text()
    assert f"{100 * compared[5].mixture.weights[0]:.3g} %" in first
    assert f"{100 * compared[4, 'equal'].mixture.weights[0]:.3g} %" in last


def test_the_threshold_follows_mouse_keys_and_numbers(browser, written, compared):
    with opened(browser, written) as page:
        drawn(page)
        slider, said = (
            page.get_by_label("Threshold", exact=True),
            page.locator("#look .threshold output"),
        )
        boundary = compared.best.mixture.boundaries()[0]
        assert float(slider.input_value()) == pytest.approx(boundary, rel=1e-12)
        assert "36 % of the mixture" in said.inner_text()
        chart = page.locator("#look [data-chart=density]").bounding_box()
        x, y = chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 100, y, steps=3)
        page.mouse.up()
        right = float(slider.input_value())
        assert right > boundary + 4
        page.mouse.move(x, y)
        assert float(slider.input_value()) == right  # let go
        slider.press("ArrowLeft")
        assert float(slider.input_value()) < right
        page.get_by_label("Threshold as a number").fill("60")
        below = compared.best.mixture.cdf(60.0)
        assert f"Below it lie {100 * below:.3g} % of the mixture" in said.inner_text()


def test_hovering_tells_density_and_posterior(browser, written, compared):
    with opened(browser, written) as page:
        drawn(page)
        chart = page.locator("#look [data-chart=density]").bounding_box()
        page.mouse.move(chart["x"] + 400, chart["y"] + 100)
        said = page.locator("#look [data-readout]").inner_text()
        name, _, rest = said.partition(" = ")
        assert name == "waiting time (minutes)"
        x = float(rest.split(":")[0])
        density = float(said.partition("density ")[2].partition(";")[0])
        assert density == pytest.approx(compared.best.mixture.pdf(x), rel=1e-3)
        shares = compared.best.mixture.responsibilities(x)
        told = [float(part.split("%")[0]) for part in said.split(": ")[-2:]]
    assert told == pytest.approx((100 * shares).tolist(), abs=0.1)


def test_the_scripts_compute_what_the_library_does(browser, written):
    m = gmm1d.Mixture([0.2, 0.5, 0.3], [-1e3, 0, 2e3], [10, 1e-2, 500])
    content = {name: getattr(m, name).tolist() for name in ("weights", "means", "stds")}
    xs = [-1000, -990.5, 0.005, 700, 1e4]
    ask = f"[{xs}].flat().map(x => [mixture.density(m, x), ...mixture.responsibilities(m, x)])"
    with opened(browser, written) as page:
        found = np.array(page.evaluate(f"(m => {ask})({json.dumps(content)})"))
    np.testing.assert_allclose(found[:, 0], m.pdf(xs), rtol=1e-12)
    np.testing.assert_allclose(found[:, 1:], m.responsibilities(xs), rtol=1e-9, atol=1e-300)


def test_without_scripts_all_is_there_to_read(browser, written):
    with opened(browser, written, java_script_enabled=False) as page:
        assert "best described by 2 groups" in page.locator("#answer").inner_text()
        assert page.locator("#pictures svg path").count() > 5 * 2
        assert page.locator("noscript").first.is_visible()


def test_names_are_text_whatever_they_hold(browser, tmp_path):
    found = gmm1d.compare(np.loadtxt(WAITING), [2], progress=False)
    write_report(found, tmp_path / "hostile.html", xlabel=HOSTILE, title=HOSTILE, command=HOSTILE)
    with opened(browser, address(tmp_path / "hostile.html")) as page:
        drawn(page)
        shown = " ".join(HOSTILE.split())
        assert page.locator("h1").inner_text() == shown
        assert page.title() == shown
        assert page.locator("img[src=x]").count() == 0
        assert shown in page.locator("#data pre").inner_text()
        assert shown in page.locator("#look [data-chart=density] svg").text_content()


@pytest.mark.parametrize("unit", [1.0, 1e-150])
def test_nothing_is_wider_than_a_telephone(browser, tmp_path, unit):
    ended = gmm1d.compare(np.loadtxt(WAITING) * unit, [2, 3], progress=False)
    early = gmm1d.compare(np.loadtxt(WAITING) * unit, [2, 3], method="em", start="quantile", tol=1)
    write_report(early, tmp_path / "a.html", ended=ended)
    with opened(browser, address(tmp_path / "a.html")) as page:
        page.set_viewport_size({"width": 400, "height": 900})
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert serious(page) == []


def test_on_paper_the_colours_are_named_and_nothing_waits_for_a_hand(browser, written):
    with opened(browser, written) as page:
        drawn(page)
        page.emulate_media(media="print")
        assert not page.locator("#replay").is_visible()
        assert not page.locator("#look fieldset").is_visible()
        assert page.locator("#pictures .keys svg").count() == 2 * (2 + 3 + 4 + 5 + 6)


def test_components_beyond_the_colours_have_dashes(browser, tmp_path):
    found = gmm1d.compare(np.loadtxt(WAITING), [8], families="unequal", progress=False)
    write_report(found, tmp_path / "a.html")
    with opened(browser, address(tmp_path / "a.html")) as page:
        drawn(page)
        for where in ("#look", "#pictures"):
            looks = [
                (key.get_attribute("stroke"), key.get_attribute("stroke-dasharray"))
                for key in page.locator(f"{where} .keys path").all()
            ]
            assert len(set(looks)) == 8
            assert looks[6] == (looks[0][0], "6,3")


def test_steps_that_are_not_of_em_are_not_told_as_such(browser, tmp_path):
    gmm1d.fit(np.loadtxt(WAITING), 2).replay().save(tmp_path / "a.html")
    with opened(browser, address(tmp_path / "a.html")) as page:
        drawn(page, "#replay")
        assert page.title() == "A climb on the data, step by step"
        page.get_by_role("button", name="Step").click()
        assert page.locator("[data-step]").inner_text().startswith("Newton step 1")
        page.get_by_role("button", name="End").click()
        assert page.locator("[data-step]").inner_text().startswith("After 3 Newton steps:")


def test_a_replay_lifts_and_climbs_the_bound(browser, replayed):
    with opened(browser, replayed) as page:
        drawn(page, "#replay")
        said = page.locator("[data-step]")
        assert "−24.512532" in said.inner_text()
        page.get_by_role("button", name="Step").click()
        assert said.inner_text().startswith("E-step 1")
        page.get_by_role("button", name="Step").click()
        assert said.inner_text().startswith("M-step 1")
        assert "36.3 % around 5.1317, std 0.785" in page.locator(".keys li").first.inner_text()
        slider = page.get_by_label("Half steps of EM")
        slider.press("End")
        assert "−8.465259" in said.inner_text()
        slider.press("ArrowLeft")
        slider.press("ArrowLeft")
        assert said.inner_text().startswith("E-step 7")
        assert serious(page) == []


def test_a_replay_plays_to_its_end_and_stops(browser, replayed):
    with opened(browser, replayed) as page:
        drawn(page, "#replay")
        page.get_by_label("Half steps of EM").fill("12")
        page.get_by_role("button", name="Play").click()
        assert page.get_by_role("button", name="Pause").is_visible()
        page.get_by_role("button", name="Play").wait_for()
        assert page.get_by_label("Half steps of EM").input_value() == "15"


def test_a_replay_is_shown_in_a_notebook(browser, tmp_path):
    f = gmm1d.fit([-1, 0, 4, 5, 6], 2, start="quantile", method="em")
    (tmp_path / "notebook.html").write_text(f"<title>n</title>{f.replay()._repr_html_()}")
    with opened(browser, address(tmp_path / "notebook.html")) as page:
        frame = page.frame_locator("iframe")
        frame.locator("[data-chart=density] svg path").first.wait_for()
        frame.get_by_role("button", name="Step").click()
        assert frame.locator("[data-step]").inner_text().startswith("E-step 1")


def test_scripts_cannot_end_their_own_element():
    for name in ("mixture.js", "charts.js", "threshold.js", "replay.js", "report.js"):
        assert "</script" not in assets.static(name)
    assert "</script" not in assets._closed("a = '</script>'")


@pytest.mark.parametrize("program", [None, "", "/nowhere/python"])
def test_the_runtime_is_made_where_no_other_process_can_be(monkeypatch, program):
    monkeypatch.setattr("sys.executable", program)
    assets.begin.cache_clear()
    try:
        assert assets.begin() is None
        monkeypatch.setattr(assets, "require", lambda *_: Bundler)
        assert assets.vega.__wrapped__() == "(() => {window.vegaEmbed = vegaEmbed;})();"
    finally:
        assets.begin.cache_clear()


class Bundler:
    @staticmethod
    def javascript_bundle(snippet):
        return snippet


def test_an_interval_without_an_end_is_left_out():
    f = gmm1d.fit(np.loadtxt(WAITING), 2)
    open_ended = SimpleNamespace(boundaries=np.array([[64.6, np.inf], [-np.inf, 9e4]]))
    stub = SimpleNamespace(
        mixture=f.mixture,
        standard_errors=f.standard_errors,
        confidence_intervals=lambda: open_ended,
    )
    drawn = scenes.drawing(stub)["boundaries"]
    assert [each["at"] for each in drawn] == f.mixture.boundaries().tolist()
    assert [(each["error"], each["low"], each["high"]) for each in drawn] == [
        (None, None, None)
    ] * 2


def test_values_outside_the_picture_are_counted(browser, tmp_path):
    x = np.append(np.loadtxt(WAITING), [1e4, -1e4])
    write_report(gmm1d.compare(x, [2]), tmp_path / "far.html")
    with opened(browser, address(tmp_path / "far.html")) as page:
        drawn(page)
        said = page.locator("#look .keys li").last.inner_text()
    assert said == "2 values lie outside: the data go from -1e+04 to 1e+04"
