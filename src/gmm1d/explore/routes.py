"""The application of the page: what it may ask, and what it is answered.

All addresses are relative to the page's own, ``http://127.0.0.1:PORT/TOKEN/``. Questions (POST) and answers are JSON.
Numbers that are not finite are null. Every failure is ``{"error": sentence}`` with a status: 400 no such question,
403 another web site, 404 nothing there, 405 wrong method, 410 data or fit dropped (load again), 413 too large,
422 data or request that cannot be used (with ``"kind"``, the exception's name: "CollapseError" is a climb into a
spike), 500 a fault of ours, 501 an optional dependency is missing, 507 no room.

GET (empty path)
    The page.
GET static/NAME
    Scripts and styles, from a table made at the start.
GET hello
    ``{version, examples: [{name, title, column, source, n}], data: DATA or null, limits: {bytes, k}, auto: [1, …],
    downloads: [KIND, …]}``; `data` is what the page was started with.
POST data?name=waiting.csv&decimal=,
    The body is the file or the pasted text itself; both parameters are optional. Returns DATA:
    ``{id, name, column: {number, name}, columns: [{number, name}], n, n_missing, low, high, compressed, has_values,
    start: {weights, means, stds} or null, scene}``. With several `columns` the first is taken, and the page may ask which is
    meant. `n_missing` values were left out. `start` comes with some examples.
    scene: ``{view: [low, high], outside: sentence, top, bars: [[x0, x1, density], …], points: [[value, count], …], n}``; `points` are
    empty beyond 300 distinct values, bars of no height are left out.
POST column ``{id, number}``
    Another column of the same data, as new DATA.
POST example ``{name}``
    An example, as new DATA.
POST start ``{id, k, name: "quantile" | "kmeans" | "spread"}``
    ``{weights, means, stds}``, for the handles that are dragged.
POST fit ``{id, k: number | "auto", equal_variances?, criterion?: "bic" | "aic" | "icl"}``
    FIT, and ``milliseconds``; for "auto" also ``comparison: {criterion, k, family, families, row, reason, criteria: [{k,
    family, log_likelihood, aic, bic, icl, status, converged, left_out: word or null}], table: {header, rows}}``, else null;
    it is of unequal and equal variances, or with ``equal_variances`` of these alone. FIT:
    ``{fit, k, mixture: {weights, means, stds}, log_likelihood, aic, bic, icl, n, n_parameters, status: {name, sentence},
    converged, notes: [sentence], certificate: {gradient_norm, newton_decrement, smallest_eigenvalue, entropy} or
    null, compression_error, n_steps, steps, boundaries: [{at, error, low, high}], errors: {weights, means, stds} or null,
    intervals: {level, weights: [[low, high]], means, stds} or null, no_errors: reason or null, remarks: [sentence],
    table: {header, rows}, formula, view: [low, high]}``. `fit` names it for downloads.
POST climb ``{id, start: {weights, means, stds}, method?: "em" | "squarem" | "newton", max_iter?, tol?}``
    ``{end: FIT, replay, milliseconds, method}``; `replay` is `gmm1d.replays.Replay.content`, in the start's order.
GET download/KIND?id=…&fit=…
    A file: model.json, picture.png, picture.svg, labels.csv, code.py.
"""

from __future__ import annotations

import time
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gmm1d.errors import require
from gmm1d.explore import answers, downloads, loading, scripts
from gmm1d.explore.fits import AUTO, MOST_COMPONENTS
from gmm1d.explore.guard import Guard
from gmm1d.explore.requests import (
    MOST_UPLOAD,
    Refusal,
    answer,
    answering,
    apart,
    asked,
    received,
    watched,
)
from gmm1d.explore.store import DataSet, Made, Store
from gmm1d.pages import assets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from gmm1d.explore.requests import Handler

GONE = "these data are not kept any more: load them again"


