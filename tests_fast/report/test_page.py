"""The page: what is in it, and that it needs nothing beside it. tests_system has what a real browser makes of it."""

import collections
import dataclasses
import html.parser
import json
import math
import re

import jsonschema
import numpy as np
import pytest
from scipy import stats

from pytest_claims.report.page import write_page
from pytest_claims.report.page.images import class_names, confusion, confusion_figure, mistaken
from pytest_claims.report.page.intervals import of_mean, of_spread
from pytest_claims.report.page.panels import panels
from pytest_claims.report.page.write import anchors_of
from pytest_claims.report.session import SCHEMA, session_json
from pytest_claims.report.summary import summary_lines
from pytest_claims.types import Doubt, Method, Quantity, Shows
from tests_fast.report.sessions import DATA, SEEDS, opened, session


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A written page: (session, store, path)."""
    folder = tmp_path_factory.mktemp("page")
    store = opened(folder)
    came_to = session(store)
    root = folder / "root"
    (root / "claims").mkdir(parents=True)
    (root / "claims" / "test_x1_depth.py").write_text('"""X1. Activation and depth.\n\nMargins: <half>."""\n')
    return came_to, store, write_page(came_to, store, folder / "out", root=root, load=lambda name: DATA)


class Elements(html.parser.HTMLParser):
    """Every element's tag and attributes, and the text of all."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_and_needs_nothing_beside_it(made):
    came_to, _, path = made
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]
    text = path.read_text(encoding="utf-8")
    page = Elements(text)
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert max(collections.Counter(identifiers).values()) == 1
    for tag, attributes in page.elements:
        for name in ("href", "xlink:href", "src"):
            target = attributes.get(name)
            if target is not None and (tag, target) != ("a", "https://example.org/paper"):
                assert target.startswith("data:") or target[1:] in identifiers, (tag, target)
    assert set(re.findall(r"url\((.*?)\)", text)) <= {f"#{identifier}" for identifier in identifiers}
    assert not re.search(r"@import|<link[^>]+stylesheet|<script[^>]+src", text)
    # What claims and notes say is text, not markup.
    assert "relu beats sigmoid, <b>always</b>" in page.text
    for result in came_to.results:
        assert result.command in page.text
        assert str(result.source) in page.text
    assert ("a", {"href": "https://example.org/paper", "rel": "noopener"}) in page.elements
    assert "X1. Activation and depth." in page.text
    assert "Margins: <half>." in page.text
    assert "X2 batch" in page.text  # a module without a docstring
    assert "an effect found in 1 of 100" in page.text
    assert "3 min 20 s" in page.text


def test_every_picture_says_what_it_shows(made):
    came_to, _, path = made
    text = path.read_text(encoding="utf-8")
    pictures = [attributes for tag, attributes in Elements(text).elements if tag == "svg"]
    # A story of each of three modules, which has its accuracies. Then training curves of each, gradients by block and
    # by depth of the first, spreads of the second, two confusion matrices of the third. Then all effects.
    assert len(pictures) == 3 + (3 + 2 + 3) + 5
    assert all(len(attributes["aria-label"]) > 40 and attributes["role"] == "img" for attributes in pictures)
    deepest = next(arm for arm in came_to.results[0].arms if arm.label == "relu 3")
    assert f"relu 3 {deepest.mean:.2f} (documented 44.00)" in text
    for words in ("depth, blocks", "batch size, images", "test accuracy, %", "epoch", "predicted class", "true class"):
        assert f">{words}</text>" in text
    assert "$" not in text[text.index("<body>") : text.index("<script>")]  # no formula is left as its source
    images = [attributes for tag, attributes in Elements(text).elements if tag == "img"]
    assert len(images) == 2 * 20
    assert all(re.fullmatch(r"c\d, taken for c\d", attributes["alt"]) for attributes in images)


