"""The interactive page in a real browser: everything it offers works, and everything wrong is a sentence on a page that lives."""

import csv
import io
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from browser import opened, serious

import gmm1d
from gmm1d import explore
from gmm1d.explore import fits, serving, store

DATA = Path(__file__).parent.parent / "examples" / "data"
WAITING = np.loadtxt(DATA / "faithful_waiting.txt")
HOSTILE = "<img src=x onerror=alert(1)> & \"'$a_b$ \\alpha {{ 7 }} 数据 \u202e"
CSV = "name,length,width,other\na,1.5,10,1\nb,2.5,20,5\nc,,30,6\nd,7.5,,7\ne,8.5,50,8\nf,9.0,60,9\n"


class Server:
    """The application on a port of this machine, with its store at hand."""

    def __init__(self):
        self.store = store.Store()
        self.listener = serving._listening(0)
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/token/"
        app = explore.application(token="token", store=self.store)
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()

    def end(self):
        self.server.force_exit = self.server.should_exit = True
        self.thread.join()
        self.listener.close()
        self.store.clear()


@pytest.fixture(scope="module")
def server():
    running = Server()
    yield running
    running.end()


@pytest.fixture(scope="module")
def tab(browser, server):
    with opened(browser, server.address) as shown:
        ready(shown)
        yield shown


@pytest.fixture(scope="module")
def misled_tab(browser, server):
    with opened(browser, server.address, refused=True) as shown:
        ready(shown)
        yield shown


@pytest.fixture
def page(tab):
    return usual(tab)


@pytest.fixture
def misled(misled_tab):
    """A page on which requests are refused."""
    return usual(misled_tab)


def usual(page):
    """Return a page that was used before, with its options as at first."""
    page.evaluate("""() => {
        for (const id of ["criterion", "decimal", "method"]) $(id).selectedIndex = 0;
        $("equal").checked = $("paste").open = $("code").open = false;
    }""")
    return page


def ready(page):
    page.locator("#workbench:not([inert])").wait_for()


def until(found, wanted=True, seconds=10):
    """Wait: the page's policy does not let Playwright evaluate conditions on it."""
    end = time.monotonic() + seconds
    while (last := found()) != wanted:
        assert time.monotonic() < end, last
        time.sleep(0.02)


def settled(page):
    """Wait until nothing is under way and the result is shown."""
    until(lambda: page.evaluate("!Object.values(lanes).some((lane) => lane.busy)"))
    page.locator("#problem").wait_for(state="hidden")


def example(page, name):
    page.get_by_label("Example").select_option(name)
    settled(page)


def pasted(page, text):
    page.locator("#paste").evaluate("each => (each.open = true)")
    page.get_by_label("Numbers, as text").fill(text)
    page.get_by_role("button", name="Use these").click()


def chosen(page, name, content, kind="text/csv"):
    file = {"name": name, "mimeType": kind, "buffer": content}
    page.get_by_label("File").set_input_files(file)


def dropped(page, name, content):
    make = """([name, content]) => {
        const held = new DataTransfer();
        if (name) held.items.add(new File([content], name)); else held.setData("text/plain", content);
        return held;
    }"""
    held = page.evaluate_handle(make, [name, content])
    page.dispatch_event("main", "drop", {"dataTransfer": held})


def problem(page):
    page.locator("#problem").wait_for()
    return page.locator("#problem").inner_text()


def about(page):
    return page.locator("#about").inner_text()


def components(page, k):
    page.get_by_role("radio", name=str(k), exact=True).check()


def status(page):
    return page.locator("#status").inner_text()


def shown(page):
    """Return what the page knows of the fit that it shows."""
    return page.evaluate("state.fit")


def place(page, j):
    """Return where the handle of component j of the start is, on the screen."""
    where = """j => {
        const chart = state.picture.density, { x, y } = state.picture.handles[j], view = chart.view;
        const frame = chart.element.querySelector("svg").getBoundingClientRect();
        const [left, top] = view.origin().map((o, i) => o + Object.values(view.padding())[i]);
        return [frame.left + left + view.scale("x")(x), frame.top + top + view.scale("y")(y)];
    }"""
    return page.evaluate(where, j)


def moved(page, j, right, down):
    x, y = place(page, j)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=3)
    page.mouse.up()
    settled(page)


