"""`python -m pytest_claims.new_claim NAME`: a module with a claim to fill in, claims/test_NAME.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pytest_claims.ledger.entries import FOLDER

TEMPLATE = '''"""What is claimed, in a sentence, and why the margin is what it is (fixed before any run)."""

from models import DepthCNN  # or a network of your own, see CONTRIBUTING.md
from pytest_claims import Arm, Recipe, Source, claim

# Where the finding is written down. repetitions: how many runs are behind its figures.
SOURCE = Source("A document", "Its section", repetitions=1)

# How the networks are trained: "documented" is the source's own recipe, "rehearsal" the same cut short.
DOCUMENTED = Recipe(images_per_class=500, batch=64, epochs=20, optimizer="sgd", lr=0.05, momentum=0.9)
REHEARSAL = Recipe(images_per_class=50, batch=64, epochs=4, optimizer="sgd", lr=0.05, momentum=0.9)
RECIPES = {{"documented": DOCUMENTED, "rehearsal": REHEARSAL}}

# The smallest effect of interest, in points of test accuracy.
MARGIN = 2.0


def arms():
    """The networks that are compared, by name. documented: the source's test accuracy, where it gives one."""
    return {{
        "wide": Arm(DepthCNN(2, "relu", width=32), RECIPES, documented=None),
        "narrow": Arm(DepthCNN(2, "relu", width=4), RECIPES, documented=None),
    }}


# A short name of the finding, and the finding as a sentence.
@claim("{finding}", "{words}: 32 channels beat 4", source=SOURCE, arms=arms)
def test_{name}(lab):
    # One assertion; pytest_claims/judge/lab.py has the others.
    lab.assert_greater("wide", "narrow", margin=MARGIN)
'''


def write(name: str, root: Path) -> Path:
    """Write the module below root and return its path.

    name: lower-case words with underscores. Raises ValueError for another name, FileExistsError if the module is there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(f"{name!r} is no name for a claim; allowed: lower-case words with underscores, as batch_size")
    path = root / FOLDER.parent / f"test_{name}.py"
    if path.exists():
        raise FileExistsError(f"{path} is there already; choose another name, or edit it")
    path.parent.mkdir(parents=True, exist_ok=True)
    words = name.replace("_", " ")
    path.write_text(TEMPLATE.format(name=name, words=words, finding=words.title().replace(" ", "")), encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit status."""
    if len(arguments) != 1:
        print("usage: python -m pytest_claims.new_claim NAME, as in: batch_size", file=sys.stderr)
        return 2
    try:
        path = write(arguments[0], Path.cwd())
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    below = path.relative_to(Path.cwd())
    print(
        f"{below} is written. Rehearse it as it is: pytest {below} --scale rehearsal. See what its verdict costs: "
        f"pytest {below} --scale documented --plan. Without --plan the verdict is made"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