def test_arms_come_once_along_what_they_vary_in(made):
    came_to, store, _ = made
    names = [name for result in came_to.results for arm in result.arms for name in arm.runs]
    runs = store.named(names)
    by_depth, gradients = panels([j for j in came_to.results if j.finding.startswith("X1")], runs)
    assert (by_depth.axis.name, by_depth.series) == ("depth, blocks", ("relu", "sigmoid"))
    assert [point.x for point in by_depth.points if point.series == "relu"] == [1, 2, 3]
    assert (by_depth.measured, gradients.measured) == ("test accuracy, %", "gradient in training, log2")
    (by_batch,) = panels([j for j in came_to.results if j.finding.startswith("X2")], runs)
    assert (by_batch.axis.name, by_batch.axis.log) == ("batch size, images", 2)
    assert len(by_batch.points) == 8
    (orders,) = panels([j for j in came_to.results if j.finding == "X3"], runs)
    assert orders.axis is None
    assert [point.name for point in orders.points] == ["conv-norm-activation", "conv-activation-norm"]
    rehearsed = [dataclasses.replace(result, enforced=False) for result in came_to.results]
    assert all(point.arm.documented is None for panel in panels(rehearsed, runs) for point in panel.points)


def test_every_figure_has_the_most_seeds_that_a_claim_judged(made):
    came_to, store, _ = made
    whole = came_to.results[-1]
    few = tuple(
        dataclasses.replace(arm, **{name: getattr(arm, name)[:3] for name in ("seeds", "values", "runs")})
        for arm in whole.arms
    )
    wide = dataclasses.replace(whole, arms=few)
    narrow = dataclasses.replace(whole, nodeid=whole.nodeid + "[one]", arms=whole.arms[:1])
    (panel,) = panels([wide, narrow], store.named([name for arm in whole.arms for name in arm.runs]))
    assert [len(point.arm.values) for point in panel.points] == [5, 3]


def test_arms_of_a_placebo_differ_in_their_seeds_alone(made):
    came_to, store, _ = made
    arm = came_to.results[-1].arms[0]
    cut = [
        dataclasses.replace(arm, label=label, seeds=arm.seeds[part], values=arm.values[part], runs=arm.runs[part])
        for label, part in (("a", slice(0, 2)), ("b", slice(2, 5)))
    ]
    placebo = dataclasses.replace(came_to.results[-1], arms=tuple(cut), enforced=False)
    (panel,) = panels([placebo], store.named(arm.runs))
    assert [point.name for point in panel.points] == ["a", "b"]


def test_a_level_that_is_a_default_is_read_from_the_name(made):
    came_to, store, _ = made
    result = came_to.results[0]
    runs = store.named([name for arm in result.arms for name in arm.runs])
    for stored in runs.values():
        if stored.configuration["network"].get("depth") == 2:
            del stored.configuration["network"]["depth"]
    (panel,) = panels([result], runs)
    assert [point.x for point in panel.points if point.series == "sigmoid"] == [1, 2, 3]


def test_a_page_of_what_is_at_the_edge_can_be_made(made, tmp_path):
    came_to, store, _ = made
    first, *_, last = came_to.results
    odd = dataclasses.replace(
        last,
        claim="costs $5, not $\\lr$ {x} % <b>",
        verdict=dataclasses.replace(last.verdict, lower=-math.inf, upper=math.inf, p=math.nan),
        # All seeds alike: their mean and its interval differ in the last bit, if at all.
        arms=tuple(dataclasses.replace(arm, label=f"${arm.label}$", values=(100 / 3,) * 5) for arm in last.arms),
    )
    unstored = dataclasses.replace(first, arms=tuple(dataclasses.replace(arm, runs=()) for arm in first.arms))
    many = dataclasses.replace(DATA, class_names=tuple(f"a class with a long name, {n}" for n in range(10)))
    page = write_page(
        dataclasses.replace(came_to, results=(odd, unstored)), store, tmp_path, root=tmp_path, load=lambda _: many
    )
    text = page.read_text(encoding="utf-8")
    assert "costs $5, not $\\lr$ {x} % &lt;b&gt;" in text
    assert ">a class with …</text>" in text


