"""How a test becomes a claim, and how a claim is read back from the test without running it."""

from __future__ import annotations

import inspect
import re
import string
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pytest

from pytest_claims.judge.declared_arms import ClaimError, called, checked
from pytest_claims.judge.metric import ACCURACY, Metric
from pytest_claims.types import Arm, Claim, Source


def claim(
    finding: str,
    words: str,
    *,
    source: Source,
    arms: Callable[..., Mapping[Hashable, Arm]],
    metric: Callable[..., Metric] | None = None,
    tunes: bool = False,
    images: bool = False,
    quick: bool | Callable[..., bool] = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare that a test verifies a documented finding.

    The test takes the `lab` fixture and makes one assertion with it about the arms. words, arms and metric are given
    those of the test's parameters that they name: words in {braces}, the others as arguments. tunes: the assertion
    first chooses settings on seeds of their own (assert_needs_lower). images: the report shows what the arms take
    images for. quick: scale quick has this claim; a function of parameters where it has some of the test's, as
    `quick=lambda depth: depth <= 2`. Example:

        @pytest.mark.parametrize("depth", (1, 8))
        @claim("A1a", "with {depth} blocks, ReLU beats sigmoid", source=SOURCE, arms=both_activations)
        def test_relu_beats_sigmoid(lab, depth):
            lab.assert_greater("relu", "sigmoid", margin=2.0)
    """
    return pytest.mark.claim(Claim(finding, words, source, arms, metric, tunes, images, quick))


def claim_of(item: pytest.Item) -> Claim | None:
    """The claim that a test was declared to verify, or None for an ordinary test.

    A marker of the same name that is somebody else's makes no claim.
    """
    marker = item.get_closest_marker("claim")
    declared = marker.args[0] if marker and marker.args else None
    return declared if isinstance(declared, Claim) else None


def parameters(item: pytest.Item) -> dict[str, object]:
    """The parameters of a parametrised test by name."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def claim_id(item: pytest.Item) -> str:
    """The claim's stable name: its finding and the test's parameters, as pytest writes them, e.g. "A2b-32-base".

    -k takes it as it is, so it has no spaces, and "'" reads "-prime": "A2c'" on the base recipe is "A2c-prime-base".
    Raises ValueError for an ordinary test.
    """
    parts = [str(_declared(item).finding).replace("'", "-prime")]
    if hasattr(item, "callspec"):
        parts.append(item.callspec.id)
    # Only what a -k expression takes in a name.
    return re.sub(r"[^\w.+-]+", "-", "-".join(parts))


def words_of(item: pytest.Item) -> str:
    """The claim as a sentence, its parameters filled in.

    Raises ClaimError for words that name others, and for a finding, words or source of another type.
    """
    declared, values = _declared(item), parameters(item)
    if not (isinstance(declared.finding, str) and declared.finding and isinstance(declared.words, str)):
        found = f"finding is {declared.finding!r}, its words are {declared.words!r}"
        raise ClaimError(f"{item.nodeid}: its {found}; needed: two texts")
    if not isinstance(declared.source, Source):
        raise ClaimError(f"{item.nodeid}: its source is {declared.source!r}; needed: Source(document, section)")
    text = declared.words
    try:
        unknown = [name for _, name, _, _ in string.Formatter().parse(text) if name and name not in values]
    except ValueError as error:
        raise ClaimError(f"{item.nodeid}: the claim's words are {text!r} ({error}); write a brace as {{{{") from error
    if unknown:
        raise ClaimError(f"{item.nodeid}: the claim's words name {unknown}; the test has {sorted(values)}")
    return text.format(**values)


def arms_of(item: pytest.Item) -> dict[Hashable, Arm]:
    """The claim's arms by name for this test's parameters. Raises ClaimError for what are none."""
    return checked(item.nodeid, _called(item, _declared(item).arms))


def arms_at(item: pytest.Item, scale: str) -> dict[Hashable, Arm]:
    """Those of the claim's arms that a session at this scale trains. Raises ClaimError as arms_of()."""
    return {name: arm for name, arm in arms_of(item).items() if arm.quick or scale != "quick"}


def is_quick(item: pytest.Item) -> bool:
    """Whether scale quick has this test's claim."""
    quick = _declared(item).quick
    return bool(_called(item, quick)) if callable(quick) else quick


def metric_of(item: pytest.Item) -> Metric:
    """What the claim compares."""
    metric = _declared(item).metric
    if metric is None:
        return ACCURACY
    compared: Metric = _called(item, metric)
    return compared


def _declared(item: pytest.Item) -> Claim:
    """The claim that a test was declared to verify. Raises ValueError for an ordinary test."""
    declared = claim_of(item)
    if declared is None:
        raise ValueError(f"{item.nodeid} declares no claim")
    return declared


def _called(item: pytest.Item, declared: Callable[..., Any]) -> Any:
    """declared, called with the test's parameters that it names. Raises ClaimError for others, and if it raises."""
    values = parameters(item)
    if not callable(declared):
        raise ClaimError(
            f"{item.nodeid}: {declared!r} stands where a function of the test's parameters is wanted, such as "
            "`lambda: ...`"
        )
    wanted = list(inspect.signature(declared).parameters)
    missing = [name for name in wanted if name not in values]
    if missing:
        raise ClaimError(
            f"{item.nodeid}: {getattr(declared, '__name__', declared)}() takes {missing}, which the test is not "
            f"parametrised with; it has {sorted(values)}"
        )
    return called(item.nodeid, declared, {name: values[name] for name in wanted})
