"""Every kind of data gives the same numbers; what is none is refused with its file, row and column."""

import bz2
import decimal
import gzip
import json
import lzma
import math
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gmm1d
from gmm1d.errors import InputError, MissingExtraError, ReadError
from gmm1d.readers import Data, gathering, read_column, relations, tables
from gmm1d.readers.grouping import grouped

X = [1.5, 2.5, 3.25, 9.125, 1e-300]
NAMES = ["a", "b", "a", "b", "ö"]
COUNTS = [1, 2, 3, 4, 5]
TABLE = pa.table({"x": X, "name": NAMES, "count": COUNTS})
ROWS = list(zip(X, NAMES, COUNTS, strict=True))
CSV = "x,name,count\n" + "".join(f"{x!r},{name},{count}\n" for x, name, count in ROWS)
OBJECTS = [dict(zip(TABLE.column_names, row, strict=True)) for row in ROWS]


def by_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.register("given", TABLE)
        con.execute("CREATE TABLE fish AS SELECT * FROM given")


def by_sqlite(path: Path) -> None:
    con = sqlite3.connect(path)
    con.execute("CREATE TABLE fish (x REAL, name TEXT, count INTEGER)")
    con.executemany("INSERT INTO fish VALUES (?, ?, ?)", ROWS)
    con.commit()
    con.close()


def by_stream(path: Path) -> None:
    with pa.ipc.new_stream(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE)


def by_zstd(path: Path) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        stream.write(CSV.encode())


KINDS: dict[str, Callable[[Path], object]] = {
    "csv": lambda p: p.write_text(CSV, encoding="utf-8"),
    "tsv": lambda p: p.write_text(CSV.replace(",", "\t"), encoding="utf-8"),
    "blanks.txt": lambda p: p.write_text(CSV.replace(",", "  "), encoding="utf-8"),
    "csv.gz": lambda p: p.write_bytes(gzip.compress(CSV.encode())),
    "csv.zst": by_zstd,
    "csv.bz2": lambda p: p.write_bytes(bz2.compress(CSV.encode())),
    "csv.xz": lambda p: p.write_bytes(lzma.compress(CSV.encode())),
    "utf16.csv": lambda p: p.write_bytes(CSV.encode("utf-16")),
    "parquet": lambda p: pyarrow.parquet.write_table(TABLE, p, row_group_size=2),
    "arrow": lambda p: pyarrow.feather.write_feather(TABLE, p),
    "arrows": by_stream,
    "json": lambda p: p.write_text(json.dumps(OBJECTS)),
    "jsonl": lambda p: p.write_text("\n".join(map(json.dumps, OBJECTS))),
    "jsonl.gz": lambda p: p.write_bytes(
        gzip.compress("\n".join(map(json.dumps, OBJECTS)).encode())
    ),
    "duckdb": by_duckdb,
    "sqlite": by_sqlite,
}


def made(kind: str, folder: Path) -> Path:
    path = folder / f"it's [1] data.{kind}"
    KINDS[kind](path)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_numbers(kind: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path)
    assert read_column(path, "x").tolist() == X
    assert read_column(path, 3).tolist() == COUNTS
    path.rename(path.with_name("any name"))  # the suffix does not matter
    assert read_column(path.with_name("any name"), "x").tolist() == X


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_a_column_that_is_missing_and_one_that_is_text(
    kind: str, tmp_path: Path
) -> None:
    path = made(kind, tmp_path)
    with pytest.raises(
        ReadError, match=r"no column 'coun' \(did you mean 'count'\?\); columns: x, n"
    ):
        read_column(path, "coun")
    with pytest.raises(
        ReadError, match=r"3 columns, choose one by name or number: x, name, count|line 1"
    ):
        read_column(path)
    place = r"(line 2|row 1), column 2 \(name\): 'a' is not a number"
    with pytest.raises(ReadError, match=place) as caught:
        read_column(path, "name")
    assert path.name in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_grouped_weighed_and_asked(kind: str, tmp_path: Path) -> None:
    path = str(made(kind, tmp_path))
    with Data([path], columns=True) as data:
        values, weights = data.gather("x", "count").data()
        assert isinstance(values, np.ndarray)
        assert weights is not None
        assert (values.tolist(), weights.tolist()) == (X, COUNTS)
    with Data([path], columns=True) as data:
        found = {key: g.data()[0].tolist() for key, g in grouped(data, "x", ["name"])}
    assert found == {("a",): [1.5, 3.25], ("b",): [2.5, 9.125], ("ö",): [1e-300]}
    table = "fish" if kind in ("duckdb", "sqlite") else "data"
    cast = "CAST(x AS DOUBLE)" if kind == "blanks.txt" else "x"
    with Data([path], sql=f"SELECT {cast} * 2 AS y FROM {table} WHERE {cast} > 3") as data:
        assert data.gather().data()[0].tolist() == [6.5, 18.25]
        assert data.name_of(None) == "y"


