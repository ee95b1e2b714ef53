"""The server of the page: every route, every bad input, who may ask, and how it ends."""

import contextlib
import csv
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from test_cli import GMM1D, WAITING, one_line, posix, run

import gmm1d
from gmm1d import explore
from gmm1d.errors import FitWarning
from gmm1d.explore import answers, fits, loading, requests, store
from gmm1d.explore.guard import HEADERS
from gmm1d.replays import replay

TOKEN = "a-token-of-tests"
HOST = "http://127.0.0.1:8000"
DATA = WAITING.parent
FIVE = {"weights": [0.5, 0.5], "means": [6, 7], "stds": [1, 2]}


class Page(TestClient):
    """A browser that knows the token."""

    def get(self, path: str, **options: Any) -> Any:
        return super().get(f"/{TOKEN}/{path}", **options)

    def post(self, path: str, **options: Any) -> Any:
        return super().post(f"/{TOKEN}/{path}", **options)

    def load(self, text: str | bytes, **query: str) -> dict[str, Any]:
        found = self.post("data", content=text, params=query)
        assert found.status_code == 200, found.text
        return dict(found.json())

    def asked(self, path: str, **question: Any) -> dict[str, Any]:
        found = self.post(path, json=question)
        assert found.status_code == 200, found.text
        return dict(found.json())

    def refused(self, path: str, status: int, **question: Any) -> str:
        found = self.post(path, json=question)
        assert found.status_code == status, found.text
        return sentence(found)


def sentence(response: Any) -> str:
    """Return the sentence of a refusal, which is one printable line."""
    said = str(response.json()["error"])
    assert said
    assert said.isprintable()
    assert len(said) < 600
    return said


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    made = tmp_path / "temporary"
    made.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(made))
    return made


@pytest.fixture
def page(folder: Path) -> Iterator[Page]:
    kept = store.Store()
    app = explore.application(token=TOKEN, store=kept)
    yield Page(app, base_url=HOST, raise_server_exceptions=False)
    kept.clear()
    assert not list(folder.iterdir())


def test_the_page_is_sealed(page: Page) -> None:
    found = page.get("")
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>" in found.text
    for name, value in HEADERS.items():
        assert found.headers[name] == value
        assert page.get("nothing").headers[name] == value


def test_who_has_no_token_is_told_nothing(page: Page) -> None:
    for path in ("/", "", "/wrong/", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/hello", "/hello", "/ä/", "//"):
        found = TestClient.get(page, path)
        assert found.status_code == 404, path
        assert "x-content-type-options" in found.headers
        sentence(found)
    assert page.get("hello").status_code == 200


def test_no_other_name_of_this_machine_and_no_other_site(page: Page) -> None:
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1]:8000"):
        found = page.get("hello", headers={"host": host})
        assert found.status_code == 400, host
        sentence(found)
    assert page.get("hello", headers={"host": "localhost:8000"}).status_code == 200
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        found = page.post("example", json={"name": "five"}, headers=headers)
        assert found.status_code == 403, headers
        sentence(found)
    own = {"origin": HOST, "sec-fetch-site": "same-origin"}
    assert page.post("example", json={"name": "five"}, headers=own).status_code == 200
    assert (
        page.post("example", json={"name": "five"}, headers={"sec-fetch-site": "none"}).status_code
        == 403
    )
    assert page.get("", headers={"sec-fetch-site": "none"}).status_code == 200


def test_no_route_reads_a_file_by_its_path(page: Page) -> None:
    for path in (
        "static/../routes.py",
        "static/..%2froutes.py",
        "static/%2e%2e/routes.py",
        "static//etc/passwd",
        "static/routes.py",
        "static/examples.json",
        "download/../../x",
        "download/%2fetc%2fpasswd?id=d1&fit=1",
    ):
        assert page.get(path).status_code == 404, path
    name = page.load("1 2 3 7 8", name="../../../etc/passwd")["name"]
    assert name == "passwd"
    for other in ("/etc/passwd", "..", "five.json", None, {}, 3):
        assert "example" in page.refused("example", 422, name=other)


