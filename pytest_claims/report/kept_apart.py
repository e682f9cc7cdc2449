"""What a session says of runs that it keeps apart, and of verdicts for which it was asked not to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pytest_claims.judge.result import Result
from pytest_claims.runs.apart import CAPABILITY, NETWORK, OPTIMISER, Apart

# Of the heads in a session's facts.
APART, MIXED = "kept apart", "mixed"
_MOST_NAMED = 5
_NOT_RECORDED = "one that is not recorded"


def apart_lines(found: Mapping[Apart, int]) -> list[str]:
    """A line for each network or optimiser that changed, and one for all runs of other instruction sets.

    found: how many runs are kept apart by what (pytest_claims.runs.apart).
    """
    lines = [_changed(one, count) for one, count in found.items() if one.by in (NETWORK, OPTIMISER)]
    others = {one: count for one, count in found.items() if one.by == CAPABILITY}
    if others:
        now = sets_words(one.now for one in others)
        counts: Counter[str] = Counter()
        for one, count in others.items():
            counts[one.then] += count
        lines.append(
            f"{_runs(sum(counts.values()))} of the same networks on another instruction set ({_counted(counts)}); "
            f"this session's are of {now}. Their sums differ: they judge nothing here, and none is lost. "
            "--mix-capabilities uses them, too"
        )
    return lines


def others_in_store(kinds: Mapping[tuple[str, str], int], capability: str) -> str:
    """That a store has runs of other instruction sets than this, which a session will not use; "" where it has none.

    kinds: how many runs it has of each kind of device and instruction set. capability: the session's, "" for a GPU's.
    """
    others = Counter({of: count for (device, of), count in kinds.items() if device == "cpu" and of != capability})
    if not (capability and others):
        return ""
    return (
        f"the store has {_runs(others.total())} of other instruction sets ({_counted(others)}), which this session "
        f"does not use: it trains on {capability}. --mix-capabilities uses them, too"
    )


def mixed_words(result: Result) -> str:
    """That a verdict is one on runs of several instruction sets; "" for any other."""
    if len(result.capabilities) < 2:
        return ""
    return (
        f"its runs are of several instruction sets, {sets_words(result.capabilities)}, whose sums differ: "
        "--mix-capabilities let them in"
    )


def capabilities_words(result: Result) -> str:
    """The instruction sets behind a verdict, to be appended to its devices in words; "" for those of GPUs."""
    if not result.capabilities:
        return ""
    return f", {sets_words(result.capabilities)}" if any(result.capabilities) else ", instruction set not recorded"


def mixed_line(results: Sequence[Result]) -> str:
    """Which verdicts mix the runs of several instruction sets; "" for none."""
    mixed = [result for result in results if len(result.capabilities) > 1]
    if not mixed:
        return ""
    sets = sets_words(name for result in mixed for name in result.capabilities)
    ids = ", ".join(result.id for result in mixed[:_MOST_NAMED])
    more = f" and {len(mixed) - _MOST_NAMED} more" if len(mixed) > _MOST_NAMED else ""
    many = "1 claim is" if len(mixed) == 1 else f"{len(mixed)} claims are"
    return f"{many} judged on runs of several instruction sets, {sets}, whose sums differ: {ids}{more}"


def sets_words(names: Iterable[str]) -> str:
    """ "AVX2, AVX512 and one that is not recorded". names: "" for the last."""
    found = sorted(set(names))
    words = [name for name in found if name] + ([_NOT_RECORDED] if "" in found else [])
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _changed(one: Apart, count: int) -> str:
    now, then = (f"behaviour {name[:12]}" if name else "the recorded behaviour" for name in (one.now, one.then))
    what = f"the optimiser {one.name}" if one.by == OPTIMISER else one.name
    return (
        f"{_runs(count)} of {what} from when its code did something else ({then}). What it does now ({now}) has runs "
        "of its own, trained anew. Change it back to use the others"
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'not recorded'}: {count}" for name, count in sorted(counts.items()))


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
