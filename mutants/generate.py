"""The mutants of a module: its text with one small change each, by the operators of mutmut."""

from __future__ import annotations

import ast
import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterable, Iterator

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_if_exp, operator_string

# What decides nothing: types, decorators, imports, and the words of an error (its condition is mutated).
_LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.Raise)
_WIDTH = 110


@dataclasses.dataclass(frozen=True)
class Mutant:
    """text: of the whole module. lines: of the function or method changed, all of the module where it is in none.

    name: what is changed, where, without line numbers: the same as long as these lines of the module are.
    """

    name: str
    text: str
    lines: range | None


def mutants(path: str, text: str) -> list[Mutant]:
    """All mutants of a module's text, each once."""
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = _Visitor()
    wrapper.visit(visitor)
    module = wrapper.module
    # Only the statement of the module that is changed is written and compared anew: all of it takes far longer.
    was = [module.code_for_node(statement) for statement in module.body]
    before, _, after = text.partition("".join(was))
    seen, names, found = {ast.dump(ast.parse(code)) for code in was}, Counter[str](), []
    for old, new, place, function, lines in visitor.changes:
        changed = module.code_for_node(module.body[place].deep_replace(old, new))
        try:
            tree = ast.dump(ast.parse(changed))
        except SyntaxError:
            continue
        if tree in seen:
            continue
        seen.add(tree)
        name = f"{path} {function}: {_difference(was[place], changed)}"
        names[name] += 1
        whole = "".join((before, *was[:place], changed, *was[place + 1 :], after))
        found.append(Mutant(name if names[name] == 1 else f"{name} ({names[name]})", whole, lines))
    return found


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        # What, by what, in which statement of the module, in which function, in which lines.
        self.changes: list[tuple[cst.CSTNode, cst.CSTNode, int, str, range | None]] = []
        self._places: dict[cst.CSTNode, int] = {}
        self._place = 0
        self._outer: list[tuple[str, range | None]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _LEFT_ALONE) or _is_strict(node):
            return False
        if isinstance(node, cst.Module):
            self._places = {statement: place for place, statement in enumerate(node.body)}
        self._place = self._places.get(node, self._place)
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            whole = self.get_metadata(PositionProvider, node.body)
            lines = range(whole.start.line, whole.end.line + 1) if isinstance(node, cst.FunctionDef) else None
            self._outer.append((node.name.value, lines))
        function = ".".join(name for name, _ in self._outer) or "module"
        lines = self._outer[-1][1] if self._outer else None
        self.changes.extend((node, new, self._place, function, lines) for new in _changed(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._outer.pop()


def _is_strict(node: cst.CSTNode | None) -> bool:
    """The strict=... of a zip: it decides nothing, and raises where lengths differ that never should."""
    return isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value == "strict"


def _changed(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if not isinstance(node, kind):
            continue
        new = operator(node)
        if operator is operator_string:
            # One a string, and none of text in sentences.
            new = [] if isinstance(node, cst.SimpleString) and " " in node.value else list(new)[:1]
        elif operator is operator_arg_removal:
            new = _arguments(node, new)
        yield from new
    if isinstance(node, cst.If | cst.CompIf):
        # Taken always and taken never, as mutmut has it for a conditional expression.
        yield from operator_if_exp(node)


def _arguments(call: cst.Call, new: Iterable[cst.Call]) -> Iterator[cst.Call]:
    """A keyword argument left out, so that its default is taken; a positional one None, for without it all fails."""
    for changed in new:
        removed = len(changed.args) < len(call.args)
        pairs = enumerate(zip(call.args, changed.args, strict=False))
        at = next((place for place, (old, kept) in pairs if old is not kept), -1)
        optional = call.args[at].keyword is not None or call.args[at].star != ""
        if (removed == optional or len(call.args) == 1) and not _is_strict(call.args[at]):
            yield changed


def _difference(old: str, new: str) -> str:
    """ "x = a + b => x = a - b": the lines that differ, each side in one line, cut round the change where long."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0))[2:]
    sides = [" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"]
    part = next((place for place, (was, now) in enumerate(zip(*sides, strict=False)) if was != now), 0)
    start = max(0, part - _WIDTH // 2) if max(map(len, sides)) > _WIDTH else 0
    return " => ".join("…" * (start > 0) + side[start:][:_WIDTH] + "…" * (len(side) > start + _WIDTH) for side in sides)