def test_a_table_is_pasted_chosen_or_dropped_and_a_column_chosen(page):
    for take in (
        lambda: pasted(page, CSV),
        lambda: chosen(page, "sizes.csv", CSV.encode()),
        lambda: dropped(page, "sizes.csv", CSV),
        lambda: dropped(page, "", CSV),
    ):
        take()
        until(lambda: "5 values of length, from 1.5 to 9; 1 missing left out" in about(page))
        page.get_by_label("Column").select_option("width")
        until(lambda: "5 values of width, from 10 to 60" in about(page))
        settled(page)
        assert shown(page)["n"] == 5
        title = page.locator("#picture [data-chart=density] svg").text_content()
        assert "width" in title
    example(page, "waiting")
    assert page.get_by_label("Column").is_hidden()


def test_a_decimal_comma_is_chosen_after_the_fact(page):
    chosen(page, "komma.txt", b"1,5\n2,25\n3,75\n9,0\n")
    until(lambda: "komma.txt: 4 values of x, from 1 to 9" in about(page))
    page.get_by_label("Decimal mark").select_option("comma")
    until(lambda: "4 values of x, from 1.5 to 9" in about(page))
    settled(page)


def test_every_example_is_fitted(page):
    names = page.eval_on_selector_all("#example option", "all => all.map((each) => each.value)")
    for name in names[1:]:
        example(page, name)
        assert status(page).startswith("Converged")
        assert page.locator("#example").input_value() == name
    pasted(page, "1 2 3 7 8")
    until(lambda: "pasted.txt: 5 values" in about(page))
    assert page.locator("#example").input_value() == ""


def test_the_worked_problem_of_five_points(page):
    example(page, "five")
    assert page.get_by_role("radio", name="a climb from").is_checked()
    assert "−24.512532" in page.locator("[data-step]").inner_text()
    assert shown(page)["log_likelihood"] == pytest.approx(-8.465258966889513, rel=1e-12)
    assert "Log-likelihood −8.46525897" in status(page)
    keys = page.locator("#picture .keys li")
    assert "50 % around 6, std 1" in keys.first.inner_text()
    assert len(page.evaluate("state.picture.handles")) == 2
    for button in ("Step", "Step"):
        page.get_by_role("button", name=button).click()
    assert "36.3 % around 5.1317, std 0.785" in keys.first.inner_text()
    assert page.evaluate("state.picture.handles") is None
    page.get_by_role("button", name="End").click()
    assert "−8.465259" in page.locator("[data-step]").inner_text()
    page.get_by_role("button", name="Back").click()
    assert page.locator("[data-step]").inner_text().startswith("M-step 7")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Play").click()
    until(lambda: "E-step 1" in page.locator("[data-step]").inner_text())
    page.get_by_role("button", name="Pause").click()
    race = page.locator("#race").inner_text()
    assert race.startswith("EM: ")
    assert "Newton: " in race
    assert race.endswith("The orange line is Newton's.")


def test_the_exercise_begins_with_its_start(page):
    example(page, "two")
    assert "−242.78742" in page.locator("[data-step]").inner_text()
    assert shown(page)["log_likelihood"] == pytest.approx(-94.431367, abs=5e-7)
    for method, told in (("squarem", "SQUAREM: "), ("newton", "Newton: ")):
        page.get_by_label("Method").select_option(method)
        until(lambda told=told: page.locator("#race").inner_text().startswith(told))
    assert "orange" not in page.locator("#race").inner_text()


def test_k_criterion_and_variances_are_followed_at_once(page):
    compared = gmm1d.compare(WAITING, range(1, 7))
    example(page, "waiting")
    assert page.locator("#reason").inner_text() == compared.reason
    assert page.locator("#criteria tbody tr").count() == 11
    assert page.locator("#criteria tr.chosen").inner_text().split()[:2] == ["*2", "equal"]
    assert page.locator("[data-chart=criteria] svg path").count() > 18
    page.get_by_label("Choose by").select_option("aic")
    until(lambda: shown(page)["comparison"]["criterion"], "aic")
    settled(page)
    assert "AIC" in page.locator("#reason").inner_text()
    components(page, 3)
    until(lambda: shown(page)["k"], 3)
    settled(page)
    header, rows = compared[3].table()
    table = [row.split("\t") for row in page.locator("#parameters").inner_text().split("\n")[1:]]
    assert [[cell.strip() for cell in row] for row in table] == [header, *rows]
    assert page.locator("#choice").is_hidden()
    assert page.get_by_label("Choose by").is_disabled()
    page.get_by_label("equal variances").check()
    until(lambda: len(set(shown(page)["mixture"]["stds"])), 1)
    assert page.locator("#picture .keys li").count() == 3


