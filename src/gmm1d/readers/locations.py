"""What a user names as data, as files on this machine: patterns, folders, pipes, the standard input, compressed files."""

from __future__ import annotations

import bz2
import glob
import gzip
import lzma
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from gmm1d.errors import ReadError, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STDIN = "standard input"
REMOTE = ("s3://", "gs://", "gcs://", "r2://", "az://", "abfss://", "hf://", "http://", "https://")
COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}  # what DuckDB reads itself
UNPACKED: dict[bytes, Callable[..., Any]] = {b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
DAMAGED = (EOFError, OSError, lzma.LZMAError)  # what reading can raise
CHUNK = 1 << 20


class Place(NamedTuple):
    """A file: what errors call it, and where it is."""

    name: str
    path: str

    @property
    def is_remote(self) -> bool:
        """Whether DuckDB alone can get it."""
        return self.path.startswith(REMOTE)

    @property
    def compression(self) -> str | None:
        """How its bytes are compressed: "gzip", "zstd" or None."""
        with Path(self.path).open("rb") as stream:
            head = stream.read(8)
        return next((kind for magic, kind in COMPRESSED.items() if head.startswith(magic)), None)

    def open(self) -> BinaryIO:
        """Open its bytes, decompressed."""
        kind = self.compression
        if kind == "gzip":
            return cast("BinaryIO", gzip.open(self.path))
        if kind == "zstd":
            return cast("BinaryIO", require("pyarrow", "cli").input_stream(self.path, kind))
        return Path(self.path).open("rb")

    def head(self, size: int) -> bytes:
        """Return its first bytes, decompressed.

        Raises
        ------
        ReadError
            If they cannot be read.
        """
        try:
            with self.open() as stream:
                return stream.read(size)
        except DAMAGED as error:
            raise unreadable(self.name, error) from error


def unreadable(name: str, error: Exception) -> ReadError:
    """Say why a file cannot be read."""
    return ReadError(f"{name}: {getattr(error, 'strerror', None) or error}")


def places(name: str, scratch: Path) -> Iterator[Place]:
    """Yield the files that are meant: a folder or a pattern means several, in the order of their names.

    What is no regular file, or compressed in a way that DuckDB does not read, is copied to `scratch`.
    In folders, files whose names begin with "_" or "." are no data.

    Raises
    ------
    ReadError
        If there is none, or one cannot be opened.
    """
    if name == "-":
        yield Place(STDIN, _copied(sys.stdin.buffer if sys.stdin else None, STDIN, scratch))
    elif name.startswith(REMOTE):
        yield Place(name, name)
    else:
        for path in _listed(name):
            yield Place(str(path), _local(path, scratch))


def _listed(name: str) -> list[Path]:
    path = Path(name)
    try:
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*")) if _is_data(file)]
        elif glob.has_magic(name) and not path.exists():
            found = [
                Path(file)
                for file in sorted(glob.glob(name, recursive=True))  # noqa: PTH207  # from a root, too
                if not Path(file).is_dir()
            ]
        else:
            return [path]
    except OSError as error:
        raise unreadable(name, error) from error
    except ValueError as error:  # a NUL in the path
        raise ReadError(f"{name!r}: {error}") from error
    if not found:
        raise ReadError(f"{name}: no data, there are no such files")
    return found


def _is_data(file: Path) -> bool:
    return not file.is_dir() and not file.name.startswith(("_", "."))


def _local(path: Path, scratch: Path) -> str:
    """Return where a regular file of the same bytes is, or of what was compressed in them."""
    try:
        with path.open("rb") as stream:
            if not path.is_file():
                return _copied(stream, str(path), scratch)
            head = stream.read(8)
        for magic, unpacked in UNPACKED.items():
            if head.startswith(magic):
                with unpacked(path) as stream:
                    return _copied(stream, str(path), scratch)
    except DAMAGED as error:
        raise unreadable(str(path), error) from error
    except ValueError as error:  # a NUL in the path
        raise ReadError(f"{str(path)!r}: {error}") from error
    return str(path.absolute())


def _copied(stream: BinaryIO | None, name: str, scratch: Path) -> str:
    """Copy a stream to a file, so that it can be read twice."""
    try:
        with tempfile.NamedTemporaryFile(dir=scratch, delete=False) as copy:
            if stream is not None:
                shutil.copyfileobj(stream, copy, CHUNK)
    except DAMAGED as error:
        raise unreadable(name, error) from error
    return copy.name
