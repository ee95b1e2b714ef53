"""The verbs that use a model, groups and columns side by side, and data of many kinds, on the command line."""

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from test_cli import FILES, GMM1D, WAITING, one_line, posix, run, shell

import gmm1d
from gmm1d import exits, several
from gmm1d.commands.showing import show
from gmm1d.formatting import text_table

PENGUINS = FILES / "penguins_raw.csv"
MASS = "Body Mass (g)"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    gmm1d.fit(np.loadtxt(WAITING), 2).save(path)
    return path


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def penguins(column: str) -> list[float]:
    with PENGUINS.open(encoding="utf-8") as stream:
        return [float(row[column]) for row in csv.DictReader(stream) if row[column]]


def test_predict_adds_columns_and_changes_none(
    capsys: pytest.CaptureFixture[str], model: Path
) -> None:
    out, err = run("predict", model, FILES / "twocol.csv", "-c", "waiting", capsys=capsys)
    mixture = gmm1d.Mixture.load(model)
    rows = table(out)
    x = [float(row["waiting"]) for row in rows]
    assert [row["eruptions"] for row in rows] == ["3.6", "1.8", "3.333", "2.283"]
    assert x == [79, 54, 74, 62]
    assert [int(row["component"]) for row in rows] == (1 + mixture.predict(x)).tolist()
    found = [[float(row[f"responsibility_{j}"]) for j in (1, 2)] for row in rows]
    assert found == mixture.responsibilities(x).tolist()
    assert not err


def test_predict_leaves_out_or_blank_what_is_missing(
    capsys: pytest.CaptureFixture[str], model: Path
) -> None:
    args = ("predict", model, PENGUINS, "-c", MASS)
    out, err = run(*args, capsys=capsys, code=2)
    assert not out
    assert "line 5, column 14 (Body Mass (g)): empty cell; 2 of 344 values are missing" in err
    out, err = run(*args, "--missing", "drop", capsys=capsys)
    assert len(table(out)) == 342
    assert err == "gmm1d: note: 2 missing values were left out\n"
    assert run(*args, "--missing", "drop", "-q", capsys=capsys) == (out, "")
    out, err = run(*args, "--missing", "blank", capsys=capsys)
    rows = table(out)
    assert len(rows) == 344
    assert [row["component"] for row in rows].count("") == 2
    assert rows[3]["component"] == rows[3]["responsibility_2"] == rows[3][MASS] == ""
    assert rows[3]["Comments"] == "Adult not sampled."
    assert not err


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "arrow"])
def test_predict_writes_what_it_can_read_again(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, suffix: str
) -> None:
    data, labelled = tmp_path / "data.parquet", tmp_path / f"labelled.{suffix}"
    x = [50.0, 80.5, None]
    names = pa.array(["a,b", 'say "c"\n', None])
    pyarrow.parquet.write_table(pa.table({"x": x, "a name": names}), data)
    args = ("-c", "x", "--missing", "blank", "-o", labelled)
    assert run("predict", model, data, *args, capsys=capsys) == ("", "")
    with gmm1d.readers.Data([str(labelled)], missing="drop", columns=True) as found:
        columns, values = next(found.rows("x"))
    assert [name for name, _ in columns] == [
        *("x", "a name", "component", "responsibility_1", "responsibility_2")
    ]
    assert values.tolist()[:2] == [50, 80.5]
    assert np.isnan(values[2])
    read = {name: column.to_pylist() for name, column in columns}
    assert read["a name"][:2] == ["a,b", 'say "c"\n']
    assert [None if c in (None, "") else int(c) for c in read["component"]] == [1, 2, None]
    shares = [float(share) for share in read["responsibility_2"][:2]]
    assert shares == gmm1d.Mixture.load(model).responsibilities(x[:2])[:, 1].tolist()