def test_the_threshold_is_dragged_and_typed(page):
    example(page, "waiting")
    slider = page.get_by_label("Threshold", exact=True)
    first = float(slider.input_value())
    assert first == pytest.approx(
        gmm1d.fit(WAITING, 2, equal_variances=True).mixture.boundaries()[0], rel=1e-9
    )
    chart = page.locator("#picture [data-chart=density]").bounding_box()
    page.mouse.move(chart["x"] + 300, chart["y"] + 60)
    page.mouse.down()
    page.mouse.move(chart["x"] + 700, chart["y"] + 60, steps=3)
    page.mouse.up()
    assert float(slider.input_value()) > 75
    page.get_by_label("Threshold as a number").fill("60")
    assert "Below it lie 29" in page.locator("#cut output").inner_text()


def test_who_waits_for_a_search_is_told(page, monkeypatch):
    go, fit = threading.Event(), fits.Fitter.fit

    def slow(self, k, **options):
        go.wait(10)
        return fit(self, k, **options)

    example(page, "snapper")
    monkeypatch.setattr(fits.Fitter, "fit", slow)
    components(page, 4)
    until(lambda: page.locator("#busy").inner_text() == "Working …")
    go.set()
    until(lambda: shown(page)["k"] == 4)
    assert page.locator("#busy").inner_text() == ""


def test_the_last_click_wins(page, monkeypatch):
    fit = fits.Fitter.fit

    def slow(self, k, **options):
        time.sleep(0.05 * (11 - k))  # those asked for first answer last
        return fit(self, k, **options)

    example(page, "waiting")
    monkeypatch.setattr(fits.Fitter, "fit", slow)
    for k in (*range(1, 11), 3, 9):
        components(page, k)
    settled(page)
    page.wait_for_timeout(600)
    assert shown(page)["k"] == 9
    assert page.locator("#parameters tbody tr").count() == 9
    assert page.locator("#picture .keys li").count() == 9


def test_a_search_that_nobody_waits_for_ends(page, monkeypatch):
    ended, fit = [], fits.Fitter.fit

    def endless(self, k, *, gone=bool, **options):
        if k == 4:
            until(gone)
            ended.append(k)
            fits._heed(gone)
        return fit(self, k, **options)

    example(page, "waiting")
    monkeypatch.setattr(fits.Fitter, "fit", endless)
    components(page, 4)
    page.wait_for_timeout(700)
    components(page, 3)
    until(lambda: ended, [4])
    settled(page)
    assert shown(page)["k"] == 3


def test_new_data_are_not_overtaken_by_a_fit_of_the_old(page, monkeypatch):
    fit = fits.Fitter.fit

    def slow(self, k, **options):
        time.sleep(0.5)
        return fit(self, k, **options)

    example(page, "waiting")
    monkeypatch.setattr(fits.Fitter, "fit", slow)
    components(page, 5)
    example(page, "five")
    page.wait_for_timeout(700)
    assert shown(page)["n"] == 5
    assert page.locator("#picture .keys li").count() == 2


def test_components_are_dragged_and_the_climb_is_from_there(page):
    example(page, "two")
    moved(page, 0, -150, 0)
    moved(page, 1, 100, 40)
    start = page.evaluate("state.start")
    assert start["means"][0] < -1.5
    assert start["means"][1] > 1.5
    assert start["stds"][0] == pytest.approx(1)
    assert start["stds"][1] > 1.2
    assert page.locator("#named").input_value() == ""
    x = page.evaluate("state.data.scene.points.flatMap(([x, n]) => Array(n).fill(x))")
    begun = {
        "weights": start["weights"],
        "means": start["means"],
        "variances": np.square(start["stds"]),
    }
    ell = np.log(gmm1d.Mixture(**begun).pdf(x)).sum()
    told = page.locator("[data-step]").inner_text()
    assert float(re.search(r"−[\d.]+\d", told)[0].replace("−", "-")) == pytest.approx(ell, rel=1e-6)
    assert float(page.get_by_label("mean of component 1").input_value()) == pytest.approx(
        start["means"][0], abs=1e-3
    )
    page.locator("#named").select_option("given")
    settled(page)
    assert page.evaluate("state.start.means") == [-0.5, 0.5]