def test_wrong_methods_and_questions(page: Page) -> None:
    assert page.get("fit").status_code == 405
    assert page.post("hello").status_code == 405
    for body in (b"", b"{", b"[]", b"3", b"\xff", b"[" * 60_000):
        found = page.post("fit", content=body)
        assert found.status_code == 400, body[:9]
        sentence(found)
    assert page.post("fit", content=b" " * 70_000).status_code == 413
    assert page.post("data", content="1 2 3", params={"decimal": "x"}).status_code == 400


def test_hello_tells_of_examples_and_of_the_data_of_the_command() -> None:
    data = loading.of_array([1.0, 2, 2, 7, 8], "mine")
    kept = store.Store()
    page = Page(explore.application(data, token=TOKEN, store=kept), base_url=HOST)
    hello = page.get("hello").json()
    assert hello["version"] == gmm1d.__version__
    assert hello["data"]["name"] == "mine"
    assert hello["data"]["scene"]["points"] == [[1, 1], [2, 2], [7, 1], [8, 1]]
    assert {each["name"]: each["n"] for each in hello["examples"]} == {
        "waiting": 272,
        "two": 40,
        "five": 5,
        "snapper": 256,
        "stars": 4212,
    }
    kept.clear()
    assert page.get("hello").json()["data"] is None


def test_examples_are_those_of_the_repository() -> None:
    known = loading.examples()
    assert known["waiting"]["values"] == np.loadtxt(WAITING).tolist()
    assert known["snapper"]["values"] == np.loadtxt(DATA / "snapper_lengths.txt").tolist()
    with (DATA / "star_colours.csv").open(encoding="utf-8") as stream:
        stars = [float(row["b_v"]) for row in csv.DictReader(stream)]
    assert known["stars"]["values"] == stars
    assert known["five"]["values"] == [-1, 0, 4, 5, 6]
    two = known["two"]
    start = gmm1d.Mixture(**two["start"])
    assert start.logpdf(two["values"]).sum() == pytest.approx(-242.787418, abs=1e-6)


def test_pasted_text_and_its_scene(page: Page) -> None:
    found = page.load(WAITING.read_bytes())
    x = np.loadtxt(WAITING)
    assert (found["n"], found["n_missing"], found["name"]) == (272, 0, "pasted.txt")
    assert (found["low"], found["high"], found["columns"]) == (
        43,
        96,
        [{"number": 1, "name": "column 1"}],
    )
    scene = found["scene"]
    low, high = scene["view"]
    assert low < 43
    assert high > 96
    area = sum((right - left) * height for left, right, height in scene["bars"])
    assert area == pytest.approx(1)
    values, counts = np.unique(x, return_counts=True)
    assert scene["points"] == np.column_stack([values, counts]).tolist()


@pytest.mark.parametrize(
    "text", ["-1, 0, 4, 5, 6", "[-1, 0, 4, 5, 6]", "-1 0 4 5 6\n", "-1;0;4;5;6", "-1\n0\n4\n5\n6"]
)
def test_a_line_of_numbers_is_one_sample(page: Page, text: str) -> None:
    found = page.load(text)
    assert [value for value, _ in found["scene"]["points"]] == [-1, 0, 4, 5, 6]
    assert len(found["columns"]) == 1


@pytest.mark.parametrize("mark", [" ", ", ", ";"])
def test_a_line_without_an_end_is_one_sample(page: Page, folder: Path, mark: str) -> None:
    found = page.load(mark.join(map(str, range(200_000))))
    assert (found["n"], found["high"], len(found["columns"])) == (200_000, 199_999, 1)
    assert not list(folder.iterdir())


