"""Write-ups: what they say, the paper read back from its PDF, the command, and names that are no markup."""

import json
import re
import sys
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from test_cli import WAITING, one_line, posix, run, shell

import gmm1d
from gmm1d.errors import InputError, MissingExtraError
from gmm1d.formatting import text_table
from gmm1d.report import Source, Writeup, blocks, write, write_report, writeup

DATA = Path(__file__).parent / "data"
S4 = json.loads((DATA / "golden.json").read_text())["S4"]["fits"]
KS = [2, 3, 4, 5, 6]
HOMEWORK = (
    "-k",
    "2..6",
    "--families",
    "unequal",
    "--start",
    "spread",
    "--method",
    "em",
    "--tol",
    "1",
)
NASTY = '<b>"x"$a_b$\\alpha #let _é_ 数据 \U0001f389'


@pytest.fixture(autouse=True)
def _dated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture(scope="module")
def waiting() -> np.ndarray:
    return np.loadtxt(WAITING)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the text of the pages of S4's paper, made by the command."""
    folder = tmp_path_factory.mktemp("s4")
    script = f"$gmm1d report '{WAITING}' {' '.join(HOMEWORK)} -q -o s4.pdf"
    done = shell(script, folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return read(folder / "s4.pdf")


def read(path: Path) -> list[str]:
    pypdf = pytest.importorskip("pypdf")
    return [page.extract_text().replace("−", "-") for page in pypdf.PdfReader(path).pages]


def as_text(made: Writeup) -> str:
    """Write all that a write-up says as lines."""
    lines = [made.title]
    for section in made.sections:
        lines += ["", f"== {section.title}"]
        for block in section.blocks:
            match block:
                case blocks.Text(text, warning):
                    lines.append(f"{'! ' * warning}{text}")
                case blocks.Facts(rows):
                    lines += [f"{name}: {value}" for name, value in rows]
                case blocks.Table():
                    header = [f"{'*' * (block.chosen is not None)}{block.header[0]}"]
                    lines += [
                        block.caption,
                        text_table([*header, *block.header[1:]], block.rows),
                    ]
                case blocks.Formula(label, terms):
                    lines.append(f"{label}: {' + '.join('{} N({}, {})'.format(*t) for t in terms)}")
                case blocks.Picture():
                    lines.append(f"[{block.kind} {block.k}: {block.caption} | {block.alt}]")
                case blocks.Code(text):
                    lines.append(f"$ {text}")
                case blocks.Model():
                    lines.append("[the model]")
    text = "\n".join(lines) + "\n"
    text = re.sub(r"\b\d(\.\d)?e-1\d\b", "tiny", text)  # what is left of zero by rounding
    return re.sub(r"Python [^,]*, NumPy .*", "Python, NumPy", text)


def texts(made: Writeup, key: str) -> str:
    section = made.section(key)
    assert section is not None
    return "\n".join(b.text for b in section.blocks if isinstance(b, blocks.Text))


def homework(x: np.ndarray) -> tuple[gmm1d.Comparison, gmm1d.Comparison]:
    options = {"families": "unequal", "start": "spread", "method": "em"}
    return gmm1d.compare(x, KS, tol=1, **options), gmm1d.compare(x, KS, **options)


# What is said


def test_what_the_homework_says(waiting: np.ndarray) -> None:
    stopped, ended = homework(waiting)
    source = Source([WAITING], column="minutes", n_missing=2)
    made = writeup(stopped, ended=ended, xlabel="waiting time (min)", source=source, command="make")
    assert as_text(made) == (DATA / "report" / "s4.txt").read_text("utf-8")
    assert made.found is ended
    assert made.stopped is stopped
    assert made.summary in texts(made, "answer")


def test_what_is_said_of_the_waiting_times(waiting: np.ndarray) -> None:
    made = writeup(gmm1d.compare(waiting, range(1, 7)))
    assert as_text(made) == (DATA / "report" / "waiting.txt").read_text("utf-8")
    assert made.section("stopped") is None


def test_stopped_fits_alone_choose_nothing(waiting: np.ndarray) -> None:
    stopped, _ = homework(waiting)
    made = writeup(stopped)
    assert made.summary.startswith("Nothing is chosen: BIC compares maxima")
    assert "compare again without tol and max_iter" in texts(made, "stopped")
    assert made.section("parameters") is made.section("check") is None
    assert writeup(gmm1d.compare(waiting, [2]), ended=None).stopped is None


def test_climbs_that_do_not_end_either_are_told(waiting: np.ndarray) -> None:
    options = {"families": "unequal", "start": "spread", "method": "em"}
    stopped = gmm1d.compare(waiting, [2, 3], tol=1, **options)
    later = gmm1d.compare(waiting, [2, 3], max_iter=30, **options)
    said = texts(writeup(stopped, ended=later), "stopped")
    assert "those for k = 2, 3 did not get there either" in said
    assert "which proves nothing" in said


def test_ended_must_be_of_the_same_k(waiting: np.ndarray) -> None:
    stopped, ended = homework(waiting)
    with pytest.raises(InputError, match="ended holds other k"):
        writeup(stopped, ended=gmm1d.compare(waiting, [2, 3], families="unequal"))
    with pytest.raises(InputError, match="ended holds other k or families"):
        writeup(stopped, ended=gmm1d.compare(waiting, KS))
    assert writeup(ended, ended=ended).stopped is None


def test_a_single_k_is_no_choice(waiting: np.ndarray) -> None:
    for k in (1, 3):
        made = writeup(gmm1d.compare(waiting, [k], families="unequal"))
        assert f"Only k = {k} was tried" in texts(made, "choice")
        assert made.summary.endswith("no other number was tried.")
        assert made.section("growth") is None
    one = writeup(gmm1d.compare(waiting, [1]))
    assert "Threshold: none: there is one group" in as_text(one)
    assert "20 of the 51 distinct values, from 54 to 96, lie outside" in texts(one, "check")


def test_the_ends_of_what_was_tried_are_pointed_at(waiting: np.ndarray) -> None:
    smallest = texts(writeup(gmm1d.compare(waiting, [2, 3])), "choice")
    assert "k = 2 is the smallest that was tried" in smallest
    largest = texts(writeup(gmm1d.compare(waiting, [1, 2])), "choice")
    assert "k = 2 is the largest that was tried" in largest
    between = texts(writeup(gmm1d.compare(waiting, [1, 2, 3])), "choice")
    assert "that was tried" not in between


def test_gains_add_up_and_falls_are_explained() -> None:
    x = np.random.default_rng(0).normal(size=30_000)
    found = gmm1d.compare(gmm1d.Sketch().add(x), range(1, 4), families="unequal")
    fits = [found[k].log_likelihood for k in found]
    section = writeup(found).section("growth")
    (table,) = [b for b in section.blocks if isinstance(b, blocks.Table)]
    gains = [float(row[1]) for row in table.rows]
    np.testing.assert_allclose(gains, np.diff(fits), rtol=1e-3)
    lower = [b.k for a, b in pairwise(found.fits.values()) if b.log_likelihood < a.log_likelihood]
    said = texts(writeup(found), "growth")
    assert [int(k) for k in re.findall(r"At k = (\d+) it is", said)] == lower


def test_collapsed_and_penalised_fits_are_named() -> None:
    x = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7.5, 8.0, 20, 21, 22]
    made = writeup(gmm1d.compare(x, [1, 2, 3], families="unequal", start="kmeans"))
    assert "k = 3: the climb from this start ran into a spike" in texts(made, "evidence")
    ties = np.concatenate([np.zeros(50), np.random.default_rng(1).normal(size=50)])
    section = writeup(gmm1d.compare(ties, [1, 2, 3], families="unequal")).section("growth")
    (table,) = [b for b in section.blocks if isinstance(b, blocks.Table)]
    assert "not converged" in table.rows[-1]