def test_components_are_dragged_by_a_finger(browser, server):
    with opened(browser, server.address, has_touch=True) as page:
        ready(page)
        example(page, "two")
        page.locator("#picture").scroll_into_view_if_needed()
        x, y = place(page, 0)
        scrolled = page.evaluate("scrollY")
        touch = page.context.new_cdp_session(page)
        for kind, dx, dy in (
            ("touchStart", 0, 0),
            *(("touchMove", 0, 8 * i) for i in range(1, 8)),
            ("touchEnd", 0, 0),
        ):
            points = [] if kind == "touchEnd" else [{"x": x + dx, "y": y + dy}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        settled(page)
        assert page.evaluate("state.start.stds[0]") > 1.2
        assert page.evaluate("scrollY") == scrolled


def test_components_are_placed_by_keyboard_alone(page):
    example(page, "five")
    page.get_by_label("weight of component 1").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("0.25")
    page.keyboard.press("Tab")
    settled(page)
    assert page.evaluate("document.activeElement.ariaLabel") == "mean of component 1"
    assert page.evaluate("state.start.weights") == [0.25, 0.75]
    assert page.get_by_label("weight of component 2").input_value() == "0.75"
    page.keyboard.press("Control+a")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    settled(page)
    assert page.evaluate("state.start.means") == [4, 7]
    assert "25 % around 4, std 1" in page.locator("#picture .keys li").first.inner_text()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("std of component 1", "-1"),
        ("weight of component 1", "0"),
        ("weight of component 1", "2"),
        ("mean of component 2", ""),
        ("std of component 1", "1e-9"),
    ],
)
def test_a_start_that_leads_nowhere_is_a_sentence(misled, field, value):
    example(misled, "five")
    right = misled.get_by_label(field).input_value()
    misled.get_by_label(field).fill(value)
    misled.keyboard.press("Enter")
    assert len(problem(misled)) > 20
    assert misled.locator("#outcome").is_hidden()
    assert misled.locator("#steps").is_hidden()
    misled.locator("#named").select_option("given")
    settled(misled)
    assert misled.get_by_label(field).input_value() == right
    assert shown(misled)["log_likelihood"] == pytest.approx(-8.465258966889513, rel=1e-12)


def downloaded(page, title):
    with page.expect_download() as waiting:
        page.get_by_role("link", name=title, exact=True).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_downloads_hold_what_is_shown(page, tmp_path):
    example(page, "waiting")
    components(page, 2)
    until(lambda: shown(page)["comparison"], None)
    settled(page)
    mixture, ell = shown(page)["mixture"], shown(page)["log_likelihood"]
    found = {
        name: downloaded(page, title) for name, title in page.evaluate("Object.entries(FILES)")
    }
    stem = "Old Faithful, waiting times-k2-"
    assert {name: each[0] for name, each in found.items()} == {name: stem + name for name in found}
    content = {name: each[1] for name, each in found.items()}
    (tmp_path / "model.json").write_bytes(content["model.json"])
    saved = gmm1d.Fit.load(tmp_path / "model.json")
    assert saved.log_likelihood == pytest.approx(ell, rel=1e-15)
    assert content["picture.png"].startswith(b"\x89PNG")
    assert b"<svg" in content["picture.svg"][:1000]
    rows = list(csv.reader(io.StringIO(content["labels.csv"].decode())))
    assert len(rows) == 273
    assert sum(row[1] == "1" for row in rows) == pytest.approx(272 * mixture["weights"][0], abs=5)
    page.get_by_text("The Python code that does the same").click()
    code = page.locator("#code pre")
    until(lambda: code.inner_text() != "")
    assert code.inner_text().strip() == content["code.py"].decode().strip()
    (tmp_path / "all.py").write_bytes(content["code.py"] + b"print(f.log_likelihood)\n")
    ran = subprocess.run([sys.executable, tmp_path / "all.py"], capture_output=True, check=True)
    assert float(ran.stdout.split()[-1]) == pytest.approx(ell, rel=1e-14)
    components(page, 3)
    until(lambda: "fit(x, 3)" in code.inner_text())


