"""What a module of claims says of itself, read from its file: title, text and story. It is not imported for that."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

from pytest_claims.story import Story

_NAME = "STORY"


@dataclasses.dataclass(frozen=True)
class Module:
    """title, about: the docstring's first paragraph and the others. story: as declared, or one without any wishes.
    unread: why a declared one could not be read, "" for none."""

    title: str
    about: tuple[str, ...]
    story: Story
    unread: str = ""

    @property
    def name(self) -> str:
        """The title in short, for a list of links: what stands before its first stop or colon."""
        first = self.title.split(".")[0]
        return first if first.isalnum() else self.title.split(":")[0]


def read(path: Path) -> Module:
    """The module in a file; what can be said of its name alone where it cannot be read."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        tree = ast.Module([], [])
    try:
        story, unread = _story(tree), ""
    except (ValueError, TypeError, AttributeError) as error:
        story, unread = Story(), f"{_NAME} of {path.name} cannot be read: {error}. Write its values out, without names"
    text = ast.get_docstring(tree)
    if not text:
        words = path.stem.removeprefix("test_").replace("_", " ")
        return Module(words[:1].upper() + words[1:], (), story, unread)
    title, *paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return Module(title, tuple(paragraphs), story, unread)


def _story(tree: ast.Module) -> Story:
    """The module's STORY. Raises ValueError, TypeError or AttributeError for what is not a Story of plain values."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == _NAME:
                return _called(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name == _NAME:
                return _called(value)
    return Story()


def _called(value: ast.expr) -> Story:
    if not isinstance(value, ast.Call) or value.args:
        raise ValueError("it is no Story(...) with names for its values")
    arguments: dict[str, Any] = {str(part.arg): ast.literal_eval(part.value) for part in value.keywords}
    return Story(**arguments)
