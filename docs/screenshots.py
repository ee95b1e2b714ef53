"""Make the screenshots of the README and the documentation again: ``python docs/screenshots.py``.

It needs Debian's chromium and Playwright; the pictures are kept small with a palette.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).parent
DATA = HERE.parent / "examples" / "data" / "faithful_waiting.txt"
GMM1D = Path(sys.executable).with_name("gmm1d")
WIDTH = 900


def writeup(page: Page, folder: Path) -> None:
    """Show the question, the answer and the picture."""
    made = folder / "writeup.html"
    options = ["--xlabel", "waiting time (minutes)", "-o", str(made), "-q"]
    subprocess.run([GMM1D, "report", DATA, "-k", "1..6", *options], check=True)
    page.goto(made.as_uri())
    page.locator("#look [data-chart=density] svg path").first.wait_for()
    shot(page, HERE / "writeup.png", "#look [data-readout]")


def explore(page: Page) -> None:
    """Show a climb of EM from a start that was placed by hand."""
    command = [GMM1D, "explore", "--no-browser", DATA]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        page.goto(server.stdout.readline().strip())
        page.locator("#parameters td").first.wait_for()
        page.get_by_role("radio", name="2", exact=True).check()
        page.get_by_role("radio", name="a climb from a start of my own").check()
        page.get_by_text("orange line").wait_for()
        for _ in range(7):
            page.get_by_role("button", name="Step").click()
        shot(page, HERE / "explore.png", "#race")
    finally:
        server.terminate()


def shot(page: Page, path: Path, last: str) -> None:
    """Write the page down to an element."""
    page.evaluate("scrollTo(0, 0)")
    end = page.locator(last).bounding_box()
    assert end is not None
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + 12}
    page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]  # a mapping will do
    Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)
    print(f"wrote {path}: {path.stat().st_size // 1000} kB")


def main() -> None:
    """Make all of them."""
    program = shutil.which("chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_page(viewport={"width": WIDTH, "height": 800})
        writeup(page, Path(folder))
        explore(page)
        browser.close()


if __name__ == "__main__":
    main()