def test_names_are_text_whatever_they_hold(page):
    table = io.StringIO()
    csv.writer(table).writerows(
        [[HOSTILE, "b\u202ec", "d"], [1, 5, 2], [2, 6, 3], [3, 7, 5], [7, 8, 9], [8, 9, 9]]
    )
    chosen(page, HOSTILE.replace("/", "") + ".csv", table.getvalue().encode())
    until(lambda: "5 values" in about(page))
    settled(page)
    assert page.locator("img").count() == 0
    visible = " ".join(HOSTILE.replace("\u202e", " ").split())
    assert visible in about(page)
    assert page.locator("#column option").first.text_content() == HOSTILE.strip()
    assert HOSTILE.strip() in page.locator("#picture [data-chart=density] svg").text_content()
    page.get_by_label("Column").select_option("2")
    until(lambda: "b\u202ec" in about(page))
    settled(page)
    assert page.locator("#about bdi").count() == 2
    name, _ = downloaded(page, "Model (JSON)")
    assert "数据" in name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 40),
        ("archive.zip", b"PK\x03\x04" + bytes(range(256)) * 40),
        ("page.html", b"<!doctype html><html><body><p>1 2 3</p></body></html>"),
        ("empty.txt", b""),
        ("one.txt", b"3.5\n"),
        ("equal.txt", b"3.5\n" * 20),
        ("words.csv", b"a,b\nc,d\n"),
    ],
)
def test_what_is_no_data_is_a_sentence_and_the_page_goes_on(misled, name, content):
    example(misled, "five")
    before = about(misled)
    chosen(misled, name, content)
    assert name in problem(misled)
    assert about(misled) == before
    assert misled.locator("#outcome").is_visible()
    components(misled, 1)
    until(lambda: shown(misled)["k"], 1)
    settled(misled)


def test_a_folder_is_a_sentence(page):
    page.evaluate(
        "upload({ slice: () => ({ arrayBuffer: () => Promise.reject(new Error()) }) }, 'x')"
    )
    assert "is it a folder" in problem(page)


def test_a_tab_that_is_closed_midway_leaves_nothing(browser, server, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with opened(browser, server.address) as page:
        ready(page)
        page.evaluate(
            "void upload(new Blob(Array(60).fill('1.25\\n'.repeat(200_000))), 'long.txt')"
        )
        until(lambda: len(list(tmp_path.iterdir())), 1)
    until(lambda: len(list(tmp_path.iterdir())), 0)


def test_two_tabs_keep_their_own_data(browser, server, page):
    with opened(browser, server.address) as other:
        ready(other)
        example(page, "waiting")
        example(other, "snapper")
        components(page, 3)
        components(other, 4)
        until(lambda: shown(page)["k"], 3)
        until(lambda: shown(other)["k"], 4)
        assert (shown(page)["n"], shown(other)["n"]) == (272, 256)


def test_data_that_were_dropped_are_asked_for_again(server, misled):
    example(misled, "waiting")
    server.store.clear()
    components(misled, 3)
    assert problem(misled) == "these data are not kept any more: load them again"
    example(misled, "five")
    server.store.clear()
    misled.get_by_role("link", name="Model (JSON)").click()
    assert "load them again" in problem(misled)
    example(misled, "waiting")


def test_a_server_that_has_ended_is_a_sentence(browser):
    own = Server()
    try:
        with opened(browser, own.address, refused=True) as page:
            ready(page)
            example(page, "five")
            own.end()
            components(page, 3)
            assert "is the command still running?" in problem(page)
            page.get_by_label("Example").select_option("waiting")
            assert "is the command still running?" in problem(page)
    finally:
        own.end()


def test_without_scripts_the_page_says_so(browser, server):
    with opened(browser, server.address, java_script_enabled=False) as page:
        assert page.locator("noscript").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser, server, scheme):
    with opened(browser, server.address, color_scheme=scheme) as page:
        ready(page)
        assert serious(page) == []
        for name in ("waiting", "five"):
            example(page, name)
            assert serious(page) == []
            widths = page.evaluate("""[...document.querySelectorAll(".chart")].filter((each) => each.clientWidth)
                .map((each) => [each.clientWidth, each.querySelector("svg").getBoundingClientRect().width])""")
            assert len(widths) == {"waiting": 3, "five": 4}[name]
            assert all(room == width for room, width in widths)  # of those that were hidden, too


def test_every_control_is_reached_by_keyboard_and_seen(page):
    example(page, "five")
    every = page.locator(
        "main :is(select, input, button, summary, a, textarea):visible:enabled:not([name=k], [name=mode])"
    )
    wanted = {each.evaluate("each => each.outerHTML") for each in every.all()}
    page.evaluate("document.activeElement.blur()")
    for _ in range(2 * len(wanted)):
        page.keyboard.press("Tab")
        look = "each => [each.outerHTML, getComputedStyle(each).outlineStyle]"
        html, outline = (
            page.locator(":focus").evaluate(look) if page.locator(":focus").count() else ("", "")
        )
        if html in wanted:
            assert outline != "none", html
            wanted.remove(html)
    assert not wanted
