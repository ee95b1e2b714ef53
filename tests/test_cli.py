"""The command line: streams, exit codes, one-line errors, and no half-written file, whatever happens."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import gmm1d
from gmm1d import climbing, starts
from gmm1d.candidates import Candidates
from gmm1d.cli import main, program

FILES = Path(__file__).parent / "data" / "files"
WAITING = Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt"
GMM1D = [sys.executable, "-m", "gmm1d"]

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals, devices or modes")


def run(*args: object, capsys: pytest.CaptureFixture[str], code: int = 0) -> tuple[str, str]:
    """Run the command in this process and return what it wrote to its two streams."""
    with pytest.raises(SystemExit) as ending:
        main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    assert ending.value.code == code, err
    return out, err


def shell(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which $gmm1d is the command."""
    environment = {**os.environ, "gmm1d": " ".join(GMM1D), **env}
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def one_line(text: str) -> bool:
    return text.startswith("gmm1d: ") and text.count("\n") == 1 and text.endswith("\n")


def test_fit_prints_the_summary_and_the_formula(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = run("fit", WAITING, "-k", 2, capsys=capsys)
    fit = gmm1d.fit(np.loadtxt(WAITING), 2)
    assert out == f"{fit.summary()}\n\n{fit.mixture.formula()}\n"
    assert not err


def test_compare_prints_table_formulas_choice_and_paths(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture, model = tmp_path / "a.png", tmp_path / "a.json"
    out, err = run(
        *("compare", WAITING, "-k", "1..3", "--plot", picture, "-o", model), capsys=capsys
    )
    comparison = gmm1d.compare(np.loadtxt(WAITING), [1, 2, 3])
    assert out == f"{comparison.summary()}\nwrote {picture}\nwrote {model}\n"
    assert not err
    assert gmm1d.Fit.load(model).to_json() == comparison.best.to_json()
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_json_is_all_that_is_on_the_standard_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = tmp_path / "a.json"
    out, err = run("fit", WAITING, "-k", 2, "--json", "-o", model, capsys=capsys)
    assert json.loads(out) == json.loads(model.read_text())
    assert not err
    out, err = run("compare", WAITING, "-k", "2,1", "--json", "--criterion", "aic", capsys=capsys)
    result = json.loads(out)
    assert (result["criterion"], result["k"], list(result["fits"])) == ("aic", 2, ["1", "2"])
    assert result["fits"]["2"] == json.loads(model.read_text())
    assert not err


def test_quiet_prints_nothing_and_writes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for verb, k in (("fit", 2), ("compare", "1..2")):
        model = tmp_path / f"{verb}.json"
        assert run(verb, WAITING, "-k", k, "-q", "-o", model, capsys=capsys) == ("", "")
        assert gmm1d.Fit.load(model).k == 2


def test_options_reach_the_fit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = ["--start", "spread", "--method", "em", "--tol", "1", "--json"]
    out, _ = run("fit", WAITING, "-k", 2, *options, capsys=capsys)
    fit = gmm1d.fit(np.loadtxt(WAITING), 2, start="spread", method="em", tol=1)
    assert json.loads(out) == json.loads(fit.to_json())
    out, _ = run("fit", WAITING, "-k", 2, "--start", "kmeans", "--max-iter", 3, capsys=capsys)
    assert "stopped by max_iter" in out
    assert "3 EM steps from the start 'kmeans'" in out
    for verb, k in (("fit", 3), ("compare", "3")):
        args = (verb, WAITING, "-k", k, "--equal-variances", "--method", "squarem", "--exact")
        model = tmp_path / "a.json"
        run(*args, "-q", "-o", model, capsys=capsys)
        fit = gmm1d.Fit.load(model)
        assert (fit.n_parameters, len(set(fit.mixture.stds.tolist()))) == (6, 1)
        expected = gmm1d.fit(np.loadtxt(WAITING), 3, equal_variances=True, method="squarem")
        assert fit.to_json() == expected.to_json()
    out, _ = run("fit", WAITING, "-k", 2, "--random", 3, "--seed", 7, "--json", capsys=capsys)
    fit = gmm1d.fit(np.loadtxt(WAITING), 2, n_random=3, rng=7)
    assert json.loads(out) == json.loads(fit.to_json())
    out, _ = run("fit", FILES / "twocol.csv", "-c", "waiting", "-k", 1, "--json", capsys=capsys)
    assert json.loads(out)["mixture"]["means"] == [67.25]


def test_nothing_chosen_is_a_failure_that_names_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model = tmp_path / "a.json"
    out, err = run(
        *("compare", WAITING, "-k", "2,3", "--tol", 1, "-o", model), capsys=capsys, code=1
    )
    assert "tolerance" in out
    assert one_line(err)
    assert "nothing is chosen" in err
    assert not model.exists()


def undecided() -> gmm1d.Comparison:
    """Make up a comparison that ends on ties."""
    x = np.concatenate([np.zeros(950), np.linspace(4, 6, 50)])
    tied = gmm1d.fit(x, 2, equal_variances=True)
    tied = replace(tied, status=gmm1d.Ending.PENALISED, reason="ties")
    fits = {(1, "unequal"): gmm1d.fit(x, 1), (2, "unequal"): tied}
    return gmm1d.Comparison.of(Candidates(("unequal", "equal"), fits, {}), "bic")


def test_ties_choose_nothing_and_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found, page = undecided(), tmp_path / "a.html"
    monkeypatch.setattr("gmm1d.comparing.compare", lambda *_, **__: found)
    said = (
        "nothing is chosen: 950 of 1000 values are exactly 0, and at k = 2 with unequal variances"
    )
    out, err = run("compare", WAITING, "-k", "1,2", capsys=capsys, code=1)
    assert one_line(err)
    assert said in err
    assert said in out
    assert "penalised, ties" in out
    out, err = run("compare", WAITING, "-k", "1,2", "--json", capsys=capsys, code=1)
    result = json.loads(out)
    assert (result["k"], "family" in result) == (None, False)
    assert result["reason"] == found.reason
    assert result["left_out"] == [{"k": 2, "family": "unequal", "why": "penalised, ties"}]
    out, err = run("report", WAITING, "-k", "1,2", "-o", page, capsys=capsys, code=1)
    assert said in err
    assert said[1:] in page.read_text("utf-8")


def test_families_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    x = np.loadtxt(WAITING)
    for families in ("unequal", "equal"):
        out, _ = run("compare", WAITING, "-k", "1,2", "--families", families, capsys=capsys)
        assert out == f"{gmm1d.compare(x, [1, 2], families=families).summary()}\n"
    both, _ = run("compare", WAITING, "-k", "1,2", "--families", "both", capsys=capsys)
    assert both == f"{gmm1d.compare(x, [1, 2]).summary()}\n"
    agreed = ("--families", "equal", "--equal-variances")
    assert run("compare", WAITING, "-k", "1,2", *agreed, capsys=capsys)[0] == out
    against = ("--families", "unequal", "--equal-variances")
    _, err = run("compare", WAITING, "-k", "1,2", *against, capsys=capsys, code=2)
    assert one_line(err)
    assert "contradict each other" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["fit", "nofile.txt", "-k", "1"], "nofile.txt: No such file"),
        (["fit", FILES / "empty.txt", "-k", "1"], "no data, the file is empty"),
        (["fit", FILES / "under.txt", "-k", "1"], "under.txt, line 1, column 1: '1_000' is not"),
        (["fit", FILES / "twocol.csv", "-k", "1", "-c", "wating"], "did you mean 'waiting'?"),
        (["fit", FILES / "row.txt", "-k", "7"], "k"),
        (["compare", FILES / "row.txt", "-k", "60..61"], "k"),
        (["fit", WAITING, "-k", "1", "-o", "nowhere/a.json"], "there is no folder nowhere"),
        (["compare", WAITING, "--plot", "nowhere/a.png"], "there is no folder nowhere"),
        (
            ["fit", WAITING, "-k", "1", "--plot", "a.xls"],
            "pictures are written as .png, .pdf, .svg",
        ),
        (["fit", WAITING, "-k", "1", "--plot", "a.png", "-o", "a.png"], "cannot be one file"),
        (["fit", WAITING, "-k", "1", "-o", WAITING], "this would overwrite the data"),
    ],
)
def test_errors_take_one_line_and_come_before_any_work(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    args: list[object],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = WAITING.read_bytes()
    out, err = run(*args, capsys=capsys, code=2)
    assert not out
    assert one_line(err)
    assert message in err
    assert not list(tmp_path.iterdir())
    assert WAITING.read_bytes() == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--kk", "2", "fit"], "No such option"),
        (["fit", WAITING, "--kk", "2"], "No such option"),
        (["fit", WAITING, "-k", "two"], "'two' is no positive whole number"),
        (["fit", WAITING, "-k", "0"], "'0' is no positive whole number"),
        (["fit", WAITING, "-k", "1..3"], "more than one number: use `gmm1d compare`"),
        (["compare", WAITING, "-k", "3..1"], "runs backwards: write 1..3"),
        (["compare", WAITING, "-k", "1..999999999"], "more than 1000 numbers"),
        (["compare", WAITING, "-k", "1,,2"], "is no positive whole number"),
        (["fit", WAITING], "Missing option '-k'"),
        (["fit", "-k", "2"], "Missing argument 'DATA...'"),
        (["fit", WAITING, "-k", "2", "--tol", "-1"], "--tol"),
        (["fit", WAITING, "-k", "2", "--tol", "nan"], "tol"),
        (["fit", WAITING, "-k", "2", "--start", "here"], "--start"),
        (["fit", WAITING, "-k", "2", "--method", "hope"], "--method"),
        (["fit", WAITING, "-k", "2", "--random", "5"], "--random needs --seed"),
        (["compare", WAITING, "--random", "5"], "No such option"),
        (["explain"], "No such command"),
        ([], "Usage:"),
    ],
)
def test_wrong_use_is_explained_with_the_usage(
    capsys: pytest.CaptureFixture[str], args: list[object], message: str
) -> None:
    out, err = run(*args, capsys=capsys, code=2)
    assert not out
    assert message in err


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", [3]), ("1..4", [1, 2, 3, 4]), ("5,2,3", [2, 3, 5]), ("1..2,2", [1, 2])],
)
def test_numbers_of_components(
    capsys: pytest.CaptureFixture[str], text: str, expected: list[int]
) -> None:
    out, _ = run("compare", WAITING, "-k", text, "--tol", 5, "--json", capsys=capsys, code=1)
    assert [int(k) for k in json.loads(out)["fits"]] == expected