def test_weights_and_sketches_are_told(waiting: np.ndarray) -> None:
    weights = np.random.default_rng(0).integers(1, 9, waiting.size)
    rows = dict(facts(writeup(gmm1d.compare(waiting, [1, 2], sample_weight=weights))))
    assert (rows["Values"], rows["Sum of weights"]) == ("272", str(weights.sum()))
    sketch = gmm1d.Sketch().add(waiting, np.full(waiting.size, 1e6))
    made = writeup(gmm1d.compare(sketch, [1, 2]))
    rows = dict(facts(made))
    assert rows["Sum of weights"] == "272000000"
    assert rows["Compressed"] == "a sketch with 51 nodes stands for them"
    assert made.summary.startswith("The 272000000 values")


def facts(made: Writeup) -> list[tuple[str, str]]:
    section = made.section("data")
    return [row for b in section.blocks if isinstance(b, blocks.Facts) for row in b.rows]


def test_files_have_checksums_and_nothing_else_has(tmp_path: Path, waiting: np.ndarray) -> None:
    found = gmm1d.compare(waiting, [1])
    (tmp_path / "a.txt").write_text("abc")
    rows = facts(writeup(found, source=Source([tmp_path / "a.txt", "standard input"])))
    assert rows[:2] == [
        ("File", "a.txt, 3 bytes"),
        ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ]
    assert rows[2] == ("Source", "standard input: no file, so it has no checksum")
    for i in range(20):
        (tmp_path / f"{i:02}.txt").write_text(str(i))
    many = sorted(tmp_path.glob("??.txt"))
    rows = facts(writeup(found, source=Source(many)))
    assert rows[0] == ("Files", "20, from 00.txt to 19.txt, 30 bytes")
    assert rows[1][1].endswith(", of the lines of their SHA-256")


