"""python -m chaos: rounds of random faults, until the time is up; the exit status is 1 if anything did not hold."""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from chaos import suite
from chaos.page import page
from chaos.rounds import Round, empty, run, undisturbed


def main() -> int:
    """Run rounds; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="begin no round after these (default: 15)")
    parser.add_argument("--rounds", type=int, default=1000, help="at most so many")
    parser.add_argument("--seed", type=int, default=None, help="of the first round; the next ones count on")
    parser.add_argument("--out", type=Path, help="write the rounds to this Markdown file")
    options = parser.parse_args()
    # What a shell starts in the background ignores Ctrl-C, and so would all sessions.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    first = random.randrange(10**6) if options.seed is None else options.seed
    until = time.time() + 60 * options.minutes
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "suite"
        folder.mkdir()
        suite.make(folder)
        reference = undisturbed(folder)
        print(f"undisturbed: {len(reference.rows)} runs, {len(reference.verdicts)} verdicts", flush=True)
        with _small_disk(Path(made)) as place:
            for number in range(options.rounds):
                if time.time() > until:
                    break
                empty(place)
                rounds.append(run(folder, place, reference, number, first + number))
                print(_line(rounds[-1]), flush=True)
    if options.out:
        options.out.write_text(page(rounds, len(reference.rows)), encoding="utf-8")
    bad = sum(bool(each.findings) for each in rounds)
    print(f"{len(rounds)} rounds, {bad} in which something did not hold")
    return 1 if bad else 0


def _line(done: Round) -> str:
    what = "; ".join(done.log) or "no fault took place"
    words = f"round {done.number} (seed {done.seed}), {done.sessions}, {done.seconds:.0f} s: {what}"
    return "\n".join([words, *(f"    FOUND: {finding}" for finding in done.findings)])


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 16 MB, where this user may mount one; else a folder, on which failing writes stand for it."""
    place = folder / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)], capture_output=True)
    try:
        yield place
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(place)], check=False)


if __name__ == "__main__":
    sys.exit(main())
