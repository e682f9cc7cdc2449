"""A folder with claims that train for seconds, images for them, and a witness of what is trained."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
from PIL import Image

_CLAIMS = """
    import pytest
    from models import DepthCNN
    from pytest_claims import Arm, Recipe, Source, claim

    SOURCE = Source("A paper", "Table 1", repetitions=5)
    RECIPE = Recipe(images_per_class=8, batch=20, epochs=30, optimizer="sgd", lr=0.05, momentum=0.9)
    RECIPES = {"rehearsal": RECIPE, "documented": RECIPE}


    def net(width):
        return Arm(DepthCNN(1, "relu", width=width, classes=5), RECIPES)


    @claim("T1", "a wide network beats a narrow one", source=SOURCE, arms=lambda: {"wide": net(16), "narrow": net(1)})
    def test_wide(lab):
        lab.assert_greater("wide", "narrow", margin=2.0)


    @claim("T2", "a narrow network beats a wide one", source=SOURCE, arms=lambda: {"wide": net(16), "narrow": net(1)})
    def test_narrow(lab):
        lab.assert_greater("narrow", "wide", margin=2.0)


    @pytest.mark.parametrize("width", (6, 12))
    @claim("T3", "{width} is near 16", source=SOURCE, arms=lambda width: {"a": net(width), "b": net(16)})
    def test_near(lab, width):
        lab.assert_within("a", "b", within=20.0)
"""

# Logs which process begins and ends which block, and shifts the clock of stored times by what a file says.
_WITNESS = """
    import contextlib
    import datetime
    import hashlib
    import json
    import os
    import time
    from pathlib import Path

    import pytest

    pytest_plugins = ["pytest_claims.plugin.hooks"]
    HERE = Path(__file__).parent


    def note(what, run, seeds):
        block = hashlib.sha256(run.canonical.encode()).hexdigest()[:16]
        line = {"what": what, "block": f"{block} {seeds[0]}", "process": os.getpid(), "at": time.time()}
        # A fault may make this fail, too, which says nothing of the training.
        with contextlib.suppress(OSError):
            log = os.open(HERE / "log.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(log, (json.dumps(line) + "\\n").encode())
            finally:
                os.close(log)


    class Witness:
        def __init__(self, executor):
            self._executor = executor

        def __getattr__(self, name):
            return getattr(self._executor, name)

        def submit(self, run, seeds, data):
            note("begin", run, seeds)
            future = self._executor.submit(run, seeds, data)
            note("end", run, seeds)
            return future


    def pytest_claims_executor(settings, workers):
        import pytest_claims.runs.store as store
        from pytest_claims.runs.laboratory import in_process

        real = getattr(store.now, "real", store.now)

        def now():
            jump = float((HERE / "clock").read_text() or 0) if (HERE / "clock").exists() else 0.0
            shifted = datetime.datetime.fromisoformat(real()) + datetime.timedelta(seconds=jump)
            return shifted.isoformat(timespec="microseconds")

        now.real = real
        store.now = now
        return Witness(in_process(settings, workers))
"""


def make(folder: Path) -> None:
    """Write the claims, the witness and the images into a folder."""
    (folder / "conftest.py").write_text(textwrap.dedent(_WITNESS))
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
    (folder / "claims").mkdir()
    (folder / "claims" / "test_width.py").write_text(textwrap.dedent(_CLAIMS))
    generator = np.random.default_rng(0)
    for split, count in (("train", 8), ("test", 10)):
        for label in range(5):
            images = folder / "images" / split / f"class{label}"
            images.mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 200, (32, 32, 3))
                pixels[..., label % 3] += 40 if label < 3 else 55
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(images / f"{index}.png")
