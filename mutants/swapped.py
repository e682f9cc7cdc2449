"""Mutants put in place of their function in a process that has collected the tests: nothing is imported again.

A mutant changes one function. Where it changes no more than that function's code, the code is exchanged in the module
as it is loaded. Whoever holds the function then runs the mutant. So a mutant takes as long as its tests do.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutants.generate import Mutant


class Swap:
    """The functions of a loaded module, to be exchanged for those of its mutants. path: of its file, absolute."""

    def __init__(self, path: str, text: str) -> None:
        module = next((each for each in list(sys.modules.values()) if getattr(each, "__file__", None) == path), None)
        if module is None:
            raise LookupError(f"{path} is not imported")
        self._path, self._caches = path, list(_caches(module))
        self._before = _codes(compile(text, path, "exec", dont_inherit=True))
        # By name; several where a module makes functions of one name.
        self._functions: dict[str, list[FunctionType]] = {}
        for function in gc.get_objects() + list(_functions(module)):
            if isinstance(function, FunctionType) and function.__code__.co_filename == path:
                self._functions.setdefault(function.__code__.co_qualname, []).append(function)

    def code(self, mutant: Mutant) -> tuple[str, CodeType] | None:
        """The outermost function that the mutant changes, by name, and its code. None where that is not all it changes.

        A default, a decorator's argument, a class's field and a module's constant are values, which are there already.
        """
        if mutant.lines is None:
            return None
        after = _codes(compile(mutant.text, self._path, "exec", dont_inherit=True))
        if after.keys() != self._before.keys():
            return None
        changed = [name for name, code in after.items() if _differ(code, self._before[name])]
        if len(changed) != 1 or changed[0] not in self._functions:
            return None
        return changed[0], after[changed[0]]

    def exchange(self, name: str, code: CodeType) -> bool:
        """Have every function of this name run this code; False where it uses other variables of what is around it.

        What the module's caches hold is forgotten.
        """
        for function in self._functions[name]:
            if function.__code__.co_freevars != code.co_freevars:
                return False
            function.__code__ = code
        for clear in self._caches:
            clear()
        return True


class Host:
    """A pytest plugin: in place of running the tests collected, calls `each` with what runs some of them in a fork."""

    def __init__(self, each: Callable[[Callable[[Sequence[str]], int]], None]) -> None:
        self._each = each

    def pytest_runtestloop(self, session: Any) -> bool:
        items = {item.nodeid: item for item in session.items}

        def run(names: Sequence[str]) -> int:
            """The status of these tests, in this order, up to the first that fails. Only to be called in a fork."""
            from _pytest.main import pytest_runtestloop

            session.items = [items[name] for name in names]
            try:
                pytest_runtestloop(session)
            except session.Failed:
                return 1
            return 1 if session.testsfailed else 0

        self._each(run)
        return True


def _codes(module: CodeType) -> dict[str, CodeType]:
    """Of a module's code, that of the module, of its classes and of their functions, by name, nested ones left in.

    Without functions that share a name (a property and its setter), which could not be told apart.
    """
    inner = [each for constant in module.co_consts if isinstance(constant, CodeType) for each in _inner(constant)]
    times = Counter(each.co_qualname for each in inner)
    return {"": module} | {each.co_qualname: each for each in inner if times[each.co_qualname] == 1}


def _inner(code: CodeType) -> Iterator[CodeType]:
    """A function; of a class, itself and what it defines."""
    yield code
    if not code.co_flags & 0x2:  # CO_NEWLOCALS: a class has none
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _inner(constant)


def _differ(after: CodeType, before: CodeType) -> bool:
    """Whether two codes are not the same but for where their lines are, what they contain left to itself in classes."""
    return _told(after) != _told(before)


def _told(code: CodeType) -> tuple[Any, ...]:
    whole = bool(code.co_flags & 0x2)  # of a function, what is nested, too
    constants = tuple(
        (_told(each) if whole else each.co_qualname) if isinstance(each, CodeType) else (type(each), repr(each))
        for each in code.co_consts
    )
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Of a module and its classes, under whatever wraps them: garbage collection does not list what was frozen."""
    stack: list[object] = list(vars(module).values())
    seen: set[int] = set()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            yield value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            stack.extend(vars(value).values())
        stack.extend(
            inner
            for name in ("__wrapped__", "__func__", "fget", "func")
            if (inner := getattr(value, name, None)) is not None and callable(inner)
        )


def _caches(module: ModuleType) -> Iterator[Callable[[], object]]:
    for value in [*vars(module).values()]:
        if isinstance(value, functools._lru_cache_wrapper):
            yield value.cache_clear