def test_intervals_are_those_of_the_textbook():
    values = np.random.default_rng(1).normal(50, 3, 8)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert of_mean(values) == pytest.approx((expected.low, expected.high))
    draws = np.random.default_rng(2).normal(0, 2.0, (4000, 6))
    covered = [low <= 2.0 <= high for _, low, high in map(of_spread, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_confusion_counts_every_prediction(made):
    came_to, store, _ = made
    runs = list(store.named(came_to.results[-1].arms[0].runs).values())
    counts = np.zeros((10, 10))
    for stored in runs:
        for true, predicted in zip(DATA.test_labels.tolist(), stored.trained.predictions, strict=True):
            counts[true, predicted] += 1
    assert confusion(runs, DATA) == pytest.approx(counts / (6 * len(SEEDS)))
    # The same from counts alone, as published runs have them, without any image.
    published = []
    for stored in runs:
        pairs = 10 * DATA.test_labels.numpy() + stored.trained.predictions
        counted = tuple(np.bincount(pairs, minlength=100).tolist())
        trained = dataclasses.replace(stored.trained, predictions=(), confusion=counted)
        published.append(dataclasses.replace(stored, trained=trained))
    assert (confusion(published, None) == confusion(runs, DATA)).all()
    assert class_names("cifar10", DATA) == DATA.class_names
    assert ">airplane</text>" in confusion_figure("a", published, None, "#123456")
    grid = mistaken(runs, DATA)
    assert 0 < len(grid) <= 20
    assert all(image.true != image.predicted and 0 < image.share <= 1 for image in grid)
    assert [image.share for image in grid] == sorted((image.share for image in grid), reverse=True)


def test_the_json_is_what_its_schema_says(made):
    came_to, _, _ = made
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = json.loads(session_json(came_to))
    validator.validate(document)
    assert [claim["adjusted_p"] is None for claim in document["claims"]] == [False, False, False, True, True]
    # Every field is described, and none may go unnoticed.
    assert set(document) == set(schema["properties"])
    assert set(document["claims"][0]) == set(schema["$defs"]["claim"]["properties"])
    assert {name: schema["$defs"]["test"]["properties"][name]["enum"] for name in ("method", "shows")} == {
        "method": list(Method),
        "shows": list(Shows),
    }
    assert schema["$defs"]["quantity"]["enum"] == list(Quantity)
    assert schema["$defs"]["verdict"]["properties"]["doubt"]["enum"] == [*Doubt, None]
    first = came_to.results[0]
    endless = dataclasses.replace(first, verdict=dataclasses.replace(first.verdict, upper=math.inf, p=math.nan))
    found = json.loads(session_json(dataclasses.replace(came_to, results=(endless,))))
    validator.validate(found)
    assert found["claims"][0]["verdict"]["upper"] is None
    found["claims"][0]["verdict"]["outcome"] = "PERHAPS"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(found)


def test_the_totals_are_those_of_the_terminal(made):
    *_, batch, order = made[0].results
    results = (batch, dataclasses.replace(order, next_look=7, planned=(5, 7), images=False))
    said = next(line for line in summary_lines(results, 100) if line.startswith("2 claims: "))
    folder, came_to = made[2].parent, dataclasses.replace(made[0], results=results)
    page = write_page(came_to, made[1], folder / "open", root=folder).read_text(encoding="utf-8")
    shown = re.search(r'<ul class="totals">(.*?)</ul>', page, re.DOTALL).group(1)
    counts = re.findall(r"<b>(\d+)</b> <span[^>]+>([^<]+)<", shown)
    assert ", ".join(f"{count} {called}" for count, called in counts) == said.removeprefix("2 claims: ")
    assert ("1", "OPEN") in counts
    assert ">OPEN 5/7<" in page


def test_an_id_is_an_anchor_of_its_own(made):
    first = made[0].results[0]
    twins = [dataclasses.replace(first, id=id, nodeid=f"t.py::{at}") for at, id in enumerate(("a b", "a b", "table"))]
    anchors = list(anchors_of(twins).values())
    assert anchors[0] == "a-b"
    assert len({*anchors, "table"}) == 4
