"""Reading files: every awkward file gets its numbers or one clear error, never a wrong number."""

import io
import os
import re
import shutil
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ipykernel.kernelspec import install

from gmm1d.errors import ReadError
from gmm1d.readers import read_column

FILES = Path(__file__).parent / "data" / "files"
WAITING = [79, 54, 74, 62, 85, 55, 88, 85, 51, 85, 54, 84, 78, 47, 83, 52, 62, 84, 52, 79]
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

READ = [
    ("plain.txt", None, WAITING),
    ("plain.txt", 1, WAITING),
    ("crlf.txt", None, WAITING),
    ("bom_utf8.txt", None, WAITING),
    ("unicode_name.txt", None, WAITING),
    ("gz_named.txt", None, WAITING),
    ("plain.txt.bz2", None, WAITING),
    ("header.csv", None, WAITING),
    ("header.csv", "waiting", WAITING),
    ("latin1_header.csv", None, [1.5, 2.5, 3.5, 9.5]),
    ("latin1_header.csv", "größe", [1.5, 2.5, 3.5, 9.5]),
    ("comments.txt", None, [1, 2, 3, 10, 11, 12]),
    ("utf8c.txt", None, [1, 2, 10, 11]),
    ("row.txt", None, [1, 2, 3, 10, 11, 12]),
    ("row.txt", "2", [2]),
    ("digits.txt", None, [0.1, 0.2, 0.4]),
    ("tabs.tsv", "val", [2.5, 3.5, 9.5]),
    ("twocol.csv", "waiting", [79, 54, 74, 62]),
    ("twocol.csv", 1, [3.6, 1.8, 3.333, 2.283]),
    ("dup.csv", 2, [2, 4]),
    ("euro.csv", "y", [2, 3, 4]),
]

REFUSED = [
    ("nul.txt", None, r"line 1, column 1: '1\\x002' is not a number"),
    ("under.txt", None, r"line 1, column 1: '1_000' is not a number, it contains LOW LINE"),
    ("minus.txt", None, r"line 1, column 1: '−1.5' is not a number, it contains MINUS SIGN"),
    ("nbsp.txt", None, r"line 1, column 1: '1\\xa0000' .* it contains NO-BREAK SPACE"),
    ("cur.txt", None, r"line 1, column 1: '\$12' is not a number, it contains DOLLAR SIGN"),
    ("overflow.txt", None, r"line 1, column 1: '1e400' is beyond the range of float64"),
    ("thousands.csv", None, r"line 2, column 1 \(x\): '1,234' .* it contains COMMA"),
    ("euro.csv", None, r"2 columns, choose one by name or number: x, y"),
    ("euro.csv", "x", r"line 2, column 1 \(x\): '1,5' is not a number, it contains COMMA"),
    ("dup.csv", None, r"2 columns, choose one by name or number: x, x"),
    ("dup.csv", "x", r"columns 1 and 2 share the name 'x', choose by number"),
    ("twocol.csv", "wating", r"no column 'wating' \(did you mean 'waiting'\?\); columns: erupt"),
    ("twocol.csv", 3, r"no column '3'; columns: eruptions, waiting$"),
    ("plain.txt", "x", r"no column 'x'; columns: 1 to 1, without names$"),
    ("empty_cells.csv", "x", r"line 3, column 1 \(x\): empty cell; 2 of 5 values are missing"),
    ("penguins_raw.csv", "Body Mass (g)", r"line 5, column 14 .*: empty cell; 2 of 344 values"),
    ("penguins_raw.csv", "Body Mas (g)", r"did you mean 'Body Mass \(g\)'"),
    ("penguins_raw.csv", "Species", r"column 4 \(Species\): 'Adelie .*' is not a number$"),
    ("empty.txt", None, r"no data, the file is empty"),
    ("only_header.csv", None, r"no data rows below the header x"),
    ("mixed.txt", None, r"2 columns, choose one by name or number: 1 to 2, without names"),
    ("fake.csv", None, r"this is a zip archive \(as .xlsx"),
    ("nofile.txt", None, r"No such file"),
    ("a\0b", None, r"null"),
]


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "data.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(("name", "column", "expected"), READ)
def test_reads(name: str, column: str | int | None, expected: list[float]) -> None:
    values = read_column(FILES / name, column)
    assert values.dtype == np.float64
    assert values.tolist() == expected


@pytest.mark.parametrize(("name", "column", "message"), REFUSED)
def test_refuses_naming_the_place(name: str, column: str | int | None, message: str) -> None:
    with pytest.raises(ReadError, match=message) as caught:
        read_column(FILES / name, column)
    assert "\n" not in str(caught.value)
    assert name.replace("\0", "") in str(caught.value).replace("\\x00", "")