def test_missing_values_are_left_out_and_counted(page: Page) -> None:
    found = page.load("length\n1\nNA\n2.5\n\n nan\n4\n", name="fish.csv")
    assert (found["n"], found["n_missing"], found["column"]) == (
        *(3, 2),
        {"number": 1, "name": "length"},
    )


def test_columns_are_offered_and_changed(page: Page, folder: Path) -> None:
    table = "name,<b>ä</b>,q,q\nx,1,10,5\ny,2,20,6\nz,4,,9\n"
    found = page.load(table, name="t<i>.csv")
    assert found["name"] == "t<i>.csv"
    assert found["column"] == {"number": 2, "name": "<b>ä</b>"}
    assert [each["number"] for each in found["columns"]] == [2, 3, 4]
    other = page.asked("column", id=found["id"], number=4)
    assert (other["column"], other["high"]) == ({"number": 4, "name": "q"}, 9)
    assert other["id"] != found["id"]
    third = page.asked("column", id=other["id"], number=3)
    assert (third["n"], third["n_missing"], third["high"]) == (2, 1, 20)
    assert len(list(folder.iterdir())) == 1
    for number in (1, 5, "4", None, [2]):
        assert "no column" in page.refused("column", 422, id=found["id"], number=number)
    decimal = page.load("a;b\n1,5;2\n2,5;3\n", name="d.csv", decimal=",")
    assert (decimal["low"], decimal["high"]) == (1.5, 2.5)


BAD = {
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "photo.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 8,
    "book.xlsx": b"PK\x03\x04" + bytes(100),
    "noise.bin": np.random.default_rng(0).bytes(5000),
    "zeros.csv": bytes(5000),
    "page.html": b"<!DOCTYPE html>\n<html><body><p>1 2 3</p></body></html>\n",
    "empty.txt": b"",
    "words.txt": "Zwölf Boxkämpfer\njagen Viktor\n".encode(),
    "broken.json": b'{"a": ',
    "model.json": b'{\n  "schema": "gmm1d.fit"}',
    "short.gz": b"\x1f\x8b\x08\x00",
    "infinite.txt": b"1\n2\ninf\n",
    "equal.txt": b"3\n3\n3\n",
    "gone.txt": b"x\nNA\nNA\n",
    "far.txt": b"1e300\n-1e300\n",
    "half.csv": b"a,b\n1,2\n3\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_data_is_one_sentence_with_the_users_name(
    page: Page, folder: Path, name: str
) -> None:
    found = page.post("data", content=BAD[name], params={"name": name})
    assert found.status_code == 422
    said = sentence(found)
    assert str(folder) not in said
    assert "--" not in said
    if name not in ("equal.txt", "far.txt"):
        assert said.startswith(name), said
    assert not list(folder.iterdir())


def test_names_are_shown_and_nothing_else(page: Page) -> None:
    for name, shown in {
        "C:\\data\\x.csv": "x.csv",
        "a\r\nSet-Cookie: x": "a  Set-Cookie: x",
        "../..": "..",
        "/": "pasted.txt",
        "x" * 500: "x" * 100,
        "日本語 \u202e.csv": "日本語  .csv",
        "<script>alert(1)</script>": "script>",
    }.items():
        data = page.load("1 2 5 6", name=name)
        assert data["name"] == shown
        fit = page.asked("fit", id=data["id"], k=1)
        found = page.get(f"download/model.json?id={data['id']}&fit={fit['fit']}")
        header = found.headers["content-disposition"]
        assert re.fullmatch(
            r"attachment; filename=\"[A-Za-z0-9._ -]+\"; filename\*=UTF-8''[A-Za-z0-9._~%-]+",
            header,
        ), header


def test_uploads_are_bounded(page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.received, "__defaults__", (1 << 20,))
    found = page.post("data", content=b"1\n" * (1 << 19) + b"2\n")
    assert found.status_code == 413
    assert "more than 1 MB" in sentence(found)
    assert page.post("data", content=b"1\n" * (1 << 21)).status_code == 413
    assert not list(folder.iterdir())
    assert page.load(b"1\n2\n" * 1000)["n"] == 2000