CELL = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-999, 999).map(str),
    st.sampled_from(
        [
            "",
            "nan",
            "NA",
            "inf",
            "1_0",
            "+-1",
            "#",
            "1#",
            "a",
            " 1 ",
            "1 2",
            "\t3",
            "1e400",
            'x"y',
            "−1",
            "null",
            "?",
        ]
    ),
    st.sampled_from(['"1"', '""', '" 2"', '"a\nb"', "1,5"]),
    st.text("0123456789.-+eE _#\"',;\t\n", max_size=6),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    separator = draw(st.sampled_from([",", ";", "\t", " ", ", "]))
    width = draw(st.integers(1, 3))
    numbers = st.integers(-99, 99).map(str)
    cells = st.one_of(numbers, numbers, numbers, CELL) if draw(st.booleans()) else numbers
    rows = [
        separator.join(draw(cells) for _ in range(width)) for _ in range(draw(st.integers(1, 6)))
    ]
    rows[:0] = draw(st.sampled_from([[], [separator.join("abc"[:width])], ["# notes, and; more"]]))
    odd = draw(st.sampled_from([None, None, "", " ", "#x", "1", ",", "1,2,3,4", "#,#"]))
    if odd is not None:
        rows.insert(draw(st.integers(0, len(rows))), odd)
    ends = ["\n", "\r\n", "\r", "\n\n"]
    return "".join(row + draw(st.sampled_from(ends[:1] * 8 + ends)) for row in rows)


def exactly(path: Path, column: str | None, missing: str) -> list[float] | None:
    """Read by the rules of `gmm1d.readers.tables` alone; None where they refuse."""
    try:
        text = tables.layout("text", lambda: path.open("rb"), columns=column is not None)
        width = 1 if text.delimiter == tables.LINES else len(text.first)
        possible = text.possible if width > 1 else (0,)
        index = relations.choose("text", text.names, possible, width, column)
        cells = [c for c in text.cells(index) if missing == "error" or not c.is_missing]
    except ReadError:
        return None
    values = [cell.value for cell in cells]
    return values if values and all(map(math.isfinite, values)) else None


@given(texts(), st.sampled_from([None, "1", "2", "a"]), st.sampled_from(["error", "drop"]))
def test_the_quick_reading_is_the_exact_one(
    tmp_path_factory: pytest.TempPathFactory, text: str, column: str | None, missing: str
) -> None:
    path = tmp_path_factory.mktemp("texts") / "data.txt"
    path.write_bytes(text.encode())
    expected = exactly(path, column, missing)
    if expected is None:
        with pytest.raises(ReadError):
            read_column(path, column, missing=missing)
    else:
        assert read_column(path, column, missing=missing).tolist() == expected


def test_what_comes_late_in_a_long_text_is_found(tmp_path: Path) -> None:
    """Beyond the first megabyte, from which the layout is told, and where DuckDB reads in parallel."""
    path = tmp_path / "long.csv"
    rows = [f'{i},"a note\nof ""two"" lines, {i % 7}",{i / 8}' for i in range(300_000)]
    head = "number,note,x\n"
    path.write_text(head + "\n".join(rows) + "\n")
    assert (read_column(path, "x") == np.arange(300_000) / 8).all()
    for wrong, said in [
        ('1,"b",1_0', r"line 600002, column 3 \(x\): '1_0' is not a number, it contains LOW LINE"),
        ('1,"b"', r"line 600002: 2 cells, where the first row has 3"),
        ('1,"b",', r"line 600002, column 3 \(x\): empty cell; 1 of 300001 values are missing"),
    ]:
        path.write_text(head + "\n".join([*rows, wrong]) + "\n")
        with pytest.raises(ReadError, match=said):
            read_column(path, "x")


