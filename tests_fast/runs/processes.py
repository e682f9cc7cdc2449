"""Real processes that train or hold locks, for tests that kill them."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def started(target: Callable[..., object], *arguments: object) -> multiprocessing.Process:
    """A process that does this. Forked where that is safe: it need not load torch again, which takes seconds."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def script(text: str) -> subprocess.Popen[str]:
    """A new Python that runs this text, and whose output and input are pipes of text."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(text)], cwd=ROOT, stdout=pipe, stdin=pipe, text=True)