def test_fit_is_that_of_the_library(page: Page) -> None:
    x = np.loadtxt(WAITING)
    name = page.load(WAITING.read_bytes())["id"]
    for equal in (False, True):
        found = page.asked("fit", id=name, k=2, equal_variances=equal)
        f = gmm1d.fit(x, 2, equal_variances=equal)
        assert found["mixture"]["means"] == f.mixture.means.tolist()
        assert found["log_likelihood"] == f.log_likelihood
        assert (found["aic"], found["bic"], found["icl"]) == (f.aic, f.bic, f.icl)
        assert found["table"]["rows"] == f.table()[1]
        assert found["formula"] == f.mixture.formula()
        assert found["status"] == {"name": "CONVERGED", "sentence": f.status.value}
        ends = f.confidence_intervals()
        assert [[b["low"], b["high"]] for b in found["boundaries"]] == ends.boundaries.tolist()
        assert found["intervals"]["means"] == ends.means.tolist()
        assert found["errors"]["stds"] == f.standard_errors().stds.tolist()
        assert found["no_errors"] is None
        assert found["comparison"] is None


def test_fit_without_errors_says_why(page: Page) -> None:
    name = page.load("1 1 1 1 2 3 4 9 9 9")["id"]
    with pytest.warns(FitWarning):
        f = gmm1d.fit([1, 1, 1, 1, 2, 3, 4, 9, 9, 9], 5)
    found = page.asked("fit", id=name, k=5)
    assert found["notes"] == list(f.notes)
    assert found["errors"] is None
    assert found["intervals"] is None
    assert found["no_errors"]
    assert not found["converged"]


def test_auto_is_compare(page: Page) -> None:
    for text, criterion in ((WAITING.read_text(), "bic"), ("1 2 4 8", "aic")):
        name = page.load(text)["id"]
        found = page.asked("fit", id=name, k="auto", criterion=criterion)
        x = np.array(text.split(), dtype=float)
        c = gmm1d.compare(x, range(1, min(6, len(x)) + 1), criterion=criterion)
        assert found["k"] == c.k
        assert found["comparison"]["reason"] == c.reason
        assert found["comparison"]["table"]["rows"] == c.table()[1]
        assert [each["bic"] for each in found["comparison"]["criteria"]] == [
            f.bic for f in c.candidates.fits.values()
        ]
        assert found["comparison"]["family"] == c.family
        assert found["comparison"]["row"] == c.row
        found = page.asked("fit", id=name, k="auto", criterion=criterion, equal_variances=True)
        c = gmm1d.compare(
            x, range(1, min(6, len(x)) + 1), criterion=criterion, equal_variances=True
        )
        assert found["comparison"]["reason"] == c.reason
        assert found["comparison"]["families"] == ["equal"]


def test_ties_choose_nothing_and_are_named(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fits.Fitter.fit

    def tied(self: fits.Fitter, k: int, **options: Any) -> gmm1d.Fit:
        found = whole(self, k, **options)
        if k > 1 and not options["equal_variances"]:
            found = replace(found, status=gmm1d.Ending.PENALISED, reason="ties")
        return found

    monkeypatch.setattr(fits.Fitter, "fit", tied)
    name = page.load("0 " * 95 + "4 5 6 7 8")["id"]
    said = page.refused("fit", 422, id=name, k="auto")
    assert said.startswith("nothing is chosen: 95 of 100 values are exactly 0, and at k = ")
    assert "leave them out and say so" in said


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"k": 0}, "whole number"),
        ({"k": 2.5}, "whole number"),
        ({"k": "3"}, "whole number"),
        ({"k": True}, "whole number"),
        ({"k": None}, "whole number"),
        ({}, "whole number"),
        ({"k": [2]}, "whole number"),
        ({"k": 10**400}, "distinct values"),
        ({"k": 6}, "distinct values"),
        ({"k": "auto", "criterion": "waic"}, "criterion"),
        ({"k": "auto", "criterion": ["bic"]}, "criterion"),
    ],
)
def test_fits_that_cannot_be(page: Page, question: dict[str, Any], said: str) -> None:
    name = page.asked("example", name="five")["id"]
    assert said in page.refused("fit", 422, id=name, **question)