TYPES = {
    "decimals": (pa.array([decimal.Decimal("1.10"), decimal.Decimal("2.25")]), [1.1, 2.25]),
    "floats": (pa.array([0.5, 2], pa.float32()), [0.5, 2]),
    "halves": (pa.array(np.array([0.5, 2], "f2")), [0.5, 2]),
    "wholes": (pa.array([2**63 + 2**11, 5], pa.uint64()), [2.0**63 + 2**11, 5]),
    "texts": (pa.array(["1.5", " 2e3 "]), [1.5, 2000]),
    "codes": (pa.array(["1.5", "2"]).dictionary_encode(), [1.5, 2]),
    "flags": (pa.array([True, False]), "holds BOOLEAN, not numbers"),
    "days": (pa.array([1, 2], pa.date32()), "holds DATE, not numbers"),
    "lists": (pa.array([[1.0], [2.0]]), r"holds DOUBLE\[\], not numbers"),
    "nulls": (pa.array([1.0, None]), r"row 2, column 1 \(x\): NULL; 1 of 2 values are missing"),
    "nans": (pa.array([math.nan, 1.0]), r"row 1, column 1 \(x\): 'nan'; 1 of 2 values are missing"),
    "infinite": (pa.array([1.0, -math.inf]), r"row 2, .*'-inf'; 1 of 2 values .* not finite"),
    "words": (
        pa.array(["1.5", "2_0"]),
        r"row 2, column 1 \(x\): '2_0' is not a number, it contains LOW",
    ),
    "empty": (pa.array([], pa.float64()), "no data"),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_types_of_columns(name: str, kind: str, tmp_path: Path) -> None:
    column, expected = TYPES[name]
    path, table = tmp_path / f"types.{kind}", pa.table({"x": column})
    if kind == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)
    if isinstance(expected, str):
        with pytest.raises(ReadError, match=expected):
            read_column(path)
    else:
        assert read_column(path).tolist() == expected