# The paper


def numbers_of(line: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", line)]


def test_the_numbers_of_the_paper_are_those_of_the_homework(
    pages: list[str], waiting: np.ndarray
) -> None:
    text = "\n".join(pages)
    table = text.partition("BIC there\n")[2].splitlines()[:5]
    stopped, ended = homework(waiting)
    for k, row in zip(KS, map(numbers_of, table), strict=True):
        golden = S4[str(k)]
        assert row[:2] == [k, golden["steps"]]
        assert row[2] == pytest.approx(golden["log_likelihood"], abs=1e-6)
        assert row[3] == pytest.approx(golden["bic"], abs=0.006)
        assert row[4] == ended[k].n_iter
        assert row[5] == pytest.approx(golden["em_limit_log_likelihood"], abs=2e-6)
        assert row[6] == pytest.approx(golden["em_limit_bic"], abs=0.006)
        assert stopped[k].log_likelihood == pytest.approx(row[2], abs=1e-6)
    assert (
        "Among the stopped fits BIC is lowest at k = 3, among the converged ones at k = 2" in text
    )


def test_the_formulas_of_the_paper_are_those_of_the_homework(pages: list[str]) -> None:
    text = re.sub(r"\+\n", "+ ", "\n".join(pages))
    lines = re.findall(r"^k = (\d) \S+ = (.*N.*|.*\U0001d4a9.*)$", text, re.MULTILINE)
    found = [(int(k), terms(line)) for k, line in lines]
    assert [k for k, _ in found] == KS * 2
    for (k, early), (_, late) in zip(found[5:], found[:5], strict=True):
        for rows, golden, rel in (
            (early, S4[str(k)]["fit"], 1e-5),
            (late, S4[str(k)]["em_limit"], 4e-5),  # golden EM stopped 6e-10 below its limit
        ):
            names = ("weights", "means", "stds")
            expected = np.transpose([golden[name] for name in names])
            np.testing.assert_allclose(rows, expected, rtol=rel)


def terms(line: str) -> list[list[float]]:
    """Read weights, means and stds; the exponent 2 stands at the end of each std."""
    rows = [numbers_of(term) for term in line.split(" + ")]
    return [[w, mean, float(str(std)[:-1])] for w, mean, std in rows]


def test_the_paper_is_tagged_and_looks_the_same_everywhere(
    tmp_path: Path, waiting: np.ndarray
) -> None:
    pypdf = pytest.importorskip("pypdf")
    made = writeup(gmm1d.compare(waiting, [1, 2]), xlabel="waiting time (min)")
    for name in ("a.pdf", "b.pdf"):
        write(made, tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    found = pypdf.PdfReader(tmp_path / "a.pdf")
    root = found.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert b"<pdfuaid:part>1<" in root["/Metadata"].get_data()  # by typst's own checks
    assert [part.title for part in found.outline] == [section.title for section in made.sections]
    assert found.metadata.title == "How many groups are in waiting time (min)?"
    assert found.metadata.creation_date.year == 2023
    alternatives = [o["/Alt"] for o in every(found) if "/Alt" in o]
    pictures = [b.alt for s in made.sections for b in s.blocks if isinstance(b, blocks.Picture)]
    assert set(pictures) <= set(alternatives)
    fonts = [o for o in every(found) if o.get("/Type") == "/FontDescriptor"]
    assert fonts
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & o.keys() for o in fonts)
    assert not [o for o in every(found) if o.get("/Subtype") == "/Image"]


def every(found):
    """Return all dictionaries of a PDF."""
    for number in range(1, len(found.xref_objStm) + len(found.xref.get(0, {})) + 1):
        entry = found.get_object(number)
        if hasattr(entry, "keys"):
            yield entry


def test_names_are_text(tmp_path: Path, waiting: np.ndarray) -> None:
    pypdf = pytest.importorskip("pypdf")
    source = Source([], column=NASTY, query=f"select '{NASTY}'", n_missing=1)
    found = gmm1d.compare(waiting, [1, 2])
    made = writeup(found, xlabel=NASTY, title=NASTY, source=source, command=NASTY)
    write(made, tmp_path / "a.pdf")
    text = "\n".join(read(tmp_path / "a.pdf"))
    known = '<b>"x"$a_b$\\alpha #let _é_ '
    assert text.count(known) >= 7  # title, four pictures, column, query, command
    assert pypdf.PdfReader(tmp_path / "a.pdf").metadata.title == NASTY
    no_font = writeup(found, xlabel="\U0001f469\u200d\U0001f469", title="\ufffe")
    write(no_font, tmp_path / "a.pdf")  # no PDF/UA, but a paper
    odd = writeup(found, xlabel="a\x00b\udce9\n c", title="\x1b[1m")
    assert odd.xlabel == "a\ufffdb\ufffd c"
    write(odd, tmp_path / "b.pdf")


@pytest.mark.parametrize(
    ("unit", "k", "known"),
    [(1e-120, 3, "2 × 10-119"), (-1e120, 3, "-1 × 10121"), (1.0, 12, "| 110,")],
)
def test_any_size_of_numbers_and_any_k_is_typeset(
    tmp_path: Path, unit: float, k: int, known: str
) -> None:
    x = np.concatenate([j + np.linspace(-1, 1, 9) for j in 10.0 * np.arange(k)])
    write_report(gmm1d.compare(unit * x, [k], start="kmeans"), tmp_path / "a.pdf")
    said = formula_lines(tmp_path / "a.pdf")
    assert said.count("|") >= k
    assert known in said
    assert "e+" not in said


def formula_lines(path: Path) -> str:
    return "\n".join(read(path)).partition("The fitted formulas")[2].partition("The plots")[0]


def test_page_and_paper_say_the_same(tmp_path: Path, waiting: np.ndarray) -> None:
    early, ended = homework(waiting - 70)
    made = writeup(early, ended=ended, xlabel="waiting time (min)", command="make")
    for name in ("a.html", "a.pdf"):
        write(made, tmp_path / name)
    parts = re.split(r'<section id="(\w+)"', (tmp_path / "a.html").read_text("utf-8"))
    page = {key: unescape(re.sub(r"<[^>]*>", " ", part)) for key, part in batched(parts[1:])}
    paper = words_of(re.sub(r"gmm1d \S+ \d / \d", "", "\n".join(read(tmp_path / "a.pdf"))))
    for section in made.sections:
        paper = paper[paper.index(words_of(section.title)) :]  # in the same order
        told = words_of(page[section.key])
        for text in map(words_of, texts_of(section)):
            assert text in told, section.key
            assert text in paper, section.key


def batched(items: list[str]) -> Iterator[tuple[str, str]]:
    return zip(items[::2], items[1::2], strict=True)


def words_of(text: str) -> str:
    """Leave out what is no letter, digit or sign, as lines are broken in different places."""
    text = text.replace("(lowest)", "").replace("(chosen)", "").replace("−", "-")
    return "".join(c for c in text if c.isalnum() or c == "-")


def texts_of(section: blocks.Section) -> list[str]:
    """Return every text, name, value and cell of a section."""
    found = [section.title]
    for block in section.blocks:
        match block:
            case blocks.Text(text):
                found.append(text)
            case blocks.Facts(rows):
                found += [part for row in rows for part in row]
            case blocks.Table():
                found += ["".join(row) for row in (block.header, *block.rows)]
    return found


# The command


def test_the_command_writes_and_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, waiting: np.ndarray
) -> None:
    path = tmp_path / "a.pdf"
    args = ("report", WAITING, "-k", "1,2", "--title", "Two", "-o", path)
    out, err = run(*args, capsys=capsys)
    assert out == f"{gmm1d.compare(waiting, [1, 2]).reason}\nwrote {path}\n"
    assert not err
    text = "\n".join(read(path))
    assert text.startswith("Two\n2023-11-14\n")
    assert "faithful_waiting.txt, 816 bytes" in text
    said = " ".join(text.partition("made again by:")[2].split())
    assert said.startswith("gmm1d report")
    assert "-k 1,2 --title Two -o" in said