def test_the_page_fits_forty_components(page: Page) -> None:
    name = page.load(" ".join(map(str, range(50))))["id"]
    assert "up to 40" in page.refused("fit", 422, id=name, k=41)


def test_climbs_from_a_start_frame_by_frame(page: Page) -> None:
    data = page.asked("example", name="five")
    assert data["start"] == FIVE
    x = [-1, 0, 4, 5, 6]
    for method in ("em", "squarem", "newton"):
        found = page.asked("climb", id=data["id"], start=data["start"], method=method)
        f = gmm1d.fit(x, 2, start=FIVE, method=method)
        assert found["end"]["log_likelihood"] == f.log_likelihood
        assert found["end"]["n_steps"] == f.n_iter
        assert found["replay"] == json.loads(json.dumps(replay(f).content()))
        assert found["method"] == method
        assert found["milliseconds"] > 0
    frames = page.asked("climb", id=data["id"], start=FIVE, method="em", max_iter=1)
    assert frames["end"]["status"]["name"] == "MAX_ITER"
    assert frames["replay"]["log_likelihood"][0] == pytest.approx(-24.512532330086678, rel=1e-14)
    assert frames["replay"]["means"][1] == pytest.approx([5.13172803, 1.47103149])


def test_a_collapse_is_a_message(page: Page) -> None:
    name = page.asked("example", name="five")["id"]
    start = {"weights": [0.5, 0.5], "means": [4, 2], "stds": [0.01, 3]}
    found = page.post("climb", json={"id": name, "start": start})
    assert found.status_code == 422
    assert found.json()["kind"] == "CollapseError"
    assert "spike" in sentence(found)


@pytest.mark.parametrize(
    "change",
    [
        {"start": None},
        {"start": []},
        {"start": {"means": [1]}},
        {"start": {**FIVE, "weights": [1]}},
        {"start": {**FIVE, "weights": [1, -1]}},
        {"start": {**FIVE, "stds": [0, 1]}},
        {"start": {**FIVE, "means": ["a", 1]}},
        {"start": {**FIVE, "means": [[1], [2]]}},
        {"start": {**FIVE, "means": [float("1e308"), 1]}},
        {"start": {"weights": [1 / 41] * 41, "means": [1] * 41, "stds": [1] * 41}},
        {"method": "gradient"},
        {"method": ["em"]},
        {"max_iter": -1},
        {"max_iter": 10**9},
        {"tol": "x"},
        {"tol": -1},
    ],
)
def test_climbs_that_cannot_be(page: Page, change: dict[str, Any]) -> None:
    name = page.asked("example", name="waiting")["id"]
    page.refused("climb", 422, **{"id": name, "start": FIVE, **change})


def test_not_a_number_in_a_question(page: Page) -> None:
    name = page.asked("example", name="five")["id"]
    body = json.dumps({"id": name, "start": {**FIVE, "means": [float("nan"), 1]}})
    assert page.post("climb", content=body).status_code == 422


def test_named_starts(page: Page) -> None:
    name = page.asked("example", name="waiting")["id"]
    for start in ("quantile", "kmeans", "spread"):
        found = page.asked("start", id=name, k=3, name=start)
        assert len(found["means"]) == len(found["stds"]) == len(found["weights"]) == 3
    assert found["means"] == pytest.approx([43 + 53 / 3, 43 + 106 / 3, 96])
    assert "unknown" in page.refused("start", 422, id=name, k=3, name="random")
    page.refused("start", 422, id=name, k=3, name={})


