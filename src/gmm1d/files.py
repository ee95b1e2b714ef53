"""Outputs appear whole under their final name, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike


@contextlib.contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; it is renamed to `path` on success and removed on any failure.

    A link stays a link, and the file that it points to is replaced; devices and pipes, which cannot be
    replaced, are written directly.

    Raises
    ------
    OSError
        Naming `path`, if the folder is missing or cannot be written, or there is no room.
    """
    final = Path(path).resolve()
    try:
        if final.exists() and not final.is_file():
            yield final
            return
        handle, name = tempfile.mkstemp(
            prefix=f".{final.name[:32]}.", suffix=final.suffix, dir=final.parent
        )
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(_mode(final))
            temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def write_text(path: str | PathLike[str], text: str) -> None:
    """Write a text file, whole or not at all."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _mode(path: Path) -> int:
    """Return the mode of the file to be replaced, or that of a new one."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