def test_the_command_tells_what_was_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data, paper = tmp_path / "a.csv", tmp_path / "a.pdf"
    data.write_text("n,wait (min)\n" + "".join(f"{i % 3},{i}\n" for i in range(1, 30)) + "1,\n")
    args = ("-c", "wait (min)", "-w", "n", "-k", "1", "--missing", "drop", "-o", paper)
    run("report", data, *args, capsys=capsys)
    text = "\n".join(read(paper))
    assert "How many groups are in wait (min)?" in text
    for line in ("Column wait (min)", "Weights n", "Missing 1, left out", "Sum of weights"):
        assert line in text
    query = f"select \"wait (min)\" as w from '{data}' where n > 0"
    run("report", "--sql", query, "-k", "1", "--missing", "drop", "-o", paper, capsys=capsys)
    text = "\n".join(read(paper))
    assert "what the query names; no checksum is made of it" in text
    assert "Query select" in text


def test_wrong_use_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gmm1d.commands.report.values", None)  # no data are read
    monkeypatch.chdir(tmp_path)
    for outputs, said in {
        ("a.docx",): "a.docx: write-ups are written as .html or .pdf, not '.docx'",
        ("a.pdf", "none/a.pdf"): "none/a.pdf: there is no folder none",
        ("a.pdf", "./a.pdf"): "a.pdf: two outputs cannot be one file",
    }.items():
        words = [word for path in outputs for word in ("-o", path)]
        _, err = run("report", WAITING, *words, capsys=capsys, code=2)
        assert one_line(err)
        assert said in err
    assert "Missing option '-o'" in run("report", WAITING, capsys=capsys, code=2)[1]
    monkeypatch.setitem(sys.modules, "typst", None)
    _, err = run("report", WAITING, "-o", "a.pdf", capsys=capsys, code=1)
    assert err == "gmm1d: this needs typst, which is not installed: pip install 'gmm1d[report]'\n"
    with pytest.raises(MissingExtraError):
        write_report(gmm1d.compare([1, 2, 4.0], [1]), "a.pdf")
    for module in ("jinja2", "altair", "vl_convert", "matplotlib"):
        with monkeypatch.context() as hidden:
            hidden.setitem(sys.modules, module, None)
            _, err = run("report", WAITING, "-o", "a.html", capsys=capsys, code=1)
        assert one_line(err)
        assert "pip install 'gmm1d[report]'" in err
    with pytest.raises(InputError, match=r"not '\.docx'"):
        write_report(gmm1d.compare([1, 2, 4.0], [1]), "a.docx")
    assert not list(tmp_path.iterdir())


