"""Name a page, and open it where there is a display: python -m pytest_claims.show report/index.html"""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path


def show(page: Path) -> str:
    """Open a page in a browser if this terminal has a display; returns where it is, in words."""
    address = page.resolve().as_uri()
    shown = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if shown and not os.environ.get("CI") and webbrowser.open(address):
        return f"opened: {address}"
    return f"open this page in a browser: {address}"


if __name__ == "__main__":
    print(show(Path(sys.argv[1])))