def test_dropped_data_are_asked_for_again(folder: Path) -> None:
    kept = store.Store(most=2)
    page = Page(explore.application(token=TOKEN, store=kept), base_url=HOST)
    first = page.load("a,b\n1,2\n3,4\n")["id"]
    second = page.load("a,b\n1,2\n3,4\n")["id"]
    page.asked("fit", id=first, k=1)  # used last
    page.load("a,b\n1,2\n3,4\n")
    assert len(list(folder.iterdir())) == 2
    assert "load them again" in page.refused("fit", 410, id=second, k=1)
    for name in (None, 3, [], {}, "d99"):
        assert "load them again" in page.refused("fit", 410, id=name, k=1)
    assert page.asked("fit", id=first, k=1)["k"] == 1
    assert page.get(f"download/model.json?id={first}&fit=99").status_code == 410
    assert page.get("download/model.json").status_code == 410
    kept.clear()
    assert not list(folder.iterdir())


def test_memory_is_bounded() -> None:
    kept = store.Store(most_bytes=20_000)
    names = [kept.add(loading.of_array(np.arange(1000.0))) for _ in range(4)]
    assert [kept.get(name) is not None for name in names] == [False, False, True, True]


def test_two_tabs_do_not_see_each_other(page: Page) -> None:
    one, two = page.load("1 2 8 9")["id"], page.load("1 2 3 80 90 95")["id"]
    assert page.asked("fit", id=one, k=2)["n"] == 4
    assert page.asked("fit", id=two, k=2)["n"] == 6
    assert one != two


def downloaded(page: Page, data: dict[str, Any], fit: dict[str, Any], kind: str) -> Any:
    found = page.get(f"download/{kind}?id={data['id']}&fit={fit['fit']}")
    assert found.status_code == 200, found.text
    return found


def test_downloads(page: Page) -> None:
    data = page.load("name,=x\na,1\nb,2\nc,8\nd,9.5\n", name='mé;"asures.csv')
    fit = page.asked("fit", id=data["id"], k=2)
    model = downloaded(page, data, fit, "model.json")
    assert gmm1d.Fit.from_json(model.content).mixture.means.tolist() == fit["mixture"]["means"]
    assert model.headers["content-disposition"] == (
        'attachment; filename="m___asures-k2-model.json"; '
        "filename*=UTF-8''m%C3%A9%3B%22asures-k2-model.json"
    )
    assert downloaded(page, data, fit, "picture.png").content.startswith(b"\x89PNG")
    assert b"<svg" in downloaded(page, data, fit, "picture.svg").content
    rows = list(csv.reader(io.StringIO(downloaded(page, data, fit, "labels.csv").text)))
    assert rows[0] == ["'=x", "component", "responsibility_1", "responsibility_2"]
    mixture = gmm1d.Mixture(**fit["mixture"])
    x = [1, 2, 8, 9.5]
    assert [float(row[0]) for row in rows[1:]] == x
    assert [int(row[1]) for row in rows[1:]] == (1 + mixture.predict(x)).tolist()
    shares = [[float(cell) for cell in row[2:]] for row in rows[1:]]
    assert shares == mixture.responsibilities(x).tolist()


def printed(code: str, folder: Path) -> str:
    """Run a script as a user would, and return what it prints."""
    (folder / "script.py").write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.stdout


