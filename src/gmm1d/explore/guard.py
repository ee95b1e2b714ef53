"""Who may ask: the holder of the token, from this machine, from the page itself. Answers nothing but refusals.

The token in the path keeps other users of this machine out, the Host header web sites whose name was made to lead to
this machine (DNS rebinding), Origin and Sec-Fetch-Site web sites that send requests here (cross-site request forgery).
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Application = Callable[[Message, Receive, Send], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost")
POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI application around another: refuses strangers, and adds the headers that keep the page to itself."""

    def __init__(self, app: Application, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        inside = {**scope, "root_path": f"/{self._token.decode()}"}

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_sealing()]}
            await send(message)

        await self._app(inside, receive, sealed)

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
            return 400, "this page is reached by its address on this machine only"
        first = str(scope["path"]).removeprefix("/").partition("/")[0].encode()
        if not secrets.compare_digest(first, self._token):
            return 404, "there is nothing here: use the address that gmm1d explore printed"
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", "same-origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "another web site may not use this page"
        if site != "same-origin" and not (site == "none" and scope["method"] == "GET"):
            return 403, "another web site may not use this page"
        return None


def _sealing() -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in HEADERS.items()]


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [*_sealing(), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
