"""A result as flat properties of its test case in JUnit XML, for tools that read no JSON."""

from __future__ import annotations

from pytest_claims.judge.result import Result


def junit_properties(result: Result) -> list[tuple[str, str | float | int]]:
    """Name and value, of builtin types alone, as xdist carries nothing else.

    effect, lower, upper, margin: in unit. p: of the test that decides. n: seeds an arm. documented: the source's
    contrast, "" where it gives none; like every value a fact of its own, whatever the verdict.
    """
    verdict, agreement = result.verdict, result.agreement
    return [
        ("id", result.id),
        ("finding", result.finding),
        ("verdict", str(verdict.outcome)),
        ("effect", float(verdict.effect)),
        ("lower", float(verdict.lower)),
        ("upper", float(verdict.upper)),
        ("margin", float(verdict.margin)),
        ("unit", result.unit),
        ("p", float(verdict.p)),
        ("n", int(verdict.n)),
        ("documented", float(agreement.documented) if agreement else ""),
        ("source", str(result.source)),
    ]
