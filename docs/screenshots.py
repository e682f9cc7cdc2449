"""The pictures of the page in this folder, story-NAME-WIDTH.png: its first screen, and the stories of four findings.

    make tour
    .venv/bin/python docs/screenshots.py report/index.html

It needs Chromium and chromedriver on the PATH.
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from selenium import webdriver

FOLDER = Path(__file__).parent
STORIES = ("a1", "a2", "a3", "d")
# Width of the window in CSS pixels, and how many pixels of the picture each takes.
WIDTHS = {1400: 1, 390: 2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, help="index.html, as --claims-html writes it")
    page = parser.parse_args().page.resolve()
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (page.is_file() and browser and driver):
        parser.error(f"needs {page} (make tour writes it), and chromium and chromedriver on the PATH")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        for width, scale in WIDTHS.items():
            size = {"width": width, "height": 900, "deviceScaleFactor": scale, "mobile": width < 500}
            chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            chrome.get(page.as_uri())
            save(chrome, f"story-first-{width}", (0, 900), width)
            for name in STORIES:
                save(chrome, f"story-{name}-{width}", extent(chrome, name), width)
    finally:
        chrome.quit()


def extent(chrome: webdriver.Chrome, name: str) -> tuple[float, float]:
    """Top and height of a story on the page, CSS pixels, without the details below it."""
    top, height = chrome.execute_script(
        """const told = document.querySelector(`.story [id^="test-${arguments[0]}-"]`).closest(".story");
           const last = told.querySelector(".told").getBoundingClientRect().bottom;
           const first = told.getBoundingClientRect().top;
           return [first + scrollY, last - first + 4];""",
        name,
    )
    return top, height


def save(chrome: webdriver.Chrome, name: str, vertical: tuple[float, float], width: int) -> None:
    """A part of the page over its whole width, in its 256 commonest colours, so that the file is small."""
    clip = {"x": 0, "y": vertical[0], "width": width, "height": vertical[1], "scale": 1}
    shot = chrome.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    with Image.open(io.BytesIO(base64.b64decode(shot["data"]))) as image:
        pixels = np.asarray(image.convert("RGB"))
    colours, places, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-counts)[:256]]
    nearest = ((colours[:, None].astype(int) - kept) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    picture = Image.fromarray(nearest[places.reshape(pixels.shape[:2])])
    picture.putpalette(kept.tobytes())
    picture.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
