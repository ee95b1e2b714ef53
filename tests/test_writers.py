"""Tables are written in batches: the same bytes whatever the batches, whole or not at all."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from gmm1d.errors import InputError
from gmm1d.writers import write_batches

X = np.arange(1000.0)
NAMES = [f"name {i}" for i in range(1000)]


def written(path: Path, sizes: list[int]) -> bytes:
    ends = np.cumsum([0, *sizes])
    parts = [slice(a, b) for a, b in pairwise(ends)]
    write_batches(([("x", X[part]), ("a name", NAMES[part])] for part in parts), path)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_the_same_bytes_whatever_the_batches(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gmm1d.writers.ROWS", 300)
    path = tmp_path / f"table{suffix}"
    first = written(path, [1000])
    assert written(path, [1] * 7 + [493, 500]) == first
    assert written(path, [299, 1, 700]) == first
    if suffix == ".parquet":
        file = pyarrow.parquet.ParquetFile(path)
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        assert sizes == [300, 300, 300, 100]
        assert file.read().to_pydict() == {"x": X.tolist(), "a name": NAMES}


def test_arrow_files_hold_batches_of_one_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gmm1d.writers.ROWS", 300)
    written(tmp_path / "t.arrow", [299, 1, 700])
    with pa.ipc.open_file(str(tmp_path / "t.arrow")) as file:
        sizes = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
        assert sizes == [300, 300, 300, 100]
        assert file.read_all().to_pydict() == {"x": X.tolist(), "a name": NAMES}


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def batches():
        yield [("x", X)]
        raise InputError("so far")

    with pytest.raises(InputError, match="so far"):
        write_batches(batches(), path)
    with pytest.raises(InputError, match="no data, there are no rows to write"):
        write_batches([], path)
    with pytest.raises(InputError, match=r"tables are written as \.csv"):
        write_batches([[("x", X)]], tmp_path / "table.xlsx")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("table.csv", "old")]


def test_what_is_masked_is_empty(tmp_path: Path) -> None:
    masked = np.ma.array([1.5, 2.5], mask=[False, True])
    write_batches([[("x", masked), ("y", pa.array(["", None]))]], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == 'x,y\n1.5,""\n,\n'