def test_file_name_with_blanks_and_unicode(tmp_path: Path) -> None:
    path = tmp_path / "naïve fíle ☃.txt"
    shutil.copy(FILES / "unicode_name.txt", path)
    assert read_column(str(path)).tolist() == WAITING


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\n1\n\n 2 \n", [1, 2]),  # blank lines are skipped
        ('"x"\n"1.5"\n"2"\n', [1.5, 2]),
        ("1.5\r2.5\r", [1.5, 2.5]),  # line ends of old Macs
        ("old faithful waiting\n79\n54\n", [79, 54]),  # a title, not three columns
        ("name,value\na,1\nb,2\n", [1, 2]),  # the only column that can be numbers
        (",value\na,1\nb,2\n", [1, 2]),  # row labels without a name
        ("# comment, with commas; and \ttabs\n1\n2\n", [1, 2]),
        ("+1e3\n-.5\n2.\n", [1000, -0.5, 2]),
        ("1e-400\n", [0]),  # correctly rounded
        ("1 2 3\n".encode("utf-16"), [1, 2, 3]),
        ("x\ty\n1\ta\n2\tb\n".encode("utf-16"), [1, 2]),  # as Excel writes Unicode text
    ],
)
def test_layouts(tmp_path: Path, text: str | bytes, expected: list[float]) -> None:
    assert read_column(written(tmp_path, text)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,1\nb,2\n", "line 1: header or data"),
        (",0\n0,79\n1,54\n", "line 1: header or data"),  # what pandas writes for a bare Series
        ("x\n1,234\n", "line 2: 2 cells, where the first row has 1"),
        ("a,b\n1,x\n3\n", "line 3: 1 cell, where the first row has 2"),
        ("1,2\n3,4\n", "2 columns, choose one"),
        ("1\t2\n3\t4\n", "2 columns, choose one"),
        ('x\n"1\n2\n', "line 2: unexpected end of data"),
        ("1\n2\nNaN\n4\ninf\n", "line 3, column 1: 'NaN'; 2 of 5 values are missing"),
        ("x\n1\nNA\n", r"line 3, column 1 \(x\): 'NA'; 1 of 2 values"),
        ("NA\n1\n", "line 1, column 1: 'NA'"),
        ("１２\n3\n", "FULLWIDTH DIGIT ONE"),
        ("0x10\n", "'0x10' is not a number"),
        ("1\n2\n2007-11-11\n", "line 3, column 1: '2007-11-11' is not a number"),
        ("1 2\n3 4 five\n", "line 2, column 3: 'five' is not a number"),
        ("# nothing\n\n", "only comments"),
        (" \n\n", "the file is empty"),
        ("1\n" + "9" * 400 + "\n", "line 2, column 1: '9{40}…' is beyond the range"),
        (b"\x93NUMPY\x01\x00", "no array of numbers"),
    ],
)
def test_refuses(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_column(written(tmp_path, text))


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
    st.sampled_from(["\n", " ", "\r\n", " \n  ", "\n# note\n"]),
)
def test_every_float_is_read_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], between: str
) -> None:
    folder = tmp_path_factory.mktemp("floats")
    plain = read_column(written(folder, between.join(map(repr, values))))
    assert plain.tobytes() == np.array(values).tobytes()
    rows = "\n".join(f"label;{value!r}" for value in values)
    table = read_column(written(folder, f"name;value\n{rows}\n"), "value")
    assert table.tobytes() == np.array(values).tobytes()


@given(st.text("019_.-+ \n", min_size=1))
def test_any_text_is_read_right_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = written(tmp_path_factory.mktemp("text"), text)
    words = text.split()
    if words and all(NUMBER.fullmatch(word) for word in words):
        assert read_column(path).tolist() == [float(word) for word in words]
    else:
        with pytest.raises(ReadError):
            read_column(path)


def test_huge_line_takes_linear_time(tmp_path: Path) -> None:
    path = written(tmp_path, "1 " * 2_000_000)
    assert read_column(path).shape == (2_000_000,)
    path.write_bytes(path.read_bytes() + b"1_0")
    with pytest.raises(ReadError, match="line 1, column 2000001: '1_0'"):
        read_column(path)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x,y\n1,2\n3,x\n")))
    with pytest.raises(ReadError, match=r"standard input, line 3, column 2 \(y\): 'x' is not"):
        read_column("-", "y")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(ReadError, match="standard input: no data"):
        read_column("-")
    monkeypatch.setattr(sys, "stdin", None)  # closed
    with pytest.raises(ReadError, match="standard input: no data"):
        read_column("-")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no data, there are no such files"):
        read_column(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are those of POSIX")
def test_symlink_loop_and_permission(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ReadError, match="loop: Too many levels of symbolic links"):
        read_column(loop)
    closed = written(tmp_path, "1 2 3")
    closed.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # whom modes do not stop
            os.seteuid(65534)
        with pytest.raises(ReadError, match=r"data\.txt: Permission denied"):
            read_column(closed)
    finally:
        os.seteuid(user)


def test_a_notebook_without_widgets_reads_columns(tmp_path, monkeypatch):
    """There DuckDB refuses every word about its progress bar, even that there be none."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    install(prefix=str(tmp_path), kernel_name="reader")
    (tmp_path / "x.txt").write_text("1\n2\n4\n")
    cell = nbformat.v4.new_code_cell("""
import sys; sys.modules["ipywidgets"] = None
from gmm1d.readers import read_column; print(read_column("x.txt"))""")
    book = nbformat.v4.new_notebook(cells=[cell])
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, kernel_name="reader", resources=where).execute()
    assert book.cells[0].outputs[-1]["text"] == "[1. 2. 4.]\n"