def test_help_and_version_go_to_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    for args in (["--help"], ["-h"], ["fit", "--help"], ["compare", "-h"]):
        out, err = run(*args, capsys=capsys)
        assert "Usage: gmm1d" in out
        assert "Example" in out
        assert not err
    assert run("--version", capsys=capsys) == (f"gmm1d {version('gmm1d')}\n", "")


def test_the_command_offers_every_start_and_every_method_there_is() -> None:
    for verb in program.commands.values():
        offered = next(option.type for option in verb.params if option.name == "start")
        assert set(offered.choices) == set(starts.NAMED)
        methods = next(option.type for option in verb.params if option.name == "method")
        assert set(methods.choices) == set(climbing.METHODS)


def test_module_without_the_extra_names_it() -> None:
    code = "import sys; sys.modules['click'] = None; import gmm1d.cli"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "gmm1d: the command line needs click: pip install 'gmm1d[cli]'\n"


def test_collapse_is_a_failure_not_a_misuse(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = tmp_path / "ties.txt"
    data.write_text("0\n" * 50 + "\n".join(map(str, np.linspace(5, 9, 50))))
    _, err = run("fit", data, "-k", 2, "--start", "kmeans", capsys=capsys, code=1)
    assert one_line(err)
    assert "spike" in err


@posix
def test_standard_input_and_pipe(tmp_path: Path) -> None:
    done = shell(f"$gmm1d fit - -k 2 --json < '{WAITING}' | head -n 1", tmp_path)
    assert (done.stdout, done.stderr) == ("{\n", "")
    done = shell("$gmm1d fit - -k 1 < /dev/null", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gmm1d: standard input: no data, the file is empty\n"


@posix
def test_full_output_is_an_error(tmp_path: Path) -> None:
    for command in (f"fit '{WAITING}' -k 1", f"fit '{WAITING}' -k 1 --json", "--help"):
        done = shell(f"$gmm1d {command} > /dev/full", tmp_path)
        assert done.returncode == 1
        assert done.stderr == "gmm1d: cannot write: No space left on device\n"


@posix
def test_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    done = shell(f"($gmm1d compare '{WAITING}' -k 1..2; echo $? >&2) | true", tmp_path)
    assert done.stderr == "1\n"


@posix
def test_closed_streams_keep_the_code(tmp_path: Path) -> None:
    assert shell("$gmm1d fit nofile -k 1 2>&-", tmp_path).returncode == 2
    assert shell("$gmm1d fit x --kk 1 2>&-", tmp_path).returncode == 2
    assert shell(f"$gmm1d fit '{WAITING}' -k 1 -q >&- 2>&-", tmp_path).returncode == 0
    assert shell(f"$gmm1d fit '{WAITING}' -k 1 2>&-", tmp_path).returncode == 0
    assert shell("$gmm1d fit nofile -k 1 2>/dev/full", tmp_path).returncode == 2
    for verb in ("fit -k 1", "compare"):
        done = shell(f"$gmm1d {verb} '{WAITING}' >&-", tmp_path)
        assert (done.returncode, done.stderr) == (0, "")


@posix
def test_locale_changes_nothing(tmp_path: Path) -> None:
    command = f"$gmm1d compare '{WAITING}' -k 1..2"
    plain = shell(command, tmp_path)
    assert plain.returncode == 0
    assert shell(command, tmp_path, LC_ALL="de_DE.UTF-8").stdout == plain.stdout
    cyrillic = shell(command, tmp_path, PYTHONIOENCODING="iso8859-5")  # which has no ²
    assert (cyrillic.returncode, cyrillic.stderr) == (0, "")
    assert cyrillic.stdout == plain.stdout.replace("²", "\\xb2")


@posix
def test_colours_only_on_a_terminal(tmp_path: Path) -> None:
    def seen(**env: str) -> str:
        import pty

        leader, follower = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", **env}
        command = [*GMM1D, "compare", str(WAITING), "-k", "1..2"]
        with subprocess.Popen(
            command, stdout=follower, stderr=follower, env=environment
        ) as process:
            os.close(follower)
            parts = []
            with contextlib.suppress(OSError):  # how Linux says that the other side has left
                while part := os.read(leader, 4096):
                    parts.append(part)
        os.close(leader)
        assert process.returncode == 0
        return b"".join(parts).decode()

    coloured, plain = seen(), seen(NO_COLOR="1")
    assert "\x1b[1;32m" in coloured
    assert "\x1b[1;32m" not in plain
    assert shell(f"$gmm1d compare '{WAITING}' -k 1..2", tmp_path).stdout.partition("\n\n")[2] in (
        plain.replace("\r\n", "\n")
    )


@contextlib.contextmanager
def nearly_full(folder: Path) -> Iterator[str]:
    """Make the folder a file system of one page, where that is allowed; else limit the size of files."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "gmm1d-test", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield "" if mounted else "ulimit -f 1; trap '' XFSZ; "
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that can be full")
def test_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    with nearly_full(folder) as limit:
        for option, name in (("-o", "a.json"), ("--plot", "a.png")):
            (folder / name).write_text("old")
            done = shell(f"{limit}$gmm1d fit '{WAITING}' -q -k 20 {option} small/{name}", tmp_path)
            assert done.returncode == 1
            assert one_line(done.stderr)
            assert "No space left" in done.stderr or "File too large" in done.stderr
            assert [path.name for path in folder.iterdir()] == [name]
            assert (folder / name).read_text() == "old"
            (folder / name).unlink()


@posix
def test_modes_follow_the_umask(tmp_path: Path) -> None:
    for umask, mode in (("027", 0o640), ("777", 0)):
        done = shell(f"umask {umask}; $gmm1d fit '{WAITING}' -q -k 1 -o {umask}.json", tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / f"{umask}.json").stat().st_mode & 0o777 == mode


@posix
def test_devices_and_folders_are_not_replaced(tmp_path: Path) -> None:
    for target in ("/dev/null", str(tmp_path)):
        done = shell(f"$gmm1d fit '{WAITING}' -k 1 -o {target}", tmp_path)
        assert done.returncode == 2
        assert target in done.stderr
    assert not Path("/dev/null").is_file()


@posix
@pytest.mark.parametrize(
    ("verb", "number", "code", "message"),
    [
        ("fit", signal.SIGTERM, 143, ""),
        ("fit", signal.SIGINT, 130, "gmm1d: interrupted"),
        ("compare", signal.SIGTERM, 143, ""),
    ],
)
def test_signals_end_the_work_and_leave_nothing(
    tmp_path: Path, verb: str, number: int, code: int, message: str
) -> None:
    values = " ".join(map(repr, np.linspace(0, 1, 20_000).tolist()))  # EM on it takes minutes
    slowly = ["--start", "quantile", "--method", "em"]
    command = [*GMM1D, verb, "-", "-k", "12", *slowly, "-o", "a.json", "--plot", "a.png"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write(values)
        process.stdin.close()
        time.sleep(1.5)
        assert process.poll() is None
        process.send_signal(number)
        sent = time.monotonic()
        assert process.wait(timeout=20) == code
        assert time.monotonic() - sent < 2
        assert process.stderr.read().strip() == message
    assert not list(tmp_path.iterdir())


@posix
def test_same_command_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    command = f"$gmm1d compare '{WAITING}' -k 1..3 -o m.json --plot p.png"
    first, second = (shell(f"cd {name}; {command}", tmp_path) for name in "ab")
    assert first.stdout == second.stdout
    for name in ("m.json", "p.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@posix
def test_completion_scripts(tmp_path: Path) -> None:
    asked = {"COMP_WORDS": "gmm1d fit --st", "COMP_CWORD": "2"}
    done = shell("$gmm1d", tmp_path, _GMM1D_COMPLETE="bash_complete", **asked)
    assert (done.returncode, done.stdout) == (0, "plain,--start\n")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from gmm1d.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'scipy.stats', 'scipy.optimize', 'rich', 'matplotlib', 'pandas'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
