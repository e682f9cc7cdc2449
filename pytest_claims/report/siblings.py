"""The same claim at other levels, on a line."""

from __future__ import annotations

from pytest_claims.judge.result import Result, Sibling

# Where these verdicts stand: a test knows of no other test of its session.
_RECORDED = " (ledger)"


def siblings_text(result: Result, room: int, *, recorded: bool = True) -> str:
    """ "CONTRADICTED 32 +4.6, 64 +4.0; INCONCLUSIVE 8 +3.3 (ledger)"; "" for none. After causes a colon comes first:
    "REPRODUCED, confounded by the learning rate: 2 +13.3".

    Without effects where there is no room for them. room: characters, which even that may exceed. recorded: whether
    these verdicts are the ledger's, and not the session's.
    """
    own = result.nodeid.partition("[")[2].rstrip("]")
    shared = _shared_end([own, *(one.level for one in result.siblings)])
    by_verdict: dict[str, list[Sibling]] = {}
    for sibling in result.siblings:
        by_verdict.setdefault(sibling.verdict, []).append(sibling)

    def said(effects: bool) -> str:
        return "; ".join(
            f"{verdict}{':' if ',' in verdict else ''} "
            + ", ".join(one.level.removesuffix(shared) + (f" {one.effect:+.1f}" if effects else "") for one in found)
            for verdict, found in by_verdict.items()
        )

    if not by_verdict:
        return ""
    where = _RECORDED if recorded else ""
    return (said(True) if len(said(True) + where) <= room else said(False)) + where


def _shared_end(levels: list[str]) -> str:
    """ "-base" of "8-base" and "16-base": what need not be told of each."""
    ends = {level[level.rfind("-") :] if "-" in level else "" for level in levels}
    return ends.pop() if len(ends) == 1 else ""