ARRAYS = {
    "float64": (np.array(X), X),
    "big-endian": (np.array(X, ">f8"), X),
    "whole": (np.arange(3), [0, 1, 2]),
    "float16": (np.array([0.5, 2], "f2"), [0.5, 2]),
    "longdouble": (np.array([0.5, 2], "g"), [0.5, 2]),
    "column": (np.array([[1.0], [2.0]]), [1, 2]),
    "fortran": (np.asfortranarray([[1.0], [2.0]]), [1, 2]),
    "two columns": (np.eye(2), "2 columns, choose one by name or number: 1 to 2, without names"),
    "boolean": (np.array([True]), "holds BOOLEAN, not numbers"),
    "complex": (np.array([1j]), "no array of numbers"),
    "objects": (np.array([None, 1.0], dtype=object), "no array of numbers"),
    "empty": (np.empty(0), r"no data, an array of the shape \(0, 1\)"),
    "single": (np.array(3.0), r"no data, an array of the shape \(\)"),
    "records": (np.zeros(2, [("a", "f8")]), "records with several fields"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_numpy(name: str, tmp_path: Path) -> None:
    array, expected = ARRAYS[name]
    np.save(tmp_path / "array.npy", array)
    if isinstance(expected, str):
        with pytest.raises(ReadError, match=expected):
            read_column(tmp_path / "array.npy")
    else:
        assert read_column(tmp_path / "array.npy").tolist() == expected


def test_folders_and_patterns_are_read_whole_and_in_order(tmp_path: Path) -> None:
    for day, part in (("2", [3.0]), ("1", [1.0, 2.0])):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        pyarrow.parquet.write_table(pa.table({"x": part}), folder / "part.parquet")
    (tmp_path / "_SUCCESS").write_text("")
    assert read_column(tmp_path, "x").tolist() == [1, 2, 3]
    assert read_column(f"{tmp_path}/**/*.parquet", "x").tolist() == [1, 2, 3]
    with Data([str(tmp_path)], columns=True) as data:  # what the folders' names say is a column
        groups = grouped(data, "x", ["day"])
        assert [(key, g.size) for key, g in groups] == [(("1",), 2), (("2",), 1)]
    (tmp_path / "day=1" / "zz.parquet").write_bytes(b"PAR1 no more")
    for name in (str(tmp_path), f"{tmp_path}/*/*.parquet"):
        with pytest.raises(ReadError, match=r"day=1/zz\.parquet: "):
            read_column(name, "x")
    with pytest.raises(ReadError, match=r"none\*: no data, there are no such files"):
        read_column(f"{tmp_path}/none*")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are those of POSIX")
def test_a_pipe_with_a_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(CSV,))
    writer.start()
    assert read_column(pipe, "x").tolist() == X
    writer.join()


@pytest.mark.parametrize("damage", ["csv.gz", "csv.zst", "csv.bz2", "csv.xz", "parquet", "arrow"])
def test_files_that_are_cut_short(damage: str, tmp_path: Path) -> None:
    path = made(damage, tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ReadError, match=r"it's \[1\] data"):
        read_column(path, "x")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selct 1", "syntax error"),
        ("select nope from data", 'column "nope" not found'),
        ("select x from data; drop table data", "syntax error"),
        ("select name from data", r"row 1, column 1 \(name\): 'a' is not a number"),
        ("select x from data where false", "no data"),
        ("select x, count from data", "2 columns, choose one by name or number: x, count"),
        (
            "select 1 / x::int as y from data",
            r"row 5, column 1 \(y\): 'inf'; 1 of 5 values are missing or not",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_queries_that_fail(kind: str, sql: str, said: str, tmp_path: Path) -> None:
    path = made(kind, tmp_path)
    with pytest.raises(ReadError, match=said) as caught, Data([str(path)], sql=sql) as data:
        data.gather()
    assert "DESCRIBE" not in str(caught.value)


def test_queries_to_sqlite_are_its_own(tmp_path: Path) -> None:
    path = str(made("sqlite", tmp_path))
    with Data([path], sql="SELECT total(x) AS t FROM fish GROUP BY name") as data:
        assert sorted(data.gather().data()[0].tolist()) == [1e-300, 4.75, 11.625]
    with pytest.raises(ReadError, match="no such table: data"):
        Data([path], sql="SELECT x FROM data")
    with pytest.raises(
        ReadError, match=r"no table 'fishes' \(did you mean 'fish'\?\); tables: fish"
    ):
        Data([path], table="fishes")


def test_missing_values_are_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("x,y,g\n1,2,a\nNA,3,a\n,4,b\n5,nan,b\n6,7,\n")
    with Data([str(path)], missing="drop", columns=True) as data:
        first, second = data.gather_columns(["x", "y"])
        assert (first.data()[0].tolist(), first.n_missing) == ([1, 5, 6], 2)
        assert (second.data()[0].tolist(), second.n_missing) == ([2, 3, 4, 7], 1)
        both = data.gather("x", "y")
        assert (both.data()[0].tolist(), both.n_missing) == ([1, 6], 3)
        groups = {key: g.data()[0].tolist() for key, g in grouped(data, "x", ["g"])}
        assert (groups, data.n_missing) == ({("a",): [1], ("b",): [5]}, 3)
    with (
        Data([str(path)], columns=True) as data,
        pytest.raises(ReadError, match=r"line 3, column 1 \(x\): 'NA'; 2 of 5 values are missing"),
    ):
        list(grouped(data, "x", ["g"]))
    with pytest.raises(InputError, match="missing='keep' is unknown"):
        Data([str(path)], missing="keep")


def test_many_values_become_a_sketch_of_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PART", 1000)
    x = np.random.default_rng(1).normal(size=30_500)
    np.save(tmp_path / "x.npy", x)
    expected = gmm1d.Sketch()
    for begin in range(0, x.size, 1000):
        expected.add(x[begin : begin + 1000])
    for threads, batch in ((1, 2048), (2, 4096)):
        monkeypatch.setattr("gmm1d.readers.scanning.BATCH", batch)
        with Data([str(tmp_path / "x.npy")], threads=threads) as data:
            found = data.gather(kept=1500)
        assert found.size == x.size
        assert found.sketch().to_bytes() == expected.to_bytes()


def test_sketches_and_values_are_added_up(tmp_path: Path) -> None:
    gmm1d.Sketch().add(np.arange(10.0)).save(tmp_path / "a.sketch")
    (tmp_path / "b.txt").write_text("20 30")
    with Data([str(tmp_path / "a.sketch"), str(tmp_path / "b.txt")]) as data:
        found = data.gather().data()[0]
        assert isinstance(found, gmm1d.Sketch)
        assert (found.size, found.high) == (12, 30)
        with pytest.raises(ReadError, match="a sketch does not hold the values"):
            list(data.rows(None))


def test_a_saved_model_is_no_data(tmp_path: Path) -> None:
    gmm1d.Mixture([1], [0], [1]).save(tmp_path / "m.json")
    with pytest.raises(ReadError, match="this is a model that gmm1d saved, not data"):
        read_column(tmp_path / "m.json")


def test_temporary_files_vanish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = made("csv.bz2", tmp_path)
    with Data([str(path)], columns=True) as data:
        assert len(list(tmp_path.iterdir())) == 2
        data.gather("x")
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ReadError):
        Data([str(path), "nofile"])
    assert list(tmp_path.iterdir()) == [path]


def test_without_duckdb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r"duckdb, .* pip install 'gmm1d\[cli\]'"):
        read_column("x.csv")