def test_the_code_does_the_same(page: Page, tmp_path: Path) -> None:
    table = 'a,it\'s "b"\n1,2.5\n2,NA\n4,7\n6,9\n3,3\n'
    (tmp_path / "t'able.csv").write_text(table)
    (tmp_path / "comma.csv").write_text("a;b\n1,5;2\n2,5;3\n7,5;1\n")
    loaded = [
        page.asked("example", name="five"),
        page.load("1 2 7 9 9.5"),
        page.asked("column", id=page.load(table, name="t'able.csv")["id"], number=2),
        page.load((tmp_path / "comma.csv").read_text(), name="comma.csv", decimal=","),
    ]
    scripts, wanted = [], []
    for data in loaded:
        fit = page.asked("fit", id=data["id"], k=1, equal_variances=data is loaded[0])
        scripts.append(downloaded(page, data, fit, "code.py").text)
        wanted.append(fit)
    auto = page.asked("fit", id=loaded[0]["id"], k="auto", criterion="aic")
    climb = page.asked("climb", id=loaded[0]["id"], start=FIVE, method="em", tol=1e-3)["end"]
    for fit in (auto, climb):
        scripts.append(downloaded(page, loaded[0], fit, "code.py").text)
        wanted.append(fit)
    # Names of the scripts are their own: one process runs them all.
    for script, fit in zip(scripts, wanted, strict=True):
        compile(script, "script.py", "exec")
        assert fit["table"]["rows"]
    out = printed("\nprint('====')\n".join(scripts), tmp_path).split("====\n")
    for text, fit in zip(out, wanted, strict=True):
        assert fit["formula"] in text
        assert all(cell in text for row in fit["table"]["rows"] for cell in row)
        assert fit["status"]["sentence"] in text


def test_many_values_are_searched_as_by_fit(page: Page) -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(m, 1, 10_000) for m in (0, 4, 8, 13)])
    data = page.load("\n".join(map(repr, x.tolist())))
    assert data["compressed"]
    assert data["scene"]["points"] == []
    for k in (4, 2, 4):  # the last of which is known
        found = page.asked("fit", id=data["id"], k=k)
        assert found["log_likelihood"] == gmm1d.fit(x, k).log_likelihood


def test_what_is_not_kept_has_no_labels(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "KEPT", 1000)
    monkeypatch.setattr("gmm1d.readers.gathering.PART", 1000)
    data = page.load("\n".join(map(str, range(5000))), name="big.csv")
    assert not data["has_values"]
    fit = page.asked("fit", id=data["id"], k=2)
    found = page.get(f"download/labels.csv?id={data['id']}&fit={fit['fit']}")
    assert found.status_code == 422
    assert "gmm1d predict" in sentence(found)
    assert downloaded(page, data, fit, "picture.svg").content


def test_numbers_at_the_ends_of_float64(page: Page) -> None:
    for scale in (1e-140, 1e140):
        data = page.load(" ".join(repr(scale * x) for x in (1.0, 2, 3, 50, 51, 52)))
        found = page.asked("fit", id=data["id"], k=2)
        assert found["mixture"]["means"] == pytest.approx([2 * scale, 51 * scale])
        page.asked("climb", id=data["id"], start=found["mixture"])


def test_what_is_no_number_is_null() -> None:
    odd = {"a": float("nan"), "b": [np.float64(np.inf), 1], "c": np.array([[-np.inf, 2]])}
    assert answers.plain(odd) == {"a": None, "b": [None, 1], "c": [[None, 2]]}
    assert answers.plain((np.int64(3), np.bool_(True), "x", None)) == [3, True, "x", None]