class Application:
    """What stands behind the routes: one method each; the protocol stands above."""

    def __init__(self, data: DataSet | None, store: Store) -> None:
        self.store = store
        self.first = None if data is None else store.add(data)
        self.files = scripts.files()

    async def page(self, _: Request) -> Response:
        """Return the page."""
        return _response(
            assets.page("explore.html", scripts.HERE).encode(), "text/html; charset=utf-8"
        )

    async def file(self, request: Request) -> Response:
        """Return a script or a style."""
        name = request.path_params["name"]
        if name in scripts.MADE:
            return _response(*await apart(scripts.made, name))
        if name not in self.files:
            raise Refusal(404, "there is no such file")
        return _response(*self.files[name])

    async def hello(self, _: Request) -> Response:
        """Say what there is."""
        known = [
            {"name": name, **{part: about[part] for part in ("title", "column", "source")}}
            | {"n": len(about["values"])}
            for name, about in loading.examples().items()
        ]
        data = None if self.first is None else self.store.get(self.first)
        return await apart(
            lambda: answer(
                {
                    "version": version("gmm1d"),
                    "examples": known,
                    "data": data and answers.of_data(str(self.first), data),
                    "limits": {"bytes": MOST_UPLOAD, "k": MOST_COMPONENTS},
                    "auto": list(AUTO),
                    "downloads": list(downloads.KINDS),
                }
            )
        )

    async def data(self, request: Request) -> Response:
        """Take an upload."""
        name = loading.shown_name(request.query_params.get("name", ""))
        decimal = request.query_params.get("decimal", ".")
        if decimal not in (".", ","):
            raise Refusal(400, "decimal must be a point or a comma")
        path = await received(request)
        return await apart(
            self._loaded, path, partial(loading.of_file, path, name, decimal=decimal)
        )

    async def column(self, request: Request) -> Response:
        """Take another column."""
        question = await asked(request)
        work = partial(loading.again, self._data(question), question.get("number"))
        return await apart(self._loaded, None, work)

    async def example(self, request: Request) -> Response:
        """Take an example."""
        question = await asked(request)
        return await apart(self._loaded, None, partial(loading.of_example, question.get("name")))

    def _loaded(self, path: Path | None, load: Any) -> Response:
        """Load, keep and describe a data set; the upload goes if the data set does not need it."""
        found = None
        try:
            found = load()
            return answer(answers.of_data(self.store.add(found), found))
        finally:
            if path is not None and (found is None or found.file is None):
                path.unlink(missing_ok=True)

    async def start(self, request: Request) -> Response:
        """Return a named start."""
        question = await asked(request)
        fitter = self._data(question).fitter
        name = question.get("name", "quantile")
        return answer(await apart(fitter.start, question.get("k"), name))

    async def fit(self, request: Request) -> Response:
        """Fit one k, or choose among several."""
        question = await asked(request)
        data = self._data(question)
        async with watched(request) as gone:
            return await apart(_fitted, data, question, gone, aside=True)

    async def climb(self, request: Request) -> Response:
        """Climb from a start."""
        question = await asked(request)
        return await apart(_climbed, self._data(question), question)

    async def download(self, request: Request) -> Response:
        """Return a file."""
        kind = request.path_params["kind"]
        if kind not in downloads.KINDS:
            raise Refusal(404, f"there is no download {kind!r}")
        data = self._data(request.query_params)
        made = data.made.get(request.query_params.get("fit", ""))
        if made is None:
            raise Refusal(410, "this fit is not kept any more: fit again")
        path = await apart(downloads.written, kind, data, made)
        background = require("starlette.background", "explore").BackgroundTask(path.unlink)
        found: Response = require("starlette.responses", "explore").FileResponse(
            path,
            headers={"content-disposition": downloads.disposition(data, made, kind)},
            media_type=downloads.KINDS[kind].media,
            background=background,
        )
        return found

    def _data(self, question: Any) -> DataSet:
        found = self.store.get(question.get("id"))
        if found is None:
            raise Refusal(410, GONE)
        return found


def _fitted(data: DataSet, question: dict[str, Any], gone: Callable[[], bool]) -> Response:
    begin = time.perf_counter()
    recipe: dict[str, Any] = {"equal_variances": question.get("equal_variances") is True}
    options = {**recipe, "gone": gone}
    comparison = None
    if question.get("k") == "auto":
        criterion = question.get("criterion", "bic")
        comparison = data.fitter.compare(criterion, **options)
        found = comparison.best
        recipe |= {"ks": list(comparison), "criterion": criterion}
    else:
        k = question.get("k")
        found = data.fitter.fit(k, **options)
        recipe["k"] = found.k
    content = answers.of_fit(data.keep(Made(found, recipe)), found)
    content["comparison"] = None if comparison is None else answers.of_comparison(comparison)
    content["milliseconds"] = 1e3 * (time.perf_counter() - begin)
    return answer(content)


def _climbed(data: DataSet, question: dict[str, Any]) -> Response:
    from gmm1d.replays import replay

    begin = time.perf_counter()
    method, start, tol = question.get("method", "em"), question.get("start"), question.get("tol")
    found = data.fitter.climb(start, method, question.get("max_iter"), tol)
    elapsed = 1e3 * (time.perf_counter() - begin)
    recipe = {"k": found.k, "start": start, "method": method, "tol": tol}
    content = {
        "end": answers.of_fit(data.keep(Made(found, recipe)), found),
        "replay": replay(found).content(),
        "method": method,
        "milliseconds": elapsed,
    }
    return answer(content)


def _response(body: bytes, media: str) -> Response:
    found: Response = require("starlette.responses", "explore").Response(body, media_type=media)
    return found


def application(data: DataSet | None = None, *, token: str, store: Store | None = None) -> Guard:
    """Return the ASGI application of the page.

    Parameters
    ----------
    data : DataSet, optional
        What the page shows first.
    token : str
        The first part of every path; who does not know it is answered 404.
    store : Store, optional
        Where data sets are kept.

    Raises
    ------
    MissingExtraError
        If Starlette is not installed.
    """
    routing = require("starlette.routing", "explore")
    behind = Application(data, store or Store())
    table: dict[str, dict[str, Handler]] = {
        "GET": {
            "/": behind.page,
            "/static/{name}": behind.file,
            "/hello": behind.hello,
            "/download/{kind}": behind.download,
        },
        "POST": {
            f"/{handler.__name__}": handler
            for handler in (
                *(behind.data, behind.column, behind.example),
                *(behind.start, behind.fit, behind.climb),
            )
        },
    }
    routes = [
        routing.Route(path, answering(handler), methods=[method])
        for method, handlers in table.items()
        for path, handler in handlers.items()
    ]
    made = require("starlette.applications", "explore").Starlette(
        routes=routes, exception_handlers={404: _nothing, 405: _nothing}
    )
    made.router.redirect_slashes = False
    return Guard(made, token)


async def _nothing(_: Request, error: Any) -> Response:
    return answer({"error": f"there is nothing here ({error.detail})"}, error.status_code)
