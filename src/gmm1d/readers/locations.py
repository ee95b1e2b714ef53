"""What a user names as data, as files on this machine: patterns, folders, pipes, the standard input, compressed files."""

from __future__ import annotations

import bz2
import glob
import gzip
import lzma
import os
import shutil
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, NoReturn

from gmm1d.errors import ReadError, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STDIN = "standard input"
REMOTE = ("s3://", "gs://", "gcs://", "r2://", "az://", "abfss://", "hf://", "http://", "https://")
UNPACKED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x28\xb5\x2f\xfd": lambda path: require("pyarrow", "cli").input_stream(path, "zstd"),
}
DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error)  # what reading can raise
CHUNK = 1 << 20


class Place(NamedTuple):
    """A file: what errors call it, and where it is."""

    name: str
    path: str

    @property
    def is_remote(self) -> bool:
        """Whether DuckDB alone can get it."""
        return self.path.startswith(REMOTE)

    def open(self) -> BinaryIO:
        """Open its bytes."""
        return Path(self.path).open("rb")

    def head(self, size: int) -> bytes:
        """Return its first bytes."""
        with self.open() as stream:
            return stream.read(size)


def unreadable(name: str, error: Exception) -> ReadError:
    """Say why a file cannot be read."""
    return ReadError(f"{name}: {getattr(error, 'strerror', None) or error}")


def places(name: str, scratch: Path) -> Iterator[Place]:
    """Yield the files that are meant: a folder or a pattern means several, in the order of their names.

    What is no regular file is copied to `scratch`, and so is what was compressed: whoever reads that as it
    is decompressed may have used a part of it when its checksum turns out to be wrong. In folders, files whose names begin with "_" or "." are no data.

    Raises
    ------
    ReadError
        If there is none, or one cannot be opened.
    """
    if not name:
        raise ReadError("an empty name, where a file is meant")
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
            found = sorted(_files(path))
        elif glob.has_magic(name) and not path.exists():
            _check_folders(name)
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


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and those below."""

    def refuse(error: OSError) -> NoReturn:
        raise error

    for within, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            if not name.startswith(("_", ".")):
                yield Path(within, name)


def _check_folders(pattern: str) -> None:
    """Refuse folders in which a pattern cannot look: it would skip them without a word."""
    above = os.path.dirname(pattern)  # noqa: PTH120  # of a pattern
    if glob.has_magic(above):
        _check_folders(above)
        for folder in glob.iglob(above, recursive=True):  # noqa: PTH207
            if Path(folder).is_dir():
                os.scandir(folder).close()


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
    except ReadError:
        raise
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