def test_a_fault_of_ours_is_a_sentence_too(
    page: Page, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = page.asked("example", name="five")["id"]

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of this test")

    monkeypatch.setattr(fits.Fitter, "fit", fails)
    assert "ZeroDivisionError: of this test" in page.refused("fit", 500, id=name, k=2)
    assert "Traceback" in capsys.readouterr().err
    assert page.asked("start", id=name, k=2)["means"]


def test_a_full_disk_is_a_sentence(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    found = page.post("data", content="1 2 3")
    assert found.status_code == 507
    assert "No space left" in sentence(found)


def test_without_starlette(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    _, err = run("explore", "--no-browser", capsys=capsys, code=1)
    assert "pip install 'gmm1d[explore]'" in err
    assert one_line(err)


def test_bad_data_of_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("1\nx y\n")
    (tmp_path / "equal.txt").write_text("1\n1\n")
    for name in ("bad.txt", "none.txt", "equal.txt"):
        out, err = run("explore", "--no-browser", tmp_path / name, capsys=capsys, code=2)
        assert one_line(err)
        assert not out
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        _, err = run("explore", "--no-browser", "--port", port, capsys=capsys, code=2)
    assert one_line(err)
    assert f"port {port}" in err


class Running:
    """The command in a process of its own."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": ""}
        self.begin = time.perf_counter()
        self.process = subprocess.Popen(
            [*GMM1D, "explore", "--no-browser", *map(str, arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.advice = self.process.stdout.readline()

    def get(self, path: str = "") -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=10) as answer:
            return bytes(answer.read())

    def post(self, path: str, content: bytes) -> Any:
        with urllib.request.urlopen(self.address + path, content, timeout=10) as answer:
            return json.loads(answer.read())

    def connect(self) -> socket.socket:
        port = int(self.address.split(":")[2].split("/")[0])
        return socket.create_connection(("127.0.0.1", port), timeout=10)

    def head(self, path: str, length: int) -> bytes:
        path = "/" + self.address.split("/", 3)[3] + path
        return (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()
        )

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, float]:
        begin = time.perf_counter()
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err, time.perf_counter() - begin


@pytest.fixture
def running() -> Iterator[list[Running]]:
    started: list[Running] = []
    yield started
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


@posix
def test_the_command_serves_until_ctrl_c(folder: Path, running: list[Running]) -> None:
    page = Running(folder, WAITING)
    running.append(page)
    assert page.advice == "Ctrl-C ends the page\n"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", page.address)
    assert b"gmm1d" in page.get()
    data = json.loads(page.get("hello"))["data"]
    assert (data["name"], data["n"]) == ("faithful_waiting.txt", 272)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(page.address[:-2] + "/", timeout=10)
    refused.value.close()
    assert refused.value.code == 404
    with contextlib.ExitStack() as stack:
        idle, half, gone = (stack.enter_context(page.connect()) for _ in range(3))
        half.sendall(page.head("data", 10**8) + b"1\n" * 1000)
        gone.sendall(page.head("data", 10**8) + b"1\n" * 1000)
        gone.close()
        heavy = json.dumps({"id": data["id"], "k": 40}).encode()
        idle.sendall(page.head("fit", len(heavy)) + heavy)
        time.sleep(0.3)
        assert page.post("start", json.dumps({"id": data["id"], "k": 2}).encode())["means"]
        assert len(list(folder.rglob("gmm1d*"))) == 2  # the folder, and the upload that goes on
        code, said, seconds = page.end()
    assert (code, said) == (0, "")
    assert seconds < 3  # 0.5 on an idle machine; the fit of 40 components takes 12
    assert not list(folder.iterdir())


@posix
def test_the_command_is_terminated(folder: Path, running: list[Running]) -> None:
    page = Running(folder)
    running.append(page)
    assert json.loads(page.get("hello"))["data"] is None
    code, said, _ = page.end(signal.SIGTERM)
    assert (code, said) == (143, "")
    assert not list(folder.iterdir())


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)])
def test_a_search_that_runs_does_not_hold_up_the_end(
    folder: Path, running: list[Running], number: int, code: int
) -> None:
    page = Running(folder)
    running.append(page)
    data = page.post("example", b'{"name": "stars"}')
    question = json.dumps({"id": data["id"], "k": 12}).encode()
    asking = threading.Thread(target=suppressed, args=[page.post, "fit", question], daemon=True)
    asking.start()
    time.sleep(1)
    assert page.end(number)[:2] == (code, "")


def suppressed(work: Any, *words: Any) -> None:
    """Do some work whose failure says nothing."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        work(*words)
