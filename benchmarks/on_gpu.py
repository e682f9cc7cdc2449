"""python -m benchmarks.on_gpu FOLDER: all that a GPU is wanted for, with one command, and a page of it.

Tests of what only a GPU can do, step times of cuDNN's and Triton's kernels, the whole documented scale with 10 seeds an
arm, the same claims on Triton's kernels, both beside the recorded runs, and every run as a file. Each part gets a share
of the time and is interrupted when that is over; what was trained is kept. A part that fails is told on the page, and
the rest goes on. The same command again goes on where it stopped. --missing trains what was not run yet, the most
informative claims first.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.gpu_page import gpu_page
from pytest_claims.errors import ExplainedError
from pytest_claims.train.device import choose, describe
from pytest_claims.whole_file import write_whole

# How long an interrupted part may take to write its summary and its page.
_GRACE_SECONDS = 60
# For what takes seconds, and is done also where the time is over.
_SHORT_SECONDS = 120
STATE, PAGE = "parts.json", "README.md"
EVIDENCE = Path(__file__).resolve().parents[1] / "evidence"

# What had not been run when this was written, the most informative first: name, what pytest selects, scale. `--plan`
# says what a store lacks of it.
MISSING = (
    ("d", ["claims/test_d_skip_network.py"], "documented"),
    ("a2-long", ["claims/test_a2_normalisation_and_batch_size.py", "-k", "long"], "documented"),
    ("a2-cifar100", ["claims/test_a2_normalisation_and_batch_size.py", "-k", "cifar100"], "documented"),
    ("b1", ["claims/test_b1_depth_well_trained.py"], "full"),
    ("b3", ["claims/test_b3_order_well_trained.py"], "full"),
    ("b2", ["claims/test_b2_batch_size_well_trained.py"], "full"),
)
# The claims that Triton's kernels are compared on: every network of A at short recipes.
_ON_TRITON = [
    "claims/test_a1_activation_and_depth.py",
    "claims/test_a2_normalisation_and_batch_size.py",
    "claims/test_a3_order_in_the_block.py",
    "-k",
    "not long and not cifar100",
]


@dataclasses.dataclass(frozen=True)
class Part:
    """One command. share: of the remaining time that it may take, 0 for one that takes seconds. fine: the exit
    statuses with which it has ended well (claims that do not hold, and arms that differ, are results)."""

    name: str
    command: list[str]
    share: float
    fine: tuple[int, ...] = (0,)


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a part ended. status: its exit status, None for one that could not be started. seconds: of all tries so far.
    interrupted: its time was over. done: it ended well and is not run again."""

    name: str
    command: list[str]
    status: int | None
    seconds: float
    interrupted: bool
    done: bool

    @property
    def words(self) -> str:
        """ "tests: exit 0 after 12 s"."""
        how = "could not be started" if self.status is None else f"exit {self.status}"
        over = ", interrupted: its time was over" if self.interrupted else ""
        return f"{self.name}: {how} after {self.seconds:.0f} s{over}"


def parts(folder: Path, gpu: bool, data: str) -> list[Part]:
    """What is run, in order. Without gpu, a rehearsal of it on a CPU, cut short."""
    python, runs = [sys.executable, "-m"], folder / "runs.sqlite"

    def claims(name: str, *more: str) -> list[str]:
        written = ["--results", str(folder / f"{name}.md"), "--claims-json", str(folder / f"{name}.json")]
        written += ["--claims-html", str(folder / name)]
        return [*python, "pytest", "--data", data, "--store", str(runs), *written, *more]

    def compared(name: str, first: Path, *more: str) -> Part:
        page = ["--page", str(folder / f"{name}.md")]
        return Part(name, [*python, "pytest_claims.runs", "compare", str(first), str(runs), *more, *page], 0, (0, 1))

    tests = [*python, "pytest", "tests_fast/train", "tests_fast/stacked", "-n", "0"]
    speed = [*python, "benchmarks", "--out", str(folder)]
    export = Part("runs", [*python, "pytest_claims.runs", "export", str(runs), str(folder / "runs.jsonl")], 0)
    if not gpu:
        return [
            Part("tests", [*tests, "-k", "trace"], 0.3),
            Part("claims", claims("claims", "claims", "-k", "a3", "--scale", "rehearsal"), 0.8, (0, 1)),
            Part("speed", [*speed, "--repeats", "1", "--works", "b", "--peers", "engine"], 1.0),
            compared("compare-with-itself", runs),
            export,
        ]
    on_gpu = ["--gpu", "-n", "4", "--seeds", "10", "--scale", "documented"]
    return [
        Part("tests", [*tests, "-k", "cuda or replayed"], 0.12),
        Part("kernels", [*python, "benchmarks.kernels", str(folder / "kernels.json"), "--seconds", "150"], 0.2),
        Part("claims", claims("claims", "claims", *on_gpu), 0.75, (0, 1)),
        Part("triton", claims("triton", *_ON_TRITON, *on_gpu, "--kernels", "triton"), 0.8, (0, 1)),
        compared("compare-kernels", runs, "--first", "kernels=cudnn", "--second", "kernels=triton"),
        compared("compare-cpu", EVIDENCE / "2026-11-21-cpu.jsonl", "--second", "kernels=cudnn"),
        compared("compare-h100", EVIDENCE / "2026-11-23-h100.jsonl", "--second", "kernels=cudnn"),
        Part("speed", [*speed, "--gpu", "--repeats", "2", "--peers", "notebook", "resident eager", "engine"], 1.0),
        export,
    ]


