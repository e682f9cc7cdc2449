"""What is trained on a cluster is what is trained here, wherever the code comes from."""

import contextlib
import sqlite3

from tests_system.ray.conftest import passed

# A network of a test module, one of a module beside the claims, one of models/; an optimiser of conftest.py; five seeds
# side by side, and single ones.
CLAIMS = """
    import dataclasses

    from torch import nn

    from claims.helpers import Wide
    from models import DepthCNN
    from pytest_claims import Arm, Recipe, Source, claim
    from pytest_claims.stacked import StackedClassifier, StackedLinear

    SOURCE = Source("A paper", "Table 1")
    ALONE = Recipe(images_per_class=8, batch=20, epochs=2, optimizer="slow", lr=0.05)
    SIDE_BY_SIDE = Recipe(images_per_class=8, batch=8, epochs=2, optimizer="adamw", lr=0.01, test_every_epoch=True)


    @dataclasses.dataclass(frozen=True)
    class Linear:
        classes: int = 5

        def build(self, seeds=1):
            return StackedClassifier(nn.Identity(), StackedLinear(3 * 32 * 32, self.classes, seeds))


    def arms():
        here = {name: Arm(Linear(), {"rehearsal": recipe}) for name, recipe in (("a", ALONE), ("b", SIDE_BY_SIDE))}
        helped = {"c": Arm(Wide(32, classes=5), {"rehearsal": ALONE})}
        model = DepthCNN(2, "relu", width=4, classes=5)
        return here | helped | {"d": Arm(model, {"rehearsal": SIDE_BY_SIDE}), "e": Arm(model, {"rehearsal": ALONE})}


    @claim("T1", "networks are the same", source=SOURCE, arms=arms)
    def test_equal(lab):
        lab.assert_no_difference("abcde", within=90.0)
"""
HELPERS = """
    import dataclasses

    from torch import nn

    from pytest_claims.stacked import StackedClassifier, StackedLinear


    @dataclasses.dataclass(frozen=True)
    class Wide:
        width: int
        classes: int = 5

        def build(self, seeds=1):
            layers = [StackedLinear(3 * 32 * 32, self.width, seeds)]
            return StackedClassifier(nn.Identity(), StackedLinear(3 * 32 * 32, self.classes, seeds))
"""
CONFTEST = """
import torch

from pytest_claims.optimisers import Optimiser, register

pytest_plugins = ["pytest_claims.plugin.hooks"]


def make(parameters, recipe, options, device):
    return torch.optim.SGD(parameters, recipe.lr / 2)


register(Optimiser("slow", make, elementwise=True))
"""


def rows(store):
    """Of each run all that training decides, by its key."""
    names = "key, test_accuracy, curves, diverged, test_images, records"
    with contextlib.closing(sqlite3.connect(store)) as opened:
        return {row[0]: row[1:] for row in opened.execute(f"SELECT {names} FROM runs")}


def test_results_are_equal_to_the_last_bit(two_nodes, folder):
    folder.write(CLAIMS)
    folder.write(HELPERS, "helpers.py")
    (folder.folder / "conftest.py").write_text(CONFTEST)
    (folder.folder / "pytest.ini").write_text((folder.folder / "pytest.ini").read_text() + "pythonpath = .\n")
    here = folder.start("--store", "here.sqlite")
    assert here.ended() == 0, here.text
    there = folder.start("--ray", "auto", "--store", "there.sqlite", address=two_nodes.address)
    assert there.ended() == 0, there.text
    assert "2 nodes, 2 CPUs" in there.text
    local, remote = rows(folder.folder / "here.sqlite"), rows(folder.folder / "there.sqlite")
    assert len(local) == 3 * 3 + 2 * 5
    assert remote == local


def test_a_claim_whose_training_raises_fails_and_others_go_on(two_nodes, folder):
    folder.claims(3, on_node="assert self.number != 2, 'on purpose'")
    session = folder.start("--ray", "auto", address=two_nodes.address)
    assert session.ended() == 1
    assert passed(session.text) == 2
    assert "Linear(2) batch 20" in session.text
    assert "AssertionError: on purpose" in session.text
    assert 12 <= session.runs <= 15  # its other network may have been trained by then


def test_a_session_elsewhere_trains_on_the_cluster(two_nodes, folder):
    folder.claims(2)
    session = folder.start("--ray", two_nodes.client_address)
    assert session.ended() == 0, session.text
    assert session.runs == 12
    assert len(folder.nodes_used) == 2


def test_two_sessions_on_one_store_train_nothing_twice(two_nodes, folder):
    folder.claims(4, on_node="time.sleep(0.1)")
    both = [folder.start("--ray", "auto", "-p", "no:cacheprovider", address=two_nodes.address) for _ in range(2)]
    assert [session.ended() for session in both] == [0, 0]
    trained = [int(session.text.split("runs trained in this session: ")[1].split(",")[0]) for session in both]
    assert sum(trained) == both[0].runs == 24