def test_nothing_chosen_is_written_up_and_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data, paper = tmp_path / "a.txt", tmp_path / "a.pdf"
    data.write_text("0 " * 50 + "1 2")
    out, err = run("report", data, "-k", "2", "-o", paper, capsys=capsys, code=1)
    assert not out
    assert err.startswith("gmm1d: nothing is chosen")
    assert "Nothing is chosen" in read(paper)[0]


@posix
def test_a_full_disk_leaves_no_half_paper(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    (tmp_path / "a.pdf").symlink_to("/dev/full")
    done = shell(f"$gmm1d report '{WAITING}' -k 1 -o a.pdf", tmp_path)
    assert done.returncode == 2
    assert "no regular file" in done.stderr
    (tmp_path / "a.pdf").unlink()
    limited = f"ulimit -f 8; $gmm1d report '{WAITING}' -k 1 -o a.pdf"
    done = shell(limited, tmp_path)
    assert done.returncode == 1
    assert one_line(done.stderr)
    assert not list(tmp_path.iterdir())


@posix
def test_a_folder_where_nobody_may_write_is_told_before_any_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gmm1d.commands.report.values", None)  # no data are read
    folder = Path("/proc/self")  # where root may not write either
    if not folder.exists():
        folder = tmp_path
        folder.chmod(0o500)
    for name in ("a.pdf", "a.html"):
        _, err = run("report", WAITING, "-o", folder / name, capsys=capsys, code=2)
        assert err == f"gmm1d: {folder / name}: permission denied\n"


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_what_is_interrupted_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise fault

    made = writeup(gmm1d.compare([1, 2, 4.0], [1]))
    monkeypatch.setattr("gmm1d.files.os.fsync", fail)
    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    for name in ("a.html", "a.pdf"):
        with pytest.raises((KeyboardInterrupt, OSError)):
            write(made, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_write_up_leaves_no_picture_for_the_notebook(tmp_path: Path) -> None:
    from matplotlib import pyplot

    found = gmm1d.compare(np.loadtxt(WAITING), [2])
    for name in ("a.html", "a.pdf"):
        write_report(found, tmp_path / name)
    assert pyplot.get_fignums() == []