def missing(folder: Path, data: str) -> list[Part]:
    """What had not been run anywhere, the most informative first; then every run as a file."""
    found, runs = [], str(folder / "runs.sqlite")
    for name, selected, scale in MISSING:
        written = ["--results", str(folder / f"{name}.md"), "--claims-json", str(folder / f"{name}.json")]
        command = [sys.executable, "-m", "pytest", *selected, "--gpu", "-n", "4", "--scale", scale, "--data", data]
        found.append(Part(name, [*command, "--store", runs, *written], 1.0, (0, 1)))
    command = [sys.executable, "-m", "pytest_claims.runs", "export", runs, str(folder / "runs.jsonl")]
    return [*found, Part("runs", command, 0)]


def run(part: Part, seconds: float, log: Path, before: float = 0.0) -> Ended:
    """Run a part for at most so many seconds, its output into a log. before: seconds that it took in earlier tries."""
    started, interrupted = time.monotonic(), False
    status: int | None = None
    with log.open("w", encoding="utf-8") as file:
        try:
            # A group of its own, so that what it has started ends with it.
            process = subprocess.Popen(part.command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            file.write(f"{error}\n")
        else:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                interrupted = True
                _interrupt(process)
            except KeyboardInterrupt:
                _interrupt(process)
                raise
            status = process.returncode
    done = status in part.fine and not interrupted
    return Ended(part.name, part.command, status, before + time.monotonic() - started, interrupted, done)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """End a part as Ctrl-C does, which leaves its summary; and all of it by force where that takes too long."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run_all(folder: Path, wanted: Sequence[Part], minutes: float, machine: str) -> list[Ended]:
    """Run the parts that have not ended well before, one after the other, and write the page after each.

    folder: has a log a part, what the parts write, STATE with how they ended, and PAGE. minutes: for all parts, but for
    those that take seconds. Returns how every part has ended.
    """
    end, found = time.monotonic() + 60 * minutes, _before(folder)
    for part in wanted:
        before = found.get(part.name)
        if before and before.command != part.command:
            before = None  # of other options: it says nothing about these
        # What takes seconds is done anew: there may be more runs to look at.
        if before and before.done and part.share:
            print(f"{part.name}: done before", flush=True)
            continue
        left = (end - time.monotonic()) * part.share if part.share else _SHORT_SECONDS
        if left <= 0:
            print(f"{part.name}: left out, the time is over", flush=True)
            continue
        try:
            found[part.name] = run(part, left, folder / f"{part.name}.log", before.seconds if before else 0.0)
        finally:
            _write(folder, wanted, found, machine)  # also after Ctrl-C
        print(found[part.name].words, flush=True)
    _write(folder, wanted, found, machine)
    return [found[part.name] for part in wanted if part.name in found]


def _before(folder: Path) -> dict[str, Ended]:
    """How the parts ended in earlier tries; nothing where that cannot be read, for then all is run again."""
    try:
        return {each["name"]: Ended(**each) for each in json.loads((folder / STATE).read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _write(folder: Path, wanted: Sequence[Part], found: dict[str, Ended], machine: str) -> None:
    state = json.dumps([dataclasses.asdict(each) for each in found.values()], indent=1)
    write_whole(folder / STATE, [state, "\n"])
    today = datetime.date.today().isoformat()
    ended = [(part.name, found[part.name].words if part.name in found else None) for part in wanted]
    failed = [part.name for part in wanted if part.name in found and not found[part.name].done]
    seconds = {name: each.seconds for name, each in found.items()}
    write_whole(folder / PAGE, [gpu_page(folder, machine, today, ended, failed, seconds)])


def main() -> int:
    """Run all parts; 0 if all have ended well (claims may say that a finding does not hold)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.on_gpu", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where everything is written; made if need be")
    parser.add_argument("--minutes", type=float, default=30, help="for all parts together (default: 30)")
    parser.add_argument("--data", default="auto", help="as pytest's --data (default: auto)")
    parser.add_argument(
        "--missing", action="store_true", help="instead: train what was not run yet, the most informative claims first"
    )
    parser.add_argument("--cpu", action="store_true", help="rehearse this script on a CPU, every part cut short")
    options = parser.parse_args()
    if options.cpu and options.missing:
        sys.exit("--cpu rehearses this script, and --missing trains for hours on a CPU: give one of them")
    if options.minutes <= 0:
        sys.exit(f"--minutes {options.minutes:g}: more than 0 are needed")
    try:
        device = choose(not options.cpu)
    except ExplainedError as error:
        sys.exit(f"{error}. --cpu rehearses this script without one")
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.missing:
        wanted = missing(options.folder, options.data)
    else:
        wanted = parts(options.folder, not options.cpu, options.data)
    machine = f"{describe(device)}, torch {torch.__version__}, Python {sys.version.split()[0]}"
    ended = run_all(options.folder, wanted, options.minutes, machine)
    print(f"written: {options.folder / PAGE}")
    return int(len(ended) < len(wanted) or not all(each.done for each in ended))


if __name__ == "__main__":
    sys.exit(main())
