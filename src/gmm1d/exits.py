"""How a command ends: its exit code, one line on the standard error, and nothing half-written.

0 done; 1 the work could not be done (no fit, no choice, a result that cannot be written); 2 wrong use
(an option, or data that cannot be read or used); 130 interrupted; 143 terminated.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from gmm1d.errors import CollapseError, FitWarning, InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

DONE, FAILED, MISUSED, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


def run(command: Callable[[], int | None]) -> NoReturn:
    """Run a command and exit with its code, whatever happens in it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # for good
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter still gets the numbers
            stream.reconfigure(errors="backslashreplace")
    if threading.current_thread() is not threading.main_thread():  # which alone may set handlers
        sys.exit(_code(command))
    before = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)}
    _stopped.clear()
    try:
        sys.exit(_code(command))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_stopped: list[int] = []  # the signals that came


def _stop(number: int, _: object) -> NoReturn:
    """Unwind, so that temporary files are removed."""
    _stopped.append(number)
    heed()
    raise AssertionError


def heed() -> None:
    """Stop if a signal has come: a library that is being imported may have swallowed what the handler raised.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupted.
    SystemExit
        If the process is to end.
    """
    if signal.SIGTERM in _stopped:
        sys.exit(TERMINATED)
    if _stopped:
        raise KeyboardInterrupt


def complain(problem: object, code: int) -> int:
    """Say what is wrong, in one line, and return the code."""
    with contextlib.suppress(OSError):  # the code says it as well
        click.echo(f"gmm1d: {' '.join(str(problem).split())}", err=True)
    return code


def _code(command: Callable[[], int | None]) -> int:
    """Run the command and turn every way to fail into one line and a code."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # the summary says it
            code = command() or DONE
        if sys.stdout:
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return complain("interrupted", INTERRUPTED)
    except Exception as error:  # noqa: BLE001  # judged below, or raised again
        if _stopped:  # which may show as any failure of what was interrupted
            return (
                TERMINATED if signal.SIGTERM in _stopped else complain("interrupted", INTERRUPTED)
            )
        return _failed(error)
    return code


def _failed(error: Exception) -> int:
    """Say why the work failed, and return the code; what nobody foresaw is raised."""
    if isinstance(error, CollapseError | MissingExtraError):
        return complain(error, FAILED)
    if isinstance(error, InputError):
        return complain(error, MISUSED)
    if isinstance(error, OSError):
        return _output_failed(error)
    raise error


def _output_failed(error: OSError) -> int:
    """Name the output that failed; reading was reported as InputError."""
    if error.filename is None and sys.stdout:  # let the interpreter's last flush succeed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:  # the reader has seen enough
        return FAILED
    name = f" {error.filename}" if error.filename else ""
    return complain(f"cannot write{name}: {error.strerror or error}", FAILED)