def test_a_large_sqlite_table(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "large.db")
    con.execute("CREATE TABLE t (x REAL)")
    con.executemany("INSERT INTO t VALUES (?)", ((i / 8,) for i in range(10_000)))
    con.commit()
    con.close()
    assert read_column(tmp_path / "large.db").tolist() == (np.arange(10_000) / 8).tolist()


def test_names_and_comments_of_several_lines_hide_no_row(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    for above in ('id,"x\ny"\n', '# he said "so\nid,x\n', '\n# "\n\nid,x\n', "id,x\n# m, s, k\n"):
        path.write_text(f"{above}1,10\n2,20\n3,30\n")
        assert read_column(path, 2).tolist() == [10, 20, 30]
        with Data([str(path)], sql="from data") as data:
            assert data.gather("2").data()[0].tolist() == [10, 20, 30]


def test_queries_read_text_as_strictly_as_columns(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    lines = "".join(f"{i},{i}\n" for i in range(30_000))
    path.write_text(f"x,y\n{lines}1_000,0x10\n")
    for name, said in (("x", "row 30001, .* '1_000' is not a number"), ("y", "'0x10' is not a nu")):
        with (
            Data([str(path)], sql=f"select {name} from data") as data,
            pytest.raises(ReadError, match=said),
        ):
            data.gather()
    path.write_text('x,note\n1,"a\nb"\n\n2,c\r\n3,NA\nNA,d\n')
    with (
        Data([str(path)], sql="select x from data where note <> 'c' -- and so on") as data,
        pytest.raises(ReadError, match=r"row 3, column 1 \(x\): NULL; 1 of 3 values are missing"),
    ):
        data.gather()
    with Data([str(path)], sql="select a.x from data a, data b where a.x is not null") as data:
        assert sorted(data.gather().data()[0].tolist()) == [1] * 4 + [2] * 4 + [3] * 4


def test_nan_of_arrow_in_parquet_is_missing(tmp_path: Path) -> None:
    """Its statistics leave NaN out, by which DuckDB takes isnan() for false."""
    path = tmp_path / "nan.parquet"
    pyarrow.parquet.write_table(pa.table({"x": [1.0, math.nan, 3.0]}), path)
    assert read_column(path, missing="drop").tolist() == [1, 3]
    with pytest.raises(ReadError, match=r"row 2, column 1 \(x\): 'nan'; 1 of 3 values are missing"):
        read_column(path)


@pytest.mark.parametrize("kind", ["gz", "zst", "bz2", "xz"])
def test_large_compressed_files_that_are_damaged(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.txt.{kind}"
    text = "\n".join(map(repr, np.random.default_rng(1).normal(size=200_000).tolist())).encode()
    if kind == "zst":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(text)
    else:
        path.write_bytes({"gz": gzip, "bz2": bz2, "xz": lzma}[kind].compress(text))
    whole = path.read_bytes()
    assert read_column(path).size == 200_000
    for size in (len(whole) - 4, len(whole) * 9 // 10):
        path.write_bytes(whole[:size])
        with pytest.raises(ReadError, match=rf"x\.txt\.{kind}: "):
            read_column(path)
    if kind != "zst":  # which has no checksum here
        path.write_bytes(whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:])
        with pytest.raises(ReadError, match=rf"x\.txt\.{kind}: "):
            read_column(path)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_folders_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in ("open", "locked"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text("x\n1\n")
    (tmp_path / "locked").chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # whom modes do not stop
            os.seteuid(65534)
        for name in (str(tmp_path), f"{tmp_path}/*/*.csv", f"{tmp_path}/**/*.csv"):
            with pytest.raises(ReadError, match="Permission denied"):
                read_column(name)
    finally:
        os.seteuid(user)


def test_names_that_mean_nothing_or_two_things(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="an empty name"):
        read_column("")
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"id": [1, 2], "x": ["1.5", "NA"]}), path)
    with pytest.raises(ReadError, match="2 columns, choose one by name or number: id, x"):
        read_column(path)
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(f"column{j}" for j in range(200_000)) + "\n")
    with pytest.raises(
        ReadError, match="line 1: more than 1048576 bytes, too many for a row"
    ) as said:
        read_column(wide, "column7")
    assert len(str(said.value)) < 300
    wide.write_text(",".join(f"c{j}" for j in range(2000)) + "\n" + ",".join("1" * 2000) + "\n")
    with pytest.raises(ReadError, match=r"c19 … \(2000 in all\)$"):
        read_column(wide)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_may_have_any_names(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{kind}"
    names = ["c1", "c0", "v0", "g0", "b0", "a, b", 'say ""', "select", "w"]
    columns = {name: [j + 0.5, j + 10.5] for j, name in enumerate(names)}
    table = pa.table(columns)
    if kind == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.csv.write_csv(table, path)
    for j, name in enumerate(names):
        assert read_column(path, name).tolist() == [j + 0.5, j + 10.5]
        with Data([str(path)], missing="drop", columns=True) as data:
            found, numbers = next(data.rows(name))
            assert [each for each, _ in found] == names
            assert numbers.tolist() == [j + 0.5, j + 10.5]
            groups = {key: g.data()[0].tolist() for key, g in grouped(data, name, ["b0", "v0"])}
            assert groups == {("4.5", "2.5"): [j + 0.5], ("14.5", "12.5"): [j + 10.5]}


def test_decimal_commas_where_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "euro.csv"
    for text, column, expected in [
        ("x;y\n1,5;2\n-2,5e1;3\n9,5;4\n", "x", [1.5, -25, 9.5]),
        ("1,5\n2,5\n", None, [1.5, 2.5]),
        ("1,5 2,5\n,5\n", None, [1.5, 2.5, 0.5]),
    ]:
        path.write_text(text)
        with Data([str(path)], columns=column is not None, decimal=",") as data:
            assert data.gather(column).data()[0].tolist() == expected
    path.write_text("1,5\n2,5\n")
    with Data([str(path)], sql="select value * 2 as y from data", decimal=",") as data:
        assert data.gather().data()[0].tolist() == [3, 5]
    for wrong in ("1.234,5", "1.5", "1,2,3"):
        path.write_text(f"x;y\n1,5;2\n{wrong};3\n")
        with (
            Data([str(path)], columns=True, decimal=",") as data,
            pytest.raises(ReadError, match=rf"line 3, column 1 \(x\): '{wrong}' is not a number"),
        ):
            data.gather("x")


def test_queries_name_odd_rows(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("x,y\n1,2\n3\n")
    with pytest.raises(ReadError, match="line 3: 1 cell, where the first row has 2"):
        Data([str(path)], sql="select x from data")
