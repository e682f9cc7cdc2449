"""Many bad claims and a good one: each bad one fails for itself and says what was wanted; the good one runs.

One real session a mode for all of them.
"""

import re

import pytest

from tests_fast.plugin.conftest import write

CLAIMS = """
    import dataclasses
    import sys
    import pytest
    from torch import nn
    from pytest_claims.types import Arm, Recipe, Source
    from pytest_claims.judge.decorator import claim
    from pytest_claims.judge.metric import gradient
    from models import DepthCNN

    SOURCE = Source("A paper", "Table 1", repetitions=5)
    RECIPE = Recipe(images_per_class=4, batch=10, epochs=1, optimizer="sgd", lr=0.05)
    GOOD = DepthCNN(1, "relu", width=2, classes=5)


    def arm(network=GOOD, dataset="cifar10", **changes):
        recipe = dataclasses.replace(RECIPE, **changes)
        return Arm(network, {"rehearsal": recipe}, dataset=dataset)


    class Plain:
        pass


    @dataclasses.dataclass
    class Mutable:
        classes: int = 5


    @dataclasses.dataclass(frozen=True)
    class Builds:
        what: str
        classes: int = 5

        def build(self, seeds):
            if self.what == "nothing":
                raise ZeroDivisionError("on purpose")
            if self.what == "an exit":
                sys.exit("on purpose")
            if self.what == "no memory":
                raise MemoryError("on purpose")
            module = nn.Linear(3, 5) if self.what == "a layer" else nn.Sequential()
            if self.what == "no blocks":
                module.seeds, module.blocks = seeds, []
            return 7 if self.what == "a number" else module


    def raises(error):
        raise error("on purpose")


    def b():
        return {"b": arm()}


    BAD = {
        "plain": lambda: {"a": arm(Plain())} | b(),
        "class": lambda: {"a": arm(DepthCNN)} | b(),
        "module": lambda: {"a": arm(nn.Linear(3, 5))} | b(),
        "none": lambda: {"a": arm(None)} | b(),
        "mutable": lambda: {"a": arm(Mutable())} | b(),
        "no-arm": lambda: {"a": 7} | b(),
        "no-arms": lambda: None,
        "list": lambda: [arm(), arm()],
        "one-name": lambda: {1: arm(), "1": arm()},
        "recipes": lambda: {"a": Arm(GOOD, {"rehearsal": None})} | b(),
        "raises": lambda: raises(ZeroDivisionError),
        "exits": lambda: raises(SystemExit),
        "skips": lambda: pytest.skip("on purpose"),
        "lr-0": lambda: {"a": arm(lr=0.0)} | b(),
        "lr-negative": lambda: {"a": arm(lr=-1.0)} | b(),
        "lr-nan": lambda: {"a": arm(lr=float("nan"))} | b(),
        "lr-inf": lambda: {"a": arm(lr=float("inf"))} | b(),
        "lr-text": lambda: {"a": arm(lr="fast")} | b(),
        "batch": lambda: {"a": arm(batch=2.5)} | b(),
        "optimiser": lambda: {"a": arm(optimizer="nope")} | b(),
        "data-set": lambda: {"a": arm(dataset="mnist")} | b(),
        "nothing": lambda: {"a": arm(Builds("nothing"))} | b(),
        "an-exit": lambda: {"a": arm(Builds("an exit"))} | b(),
        "no-memory": lambda: {"a": arm(Builds("no memory"))} | b(),
        "a-number": lambda: {"a": arm(Builds("a number"))} | b(),
        "a-layer": lambda: {"a": arm(Builds("a layer"))} | b(),
        "no-blocks": lambda: {"a": arm(Builds("no blocks"))} | b(),
    }


    @pytest.mark.parametrize("bad", list(BAD))
    @claim("B1", "bad {bad}", source=SOURCE, arms=lambda bad: BAD[bad]())
    def test_bad(lab, bad):
        lab.assert_within("a", "b", within=50.0)


    def good():
        return {"a": arm(), "b": arm(batch=20)}


    @claim("D1", "one of two with one id", source=SOURCE, arms=good)
    def test_one(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("d1", "the other", source=SOURCE, arms=good)
    def test_other(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("W1", "with {words} that no one knows", source=SOURCE, arms=good)
    def test_words(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim(7, None, source="a book", arms=good)
    def test_types(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("M1", "its metric raises", source=SOURCE, arms=good, metric=lambda: raises(ZeroDivisionError))
    def test_metric(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("W2", "by {} points", source=SOURCE, arms=good)
    def test_unnamed(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("A1", "its arms are no function", source=SOURCE, arms=good())
    def test_mapping(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("M2", "its metric is no function", source=SOURCE, arms=good, metric=gradient("at initialisation"))
    def test_metric_itself(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("Q1", "what is quick names a parameter that there is not", source=SOURCE, arms=good, quick=lambda dept: dept)
    def test_quick(lab):
        lab.assert_within("a", "b", within=50.0)


    @claim("N1", "an arm that no one declared", source=SOURCE, arms=good)
    def test_names(lab):
        lab.assert_within("a", "c", within=50.0)


    @claim("G1", "good", source=SOURCE, arms=good)
    def test_good(lab):
        lab.assert_within("a", "b", within=50.0)
"""

