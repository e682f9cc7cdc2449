"""Entries of claims that are there no more: renamed, moved or deleted. They stay until someone decides."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path


def vanished(tests: Iterable[str], root: Path) -> list[str]:
    """Those of these tests (names from root on) whose file or whose function is not there.

    Nothing is imported. Which parameters a test has is not looked at.
    """

    @functools.cache
    def functions(file: str) -> set[str]:
        try:
            tree = ast.parse((root / file).read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            return set()
        return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    def is_there(test: str) -> bool:
        file, _, function = test.partition("::")
        return function.split("::")[-1].split("[")[0] in functions(file)

    return [test for test in tests if not is_there(test)]
