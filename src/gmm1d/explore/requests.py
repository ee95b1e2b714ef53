"""Requests of the page: bodies within bounds, work in threads, and a sentence for every way to fail."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
import traceback
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gmm1d.errors import InputError, MissingExtraError, require
from gmm1d.explore.answers import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Awaitable[Response]]

T = TypeVar("T")
MOST_JSON = 1 << 16  # bytes of a question
MOST_UPLOAD = 512 << 20
PAUSE = 0.1  # seconds between two looks
_turns = threading.Semaphore(8)  # pieces of work at a time
_at_work: set[threading.Thread] = set()


class Refusal(Exception):
    """A request that is answered by a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def working() -> bool:
    """Say whether a piece of work is under way, which cannot be stopped."""
    return bool(_at_work)


async def apart(work: Callable[..., T], *arguments: Any, aside: bool = False) -> T:
    """Return what some work returns, done in a thread that does not hold up the end of the process.

    Work that takes its turn elsewhere is put `aside`: long searches do not keep short questions waiting.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if not future.done():
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]  # there is one where there is no error
            else:
                future.set_exception(error)

    def run() -> None:
        result, problem = None, None
        try:
            with nullcontext() if aside else _turns:
                result = work(*arguments)
        except Exception as error:  # noqa: BLE001  # raised where the work is awaited
            problem = error
        finally:
            _at_work.discard(threading.current_thread())
        with suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(settle, result, problem)

    thread = threading.Thread(target=run, daemon=True)
    _at_work.add(thread)
    thread.start()
    return await future


@asynccontextmanager
async def watched(request: Request) -> AsyncIterator[Callable[[], bool]]:
    """Watch whether who asked still waits for the answer: give a function that says whether they are gone."""
    gone = threading.Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(PAUSE)
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        yield gone.is_set
    finally:
        watching.cancel()


def answer(content: Any, status: int = 200) -> Response:
    """Write JSON."""
    body = json.dumps(plain(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    found: Response = require("starlette.responses", "explore").Response(
        body.encode(), status, media_type="application/json"
    )
    return found


def answering(handler: Handler) -> Handler:
    """Turn every way to fail into a status and a sentence."""

    @wraps(handler)
    async def handled(request: Request) -> Response:
        disconnected = require("starlette.requests", "explore").ClientDisconnect
        try:
            return await handler(request)
        except Refusal as error:
            return answer({"error": str(error)}, error.status)
        except InputError as error:
            return answer({"error": str(error), "kind": type(error).__name__}, 422)
        except MissingExtraError as error:
            return answer({"error": str(error)}, 501)
        except disconnected:
            return answer({"error": "the browser has gone"}, 400)
        except MemoryError:
            return answer({"error": "there is not enough memory for this"}, 507)
        except Exception as error:  # noqa: BLE001  # what nobody foresaw: the page lives on
            if (
                isinstance(error, OSError) and error.errno is not None
            ):  # without one, it is a library's
                return answer({"error": f"cannot write: {error.strerror or error}"}, 507)
            traceback.print_exc(file=sys.stderr)
            sentence = f"this should not have happened: {type(error).__name__}: {error}"
            return answer({"error": sentence}, 500)

    return handled


async def asked(request: Request) -> dict[str, Any]:
    """Read a question in JSON.

    Raises
    ------
    Refusal
        If it is too long, or no object.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_JSON:
            raise Refusal(413, f"a question of more than {MOST_JSON} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "this question is no JSON") from error
    if not isinstance(found, dict):
        raise Refusal(400, "this question is no JSON object")
    return found


async def received(request: Request, most: int = MOST_UPLOAD) -> Path:
    """Write an upload to a temporary file, which is the caller's to remove.

    Raises
    ------
    Refusal
        If it is too large.
    OSError
        If there is no room.
    """
    handle, name = tempfile.mkstemp(prefix="gmm1d")
    size = 0
    try:
        with os.fdopen(handle, "wb") as stream:
            async for chunk in request.stream():
                size += len(chunk)
                if size > 2 * most:  # up to there all is read: who is still sending hears no answer
                    break
                if size <= most:
                    stream.write(chunk)
        if size > most:
            raise Refusal(
                413,
                f"more than {most >> 20} MB: make a sketch of it by `gmm1d sketch`, "
                "or start with `gmm1d explore FILE`, which takes any size",
            )
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
