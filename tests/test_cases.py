"""Every awkward file and every situation of the two lists of cases does what a user expects there."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import test_cli

from gmm1d.cli import main
from gmm1d.errors import ReadError
from gmm1d.readers import read_column

DATA = Path(__file__).parent / "data"
FILES = DATA / "files"
WAITING = Path(__file__).parent.parent / "examples" / "data" / "faithful_waiting.txt"
FILE_CASES = json.loads((DATA / "file_cases.json").read_text("utf-8"))
SYSTEM_CASES = json.loads((DATA / "system_cases.json").read_text("utf-8"))

# What else is asked for in some cases, and what is said where there are no numbers.
MORE = {
    "penguins_raw_real": ["--missing", "drop"],
    "semicolon_decimal_comma": ["--column", "x"],
    "csv_duplicate_headers": ["--column", "x"],
}
SAID = {
    "nul_bytes": r"nul\.txt, line 1, column 1: '1\\x002' is not a number",
    "csv_missing_column": r"no column 'wating' \(did you mean 'waiting'\?\); columns: eruptions, wait",
    "csv_duplicate_headers": r"columns 1 and 2 share the name 'x', choose by number",
    "csv_empty_cells": r"line 3, column 1 \(x\): empty cell; 2 of 5 values are missing, --missing drop",
    "semicolon_decimal_comma": r"line 2, column 1 \(x\): '1,5' is not a number, it contains COMMA",
    "thousands": r"line 2, column 1 \(x\): '1,234' is not a number, it contains COMMA",
    "underscore_number": r"line 1, column 1: '1_000' is not a number, it contains LOW LINE",
    "unicode_minus": r"line 1, column 1: '−1.5' is not a number, it contains MINUS SIGN \(U\+2212\)",
    "nbsp": r"line 1, column 1: '1\\xa0000' is not a number, it contains NO-BREAK SPACE",
    "currency": r"line 1, column 1: '\$12' is not a number, it contains DOLLAR SIGN",
    "empty_file": r"empty\.txt: no data, the file is empty",
    "only_header": r"only_header\.csv: no data rows below the header x",
    "overflow_number": r"line 1, column 1: '1e400' is beyond the range of float64",
    "xlsx_named_csv": r"fake\.csv: this is a zip archive \(as \.xlsx",
    "mixed_sep": r"mixed\.txt: 2 columns, choose one by name or number: 1 to 2, without names",
}
# Read, though the list would have allowed an error.
COUNTS = {"latin1_header": 4, "gz_wrong_ext": 20, "bz2": 20, "huge_line": 2_000_000}


def ended(args: list[object]) -> int:
    with pytest.raises(SystemExit) as ending:
        main([str(arg) for arg in args])
    return int(ending.value.code)


@pytest.mark.parametrize("case", FILE_CASES, ids=[case["id"] for case in FILE_CASES])
def test_file_case(
    case: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = FILES / str(case["file"])
    if case["id"] == "huge_line":
        path = tmp_path / "huge_line.txt"
        path.write_text("1 " * 1_999_999 + "2")
    if case["id"] == "filename_spaces_unicode":
        path = Path(shutil.copy(path, tmp_path / "naïve fíle ☃.txt"))
    more = MORE.get(str(case["id"]), [])
    code = ended(["fit", path, "-k", 1, "--json", *case.get("args", []), *more])
    out, err = capsys.readouterr()
    if case["id"] in SAID:
        assert code == 2
        assert not out
        assert err.count("\n") == 1
        assert re.search(SAID[str(case["id"])], err), err
    else:
        assert code == 0, err
        expected = case.get("expected_n", COUNTS.get(str(case["id"])))
        assert json.loads(out)["n"] == expected
        assert not err


def test_the_european_case_is_read_when_it_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    code = ended(
        ["score", DATA / "normal.json", FILES / "euro.csv", "-c", "x", "--decimal", ",", "--json"]
    )
    expected = -0.5 * (1.5**2 + 2.5**2 + 9.5**2) - 1.5 * np.log(2 * np.pi)
    out = capsys.readouterr().out
    assert code == 0
    assert json.loads(out)["log_likelihood"] == pytest.approx(expected)


def test_every_file_case_is_judged() -> None:
    for case in FILE_CASES:
        judged = [case["id"] in SAID, "expected_n" in case, case["id"] in COUNTS]
        assert sum(judged) == 1, case["id"]


# In a shell, in an empty folder with data.txt: a script, its exit code, what each stream says.
SHELL = {
    "file_missing": ("$gmm1d fit nofile.txt -k 1", 2, "", r"gmm1d: nofile\.txt: No such file"),
    "stdin_empty": ("$gmm1d fit - -k 1 < /dev/null", 2, "", "gmm1d: standard input: no data"),
    "dev_full": ("$gmm1d fit data.txt -k 1 > /dev/full", 1, "", "gmm1d: cannot write: No space"),
    "output_dir_missing": (
        "$gmm1d fit data.txt -k 2 -o nowhere/out.json",
        2,
        "",
        "gmm1d: nowhere/out.json: there is no folder nowhere",
    ),
    "closed_stderr": ("$gmm1d fit bad -k 1 2>&-", 2, "", ""),
    "locale_de": (
        "LC_ALL=de_DE.UTF-8 $gmm1d fit data.txt -k 1 --json",
        0,
        r'"means": \[70\.8970',
        "",
    ),
    "unknown_option": ("$gmm1d fit --kk 2 data.txt", 2, "", "No such option"),
    "k_text": ("$gmm1d fit -k two data.txt", 2, "", "'two' is no positive whole number"),
    "help_version": ("$gmm1d --help && $gmm1d --version", 0, r"Usage: gmm1d(.|\n)*gmm1d \d", ""),
    "symlink_loop": (
        "ln -s l l; $gmm1d fit l -k 1",
        2,
        "",
        "gmm1d: l: Too many levels of symbolic links",
    ),
    "old_umask": ("umask 777; $gmm1d fit data.txt -k 1 -q -o m.json; test -e m.json", 0, "", ""),
    "reproducible": (
        "for c in 0 0,1; do taskset -c $c $gmm1d fit data.txt -k 4 -q -o $c.json; done; cmp 0.json 0,1.json",
        0,
        "",
        "",
    ),
}
# Where a line of a shell does not do.
ELSEWHERE = {
    "permission_denied": "test_permission_denied",
    "stdin_tty": "test_no_argument_on_a_terminal",
    "disk_full_output_file": test_cli.test_full_disk_leaves_no_half_file,
    "sigterm": test_cli.test_signals_end_the_work_and_leave_nothing,
    "huge_file": "test_ten_million_lines_in_bounded_memory",
    "nul_in_path": "test_nul_in_a_path",
}


@pytest.mark.skipif(sys.platform != "linux", reason="devices, modes and processors of Linux")
@pytest.mark.parametrize("name", SHELL)
def test_system_case(name: str, tmp_path: Path) -> None:
    script, code, out, err = SHELL[name]
    shutil.copy(WAITING, tmp_path / "data.txt")
    done = test_cli.shell(script, tmp_path)
    assert done.returncode == code, done.stderr
    assert re.search(out, done.stdout) if out else not done.stdout
    assert re.search(err, done.stderr) if err else not done.stderr
    assert "Traceback" not in done.stderr


def test_every_system_case_has_its_test() -> None:
    assert {case["id"] for case in SYSTEM_CASES} == SHELL.keys() | ELSEWHERE.keys()
    assert all(callable(test) or test in globals() for test in ELSEWHERE.values())


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_permission_denied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = tmp_path / "closed.txt"
    closed.write_text("1 2 3")
    closed.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # whom modes do not stop
            tmp_path.chmod(0o755)
            os.seteuid(65534)
        code = ended(["fit", closed, "-k", 1])
    finally:
        os.seteuid(user)
    assert code == 2
    assert capsys.readouterr().err.endswith("closed.txt: Permission denied\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_no_argument_on_a_terminal(tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    with contextlib.suppress(OSError):
        for args in ([], ["fit", "-k", "2"]):
            done = subprocess.run(
                [*test_cli.GMM1D, *args],
                stdin=follower,
                capture_output=True,
                text=True,
                cwd=tmp_path,
                timeout=20,
                check=False,
            )
            assert done.returncode == 2
            assert "Usage: gmm1d" in done.stderr
    os.close(leader)
    os.close(follower)


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_ten_million_lines_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("w") as stream:
        for i in range(100):
            x = np.random.default_rng(i).normal(i % 2 * 5, 1, 100_000)
            stream.write("\n".join(map("{:.3f}".format, x.tolist())) + "\n")
    code = (
        "import re, sys\n"
        "from gmm1d.cli import main\n"
        "try: main(['fit', sys.argv[1], '-k', '2', '--json'])\n"
        "finally:\n"
        "    status = open('/proc/self/status').read()\n"
        "    print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n"] == 10_000_000
    assert found["mixture"]["means"] == pytest.approx([0, 5], abs=0.01)
    assert int(done.stderr) < 500_000  # KiB


def test_nul_in_a_path() -> None:
    with pytest.raises(ReadError, match="null"):
        read_column("a\0b")
