"""A real browser for pages: Debian's chromium, driven by Playwright; every page that is opened is watched."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium():
    """Start the browser, or skip where it is not installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, address, refused=False, **context):
    """Open a page; at the end nothing may have gone wrong on it, and no request may have left it.

    `refused` allows requests that the server refuses, of which the browser itself complains.
    """
    own = browser.new_context(viewport={"width": 1000, "height": 900}, **context)
    page, faults = own.new_page(), []
    page.set_default_timeout(10_000)
    page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: faults.extend(_leaving(request.url, address)))
    try:
        page.goto(str(address))
        yield page
        complaint = "error: Failed to load resource: "
        assert not [each for each in faults if not (refused and each.startswith(complaint))]
    finally:
        own.close()


def _leaving(url, address):
    home = address if address.startswith("http") else "file:"
    return [] if url.startswith((home, "data:", "blob:", "about:")) else [f"request: {url}"]


def serious(page):
    """Return the accessibility violations that axe-core calls serious or worse."""
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def address(path):
    """Return a file's address."""
    return Path(path).resolve().as_uri()
