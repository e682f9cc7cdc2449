"""The rounds as a Markdown page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chaos.rounds import Round

_HEAD = """# Chaos

`make chaos` runs sessions under random faults, on real processes, for 15 minutes. `python -m chaos --seed N --rounds 1`
repeats a round: its faults and their order, though not the moment to the millisecond.

A round starts one to three sessions on one store, with and without xdist's workers, in a file system of 16 MB. Then
faults fall on them: kill -9 of a worker, of a session or of all; Ctrl-C; SIGSTOP and SIGCONT; writes that fail; a full
disk; jumps of the clock; another writer, which imports runs. In every fourth round the file is also removed or damaged.

After the round a check that shares no code with the store reads the file with plain SQLite, and the log of a witness
that wraps what trains:

- No run is lost that was ever seen in the store, and none is altered.
- No block was begun after it was stored, and none by two living processes at once.
- A session without faults then ends with the verdicts, and the store with the runs, of one that was never disturbed,
  to the last bit.
- After removal or damage no verdict is another than the undisturbed one, and a session whose store was removed says so.
- No session ends in an internal error, in "database is locked", or not at all.

## What faults have found

- A store was removed, and another one made in its place, while a session had it open. What the session wrote went into
  the log that bears the new file's name, and the new store was malformed. Now a session writes only while the file
  under the store's name is the one that it opened.
- A session whose store was removed ended green, with "runs trained: 0" in a new, empty store. Now it is red and says
  so.
- A session whose store was damaged lost its summary to a traceback. Now verdicts come from memory.
- Ctrl-C under `-n 2` took 20 seconds: each worker made a traceback and a summary that no one reads. Now it takes one to
  five, on two busy cores. A worker that had not begun its first claim made them still; now none does.
- Sessions of a test that a shell started in the background ignored Ctrl-C, as it had them do. `make chaos` now undoes
  that.
"""


def page(rounds: Sequence[Round], runs: int) -> str:
    """The page of these rounds. runs: how many an undisturbed session trains."""
    faults = Counter(_kind(entry) for each in rounds for entry in each.log)
    bad = [each for each in rounds if each.findings]
    lines = [_HEAD, "## The last rounds", ""]
    lines.append(
        f"{len(rounds)} rounds of up to {runs} runs, seeds {rounds[0].seed} to {rounds[-1].seed}, in "
        f"{sum(each.seconds for each in rounds) / 60:.0f} minutes. Something did not hold in {len(bad)}."
        if rounds
        else "None."
    )
    lines += ["", "| fault | times |", "| --- | --- |"]
    lines += [f"| {name} | {count} |" for name, count in faults.most_common()]
    lines += ["", "| seed | sessions | faults, in order | s | found |", "| --- | --- | --- | --- | --- |"]
    for each in rounds:
        found = "; ".join(each.findings).replace("\n", " ").replace("|", "/")[:300] or "–"
        told = "; ".join(each.log).replace("|", "/") or "none took place"
        lines.append(f"| {each.seed} | {each.sessions} | {told} | {each.seconds:.0f} | {found} |")
    return "\n".join(lines) + "\n"


def _kind(entry: str) -> str:
    """A fault without its numbers."""
    for start in ("Ctrl-C", "stopped", "the clock jumped", "import", "writes failed"):
        if entry.startswith(start):
            return {"import": "another writer", "stopped": "SIGSTOP, then SIGCONT"}.get(start, start)
    return entry
