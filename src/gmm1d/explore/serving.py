"""The page on an address of this machine, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING

from gmm1d.errors import InputError, require
from gmm1d.explore.loading import of_array
from gmm1d.explore.routes import application
from gmm1d.explore.scripts import prepare
from gmm1d.explore.store import DataSet, Store

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"  # never an address that others can reach
BACKLOG = 128


def serve(
    data: object = None,
    *,
    port: int = 0,
    browser: bool = True,
    say: Callable[[str], object] = print,
) -> None:
    """Show the page in the browser, until Ctrl-C.

    Parameters
    ----------
    data : array-like, Sample, Sketch or DataSet, optional
        What it shows first.
    port : int
        By default one that is free.
    browser : bool
        Whether to open it in the browser.
    say : function
        Called with its address.

    Raises
    ------
    InputError
        If the data cannot be used, or the port is taken.
    MissingExtraError
        If Starlette or uvicorn is not installed.
    """
    uvicorn = require("uvicorn", "explore")
    first = data if data is None or isinstance(data, DataSet) else of_array(data)
    store, token = Store(), secrets.token_urlsafe(24)
    made = application(first, token=token, store=store)
    with _listening(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/{token}/"
        config = uvicorn.Config(
            made,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=0,
        )
        threading.Thread(target=prepare, daemon=True).start()
        say(address)
        if browser:  # a text browser does not come back
            threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        try:
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listener])
        finally:
            store.clear()


def _listening(port: int) -> socket.socket:
    """Listen on a port of this machine; who connects waits until the server is ready."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let another program take the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InputError(f"port {port}: {error.strerror}: choose another one, or none") from error
    return listener