# By test: what is said of it. Those of TRAINED are found where they are trained, or planned, and not before.
LR = r"raises ValueError: Recipe\.lr is {}; allowed: a number > 0 \(test_width\.py, line \d+\)"
REFUSED = {
    "plain": "arm 'a': Plain is no frozen dataclass; a network is a frozen dataclass with a field `classes: int`",
    "class": r"arm 'a': DepthCNN is a class; give an instance of it, as DepthCNN\(\.\.\.\)",
    "module": "arm 'a': Linear is a torch module, which holds weights; a network is a frozen dataclass",
    "none": "arm 'a': NoneType is no frozen dataclass",
    "mutable": "arm 'a': Mutable is no frozen dataclass",
    "no-arm": r"arm 'a' is 7; needed: Arm\(network, ",
    "no-arms": "its arms are None; needed: a mapping from names to arms",
    "list": r"its arms are \[Arm\(.*; needed: a mapping from names to arms",
    "one-name": "arm '1' reads as arm 1 does; give each a name of its own",
    "recipes": r"arm 'a' has the recipe None; needed: Recipe\(\.\.\.\)",
    "raises": r"raises ZeroDivisionError: on purpose \(test_width\.py, line \d+\)",
    "exits": r"raises SystemExit: on purpose \(test_width\.py, line \d+\)",
    "skips": "raises Skipped: on purpose",
    "lr-0": LR.format(r"0\.0"),
    "lr-negative": LR.format(r"-1\.0"),
    "lr-nan": LR.format("nan"),
    "lr-inf": LR.format("inf"),
    "lr-text": LR.format("'fast'"),
    "batch": r"raises ValueError: Recipe\.batch is 2\.5; allowed: an integer >= 1",
    "optimiser": "Recipe.optimizer is 'nope'; allowed: 'sgd'",
}
TRAINED = {
    "data-set": "unknown data set 'mnist'; known: cifar10",
    "nothing": "does not build for 2 seeds: ZeroDivisionError: on purpose",
    "an-exit": "does not build for 2 seeds: SystemExit: on purpose",
    "no-memory": r"MemoryError: on purpose|for want of memory \(on purpose\)",
    "a-number": r"\.build gives a int; needed: a torch\.nn\.Module",
    "a-layer": r"\.build\(2\) gives a module whose attribute `seeds` is missing; needed: 2",
    "no-blocks": "has no parameter to train; give it one",
}
OTHERS = {
    "test_one": "its id D1 is also that of claims/test_width.py::test_other; give each a finding of its own",
    "test_other": "its id d1 is also that of claims/test_width.py::test_one; give each a finding of its own",
    "test_words": r"the claim's words name \['words'\]; the test has \[\]",
    "test_types": "its finding is 7, its words are None; needed: two texts",
    "test_unnamed": "what it declares raises IndexError: ",
    "test_mapping": "stands where a function of the test's parameters is wanted",
    "test_metric_itself": r"Metric\(.* stands where a function of the test's parameters is wanted",
    "test_quick": r"<lambda>\(\) takes \['dept'\], which the test is not parametrised with",
    "test_metric": r"raises ZeroDivisionError: on purpose \(test_width\.py, line \d+\)",
}
NAMES = "'c' is no arm of this claim; declared: 'a', 'b'"
SAID = [*REFUSED.values(), *OTHERS.values()]


@pytest.fixture
def bad(run, suite):
    """Run a session on all of these claims; returns what pytest does, checked for what no session may show."""
    write(suite, CLAIMS)

    def session(*options):
        found = run(*options)
        text = found.stdout.str() + found.stderr.str()
        assert "INTERNALERROR" not in text
        assert "Traceback" not in text
        assert not re.search(r"^\S*pytest_claims/\S+\.py:\d+: ", text, re.MULTILINE)
        return found, re.sub(r"\s+", " ", text)

    return session


def assert_said(text, *parts):
    assert not [part for part in parts if not re.search(part, text)]


def test_each_fails_for_itself_and_the_good_one_is_judged(bad):
    fails_for_itself(bad)


def fails_for_itself(bad, *workers):
    found, text = bad(*workers, "-v")
    found.assert_outcomes(passed=1, failed=len(TRAINED) + 1, errors=len(REFUSED) + len(OTHERS))
    assert_said(text, *SAID, *TRAINED.values(), NAMES, "G1 REHEARSED")
    assert found.ret == 1


def test_they_are_collected(bad):
    found, text = bad("--collect-only", "-q")
    assert found.ret == 0
    assert f"{len(REFUSED) + len(TRAINED) + len(OTHERS) + 2} tests collected" in text


def test_the_plan_names_them_and_plans_the_others(bad):
    found, text = bad("--plan")
    assert found.ret == 1
    assert_said(
        text, *SAID, *TRAINED.values(), "^.*2 claims at 3 seeds; nothing is trained", "DepthCNN on cifar10 2 8 0"
    )
    assert text.count("ERROR: not planned, for it will fail: ") == len(SAID) + len(TRAINED)


def test_the_good_one_is_judged_by_what_is_stored(bad, run):
    run("-k", "G1").assert_outcomes(passed=1)
    found, text = bad("--stored", "-v")
    assert_said(text, *SAID, "G1 REHEARSED")
    # Too little memory to find what is stored is no reason to pass over it.
    found.assert_outcomes(passed=1, failed=2, errors=len(SAID), skipped=len(TRAINED) - 1)
    found, text = bad("--explain", "B1,G1,D1,M1", "--scale", "rehearsal")
    assert found.ret == 0
    assert_said(text, *REFUSED.values(), "NOT JUDGED: B1-plain", ": G1, good")