def test_predict_reads_several_files_as_one(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    for name, numbers in (("a", "50 51"), ("b", "80")):
        (tmp_path / f"{name}.txt").write_text(numbers)
    out, _ = run("predict", model, f"{tmp_path}/*.txt", capsys=capsys)
    assert [(row["column1"], row["component"]) for row in table(out)] == [
        *(("50", "1"), ("51", "1"), ("80", "2"))
    ]


def test_nothing_that_is_read_is_overwritten(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("x\n1\n2\n")
    (tmp_path / "link.csv").symlink_to(folder / "b.csv")
    for args in (
        ("fit", "folder/*.csv", "-k", 1, "-o", "folder/b.csv"),
        ("predict", model, "folder", "-o", "folder/a.csv"),
        ("predict", model, "folder", "-o", "link.csv"),
        ("sketch", "--sql", "select x from 'folder/a.csv'", "-o", "folder/a.csv"),
        ("fit", "folder/a.csv", "-k", 1, "--plot", "folder/a.csv"),
    ):
        _, err = run(*args, capsys=capsys, code=2)
        assert one_line(err)
        assert "overwr" in err
    assert {path.read_text() for path in folder.iterdir()} == {"x\n1\n2\n"}


def test_a_single_fit_is_no_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, said in (("a.csv", "a single fit is written as JSON"), ("-", "this is no file")):
        _, err = run("fit", WAITING, "-k", 1, "-o", name, capsys=capsys, code=2)
        assert said in err
    assert not list(tmp_path.iterdir())


def test_help_and_suggestions(capsys: pytest.CaptureFixture[str]) -> None:
    whole, _ = run("--help", capsys=capsys)
    assert run("help", capsys=capsys)[0] == whole
    assert "Usage: gmm1d fit" in run("help", "fit", capsys=capsys)[0]
    assert "Did you mean 'fit'?" in run("ftt", capsys=capsys, code=2)[1]


def test_predict_refuses_files_of_different_columns(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    out, err = run("predict", model, f"{tmp_path}/*.csv", "-c", "x", capsys=capsys, code=2)
    assert not out
    assert "b.csv: not the columns of " in err


def test_predict_refuses_before_it_writes(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    labelled = tmp_path / "labelled.csv"
    shutil.copy(FILES / "twocol.csv", tmp_path / "data.csv")
    data, odd = tmp_path / "data.csv", shutil.copy(model, tmp_path / "model.csv")
    for args, said in [
        ([model, data, "-c", "waiting", "-o", tmp_path / "x.xlsx"], "tables are written as .csv"),
        ([model, data, "-c", "waiting", "-o", data], "this would overwrite the data"),
        ([odd, data, "-c", "waiting", "-o", odd], "this would overwrite the data"),
        ([model, data, "-c", "wating", "-o", labelled], "did you mean 'waiting'?"),
        ([data, data, "-c", "waiting", "-o", labelled], "data.csv: this is no JSON"),
        ([tmp_path / "no.json", data, "-c", "waiting", "-o", labelled], "no.json: No such file"),
        ([model, FILES / "under.txt", "-o", labelled], "under.txt, line 1, column 1: '1_000'"),
    ]:
        out, err = run("predict", *args, capsys=capsys, code=2)
        assert not out
        assert one_line(err)
        assert said in err
        assert not labelled.exists()
    run("predict", model, data, "-c", "waiting", "-o", labelled, capsys=capsys)
    _, err = run("predict", model, labelled, "-c", "waiting", capsys=capsys, code=2)
    assert "there is a column 'component' already: rename it by --sql" in err


def test_score_is_the_log_likelihood(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    fit = gmm1d.Fit.load(model)
    out, err = run("score", model, WAITING, "--json", capsys=capsys)
    found = json.loads(out)
    assert found["n"] == 272
    assert found["log_likelihood"] == pytest.approx(fit.log_likelihood, rel=1e-13)
    assert found["mean_log_density"] == found["log_likelihood"] / 272
    assert not err
    out, _ = run("score", model, WAITING, capsys=capsys)
    assert out == "log-likelihood of 272 values: -1034.00175\nmean log density: -3.801477021\n"
    counts = tmp_path / "counts.csv"
    counts.write_text("x,n\n50,2\n80,0.5\n")
    out, _ = run("score", model, counts, "-c", "x", "-w", "n", "--json", capsys=capsys)
    expected = 2 * fit.mixture.logpdf(50) + 0.5 * fit.mixture.logpdf(80)
    assert json.loads(out)["log_likelihood"] == pytest.approx(expected, rel=1e-14)
    counts.write_text("x,n,g\n50,2,a\n51,-2,b\n")
    for verb in (("score", model), ("fit", "-k", 1), ("fit", "-k", 1, "--by", "g")):
        _, err = run(*verb, counts, "-c", "x", "-w", "n", capsys=capsys, code=2)
        assert "counts.csv, line 3, column 2 (n): '-2' is negative, and a weight" in err


def test_sample_is_that_of_the_library(
    capsys: pytest.CaptureFixture[str], model: Path, tmp_path: Path
) -> None:
    expected = gmm1d.Mixture.load(model).rvs(5, rng=7).tolist()
    out, _ = run("sample", model, "-n", 5, "--seed", 7, capsys=capsys)
    assert [float(line) for line in out.splitlines()] == expected
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"drawn.{suffix}"
        assert run("sample", model, "-n", 5, "--seed", 7, "-o", path, capsys=capsys) == ("", "")
        assert gmm1d.readers.read_column(path).tolist() == expected
    _, err = run("sample", model, "-n", 5, capsys=capsys, code=2)
    assert "--seed" in err


def test_sketches_of_parts_give_the_fit_of_the_whole(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    x = gmm1d.Mixture([0.3, 0.7], [0, 4], [1, 1]).rvs(60_000, rng=1)
    np.save(tmp_path / "all.npy", x)
    parts = []
    for j, part in enumerate(np.split(x, 2)):
        np.save(tmp_path / f"{j}.npy", part)
        parts.append(tmp_path / f"{j}.sketch")
        out, _ = run("sketch", tmp_path / f"{j}.npy", "-o", parts[-1], capsys=capsys)
        assert out.startswith("Sketch(30000 points from ")
        assert out.endswith(f"\nwrote {parts[-1]}\n")
    out, _ = run("fit", *parts, "-k", 2, "--json", capsys=capsys)
    found, whole = gmm1d.Fit.from_json(out), gmm1d.fit(x, 2)
    assert found.n == 60_000
    assert found.mixture.means == pytest.approx(whole.mixture.means, rel=1e-9)
    _, err = run("fit", *parts, "-k", 2, "--exact", capsys=capsys, code=2)
    assert "exact=True needs the data themselves" in err
    run("sketch", *parts, "-q", "-o", tmp_path / "both.sketch", capsys=capsys)
    assert gmm1d.Sketch.load(tmp_path / "both.sketch").size == 60_000


def test_groups_and_columns_get_mixtures_of_their_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fits = tmp_path / "fits.parquet"
    args = ("fit", PENGUINS, "-c", MASS, "--by", "Species", "-k", 1, "--missing", "drop")
    out, err = run(*args, "-o", fits, capsys=capsys)
    assert out.splitlines()[0].split() == [
        *("Species", "n", "weight", "1", "mean", "1", "std", "1", "log-likelihood", "ending")
    ]
    assert "3 converged\n" in out
    assert out.endswith(f"wrote {fits}\n")
    assert err == "gmm1d: note: 2 missing values were left out\n"
    found = pyarrow.parquet.read_table(fits).to_pylist()
    assert sum(row["n"] for row in found) == 342
    with PENGUINS.open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row[MASS]]
    for row in found:
        x = [float(each[MASS]) for each in rows if each["Species"] == row["Species"]]
        assert row["mean_1"] == pytest.approx(np.mean(x), rel=1e-14)
    columns = f"{MASS},Flipper Length (mm)"
    out, _ = run("fit", PENGUINS, "-c", columns, "-k", 2, *args[-2:], "--json", capsys=capsys)
    for row in json.loads(out):
        expected = gmm1d.fit(penguins(row["column"]), 2)
        assert row["mean_2"] == pytest.approx(expected.mixture.means[1], rel=1e-12)
        assert row["status"] == "CONVERGED"


def test_groups_that_cannot_be_fitted_are_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("g,x\nb,1\na,1\na,2\na,4\nb,1\n")
    out, err = run("fit", data, "-c", "x", "--by", "g", "-k", 1, capsys=capsys)
    assert "1 converged, 1 failed\n" in out
    assert "b: all values equal 1: a Gaussian needs at least two distinct values" in out
    assert not err
    out, err = run("fit", data, "-c", "x", "--by", "g", "-k", 3, "--json", capsys=capsys)
    assert json.loads(out)[1]["mean_1"] is None
    data.write_text("g,x\nb,1\na,1\nb,1\na,1\n")
    out, err = run("fit", data, "-c", "x", "--by", "g", "-k", 2, capsys=capsys, code=1)
    assert one_line(err)
    assert "none of the data sets could be fitted" in err


@pytest.mark.parametrize("few", [5, 100])  # groups that are held in memory together
def test_many_groups_are_fitted_in_portions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(several, "MOST", 7)
    monkeypatch.setattr("gmm1d.readers.grouping.FEW", few)
    fits = tmp_path / "fits.csv"
    x = np.random.default_rng(1).normal(size=(60, 20))
    rows = [f"g{i:02},{value!r}" for i in range(60) for value in x[i].tolist()]
    np.random.default_rng(2).shuffle(rows)
    for name, part in (("a", rows[:500]), ("b", rows[500:])):
        (tmp_path / f"{name}.csv").write_text("g,x\n" + "\n".join(part) + "\n")
    data = f"{tmp_path}/?.csv"
    out, _ = run("fit", data, "-c", "x", "--by", "g", "-k", 1, "-o", fits, capsys=capsys)
    assert "and 10 more groups, which --output writes" in out
    with fits.open() as stream:
        found = list(csv.DictReader(stream))
    assert [row["g"] for row in found] == [f"g{i:02}" for i in range(60)]
    assert [float(row["mean_1"]) for row in found] == pytest.approx(x.mean(axis=1), abs=1e-15)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--by", "g", "--start", "kmeans"], "--start is for one column and no groups"),
        (["--by", "g", "--plot", "a.png"], "--plot is for one column and no groups"),
        (["-c", "x,y", "--exact"], "--exact is for one column and no groups"),
        (["--random", "3"], "--random needs --seed"),
    ],
)
def test_options_of_one_data_set(
    capsys: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    _, err = run("fit", FILES / "euro.csv", "-k", 1, *args, capsys=capsys, code=2)
    assert said in err
    assert "Usage: gmm1d fit" in err


def test_missing_values_are_noted_in_the_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "m.json"
    args = (PENGUINS, "-c", MASS, "--missing", "drop", "-o", path)
    out, err = run("fit", *args, "-k", 2, capsys=capsys)
    assert "note: 2 missing values were left out\n" in out
    assert gmm1d.Fit.load(path).notes == ("2 missing values were left out",)
    out, err = run("compare", *args, "-k", "1,2", capsys=capsys)
    assert "; 2 missing values were left out\n" in out
    assert not err


def test_weights_are_frequencies(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    values, counts = np.unique(np.loadtxt(WAITING), return_counts=True)
    data = tmp_path / "counts.csv"
    data.write_text(
        "minutes,n\n" + "\n".join(f"{v},{c}" for v, c in zip(values, counts, strict=True))
    )
    out, _ = run("fit", data, "-c", "minutes", "-w", "n", "-k", 2, "--json", capsys=capsys)
    expected = json.loads(gmm1d.fit(np.loadtxt(WAITING), 2).to_json())
    assert json.loads(out)["mixture"]["means"] == pytest.approx(expected["mixture"]["means"])
    assert json.loads(out)["n"] == 272


def test_the_standard_input_may_be_anything(tmp_path: Path) -> None:
    x = np.loadtxt(WAITING)
    pyarrow.parquet.write_table(pa.table({"waiting": x}), tmp_path / "x.parquet")
    plain = shell(f"$gmm1d fit '{WAITING}' -k 2 --json", tmp_path)
    for script in ("cat x.parquet |", "gzip -c x.parquet | gunzip |"):
        done = shell(f"{script} $gmm1d fit - -k 2 --json", tmp_path)
        assert (done.stdout, done.stderr) == (plain.stdout, "")
    done = shell("$gmm1d fit - - -k 2 < x.parquet", tmp_path)
    assert done.returncode == 2
    assert "the standard input can be read only once" in done.stderr


def completed(words: str, folder: Path) -> list[str]:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = shell("$gmm1d", folder, _GMM1D_COMPLETE="bash_complete", **asked)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@posix
def test_completion_knows_verbs_options_and_columns(tmp_path: Path) -> None:
    shutil.copy(FILES / "twocol.csv", tmp_path / "data.csv")
    assert completed("gmm1d s", tmp_path) == ["score", "sample", "sketch"]
    assert completed("gmm1d fit --mi", tmp_path) == ["--missing"]
    assert completed("gmm1d fit data.csv -c w", tmp_path) == ["waiting"]
    assert completed("gmm1d fit nofile.csv -c w", tmp_path) == []


@posix
def test_progress_is_shown_on_a_terminal_and_kept_off_the_output(tmp_path: Path) -> None:
    import pty
    import termios

    big = tmp_path / "big.csv"
    big.write_text("x\n" + "".join(f"{i % 1000}.5\n" for i in range(3_000_000)))
    code = "import gmm1d.progress, sys; gmm1d.progress.PATIENCE = 0; from gmm1d.cli import main; main()"
    for quiet, seen in (([], True), (["-q"], False)):
        leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, 80))
        command = [sys.executable, "-c", code, "fit", str(big), "-k", "1", "--json", *quiet]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=follower, text=True
        ) as process:
            os.close(follower)
            out = process.stdout.read()
        shown = b""
        try:
            while part := os.read(leader, 4096):
                shown += part
        except OSError:  # how Linux says that the other side has left
            pass
        os.close(leader)
        assert process.returncode == 0
        assert json.loads(out)["n"] == 3_000_000
        assert (b"big.csv: " in shown and b" rows/s" in shown) == seen


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_the_reading_and_leave_nothing(tmp_path: Path, number: int, code: int) -> None:
    model, temporary = tmp_path / "m.json", tmp_path / "temporary"
    gmm1d.Mixture([1], [0], [1]).save(model)
    temporary.mkdir()
    sql = "select i / 7 as x from range(10000000000) t(i)"
    environment = {**os.environ, "TMPDIR": str(temporary)}
    for verb, out in (
        (["predict", str(model)], "out.csv"),
        (["fit", "-k", "1"], "out.json"),
        (["sketch"], "out.sketch"),
    ):
        command = [*GMM1D, *verb, "--sql", sql, "-o", str(tmp_path / out)]
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True
        ) as process:
            time.sleep(2.0)
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(timeout=20) == code
            assert process.stderr.read().strip() == ("gmm1d: interrupted" if code == 130 else "")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["m.json", "temporary"]
        assert not list(temporary.iterdir())


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_a_library_swallows_is_heeded(number: int, code: int) -> None:
    def command() -> None:
        with contextlib.suppress(KeyboardInterrupt, SystemExit):  # as some imports do
            os.kill(os.getpid(), number)
            time.sleep(1)
        exits.heed()

    with pytest.raises(SystemExit) as ending:
        exits.run(command)
    assert ending.value.code == code


def test_a_table_too_wide_for_the_terminal_is_not_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    header, rows = ["a name", "number"], [["x" * 30, "-1234.5678"]]
    show(text_table(header, rows), header, rows)
    assert capsys.readouterr().out == f"{text_table(header, rows)}\n"
