"""Sessions of pytest as processes: started, signalled and waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]


class Session:
    """One `pytest claims` in a process group of its own. store: its file. workers: xdist's, 0 for none."""

    def __init__(self, folder: Path, store: Path, name: str, workers: int, *options: str) -> None:
        self.json, self.output = folder / f"{name}.json", folder / f"{name}.log"
        self.workers, self.began, self.killed, self.stopped = workers, time.time(), False, False
        command = ["claims", "--data", "images", "--scale", "documented", "--max-seeds", "7", "-q", *options]
        command += ["--store", str(store), "--claims-json", str(self.json), "-p", "no:hypothesispytest"]
        command += ["-n", str(workers)] if workers else []
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *command],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._all = {self.process.pid}

    def processes(self) -> list[psutil.Process]:
        """It and its workers, those that live; also workers that have outlived it."""
        with contextlib.suppress(psutil.Error):
            self._all |= {child.pid for child in psutil.Process(self.process.pid).children(recursive=True)}
        found = []
        for pid in self._all:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def signal(self, number: int, *, worker: bool = False) -> bool:
        """Send a signal to the whole session, or to one of its workers; whether there was anyone."""
        found = self.processes()
        if worker:
            found = [each for each in found if each.pid != self.process.pid][:1]
        for each in found:
            with contextlib.suppress(psutil.Error):
                each.send_signal(number)
        if found and number == signal.SIGKILL and not worker:
            self.killed = True
        return bool(found)

    def wait(self, seconds: float) -> int:
        """Its exit status; 124 where it did not end in time and was killed, which is a finding."""
        until = time.time() + seconds
        while time.time() < until:
            if self.process.poll() is not None and not self.processes():
                return self.process.returncode
            time.sleep(0.05)
        self.signal(signal.SIGKILL)
        self.process.wait()
        return 124

    @property
    def text(self) -> str:
        """All that it has written so far."""
        return self.output.read_text(errors="replace")
