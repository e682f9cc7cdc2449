"""Real Ray clusters of several nodes on this machine, and real sessions on them, each a process of its own."""

import contextlib
import importlib.util
import itertools
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests_fast.plugin.conftest import furnish

ROOT = Path(__file__).resolve().parents[2]

# Claims whose network is defined beside them, and whose building shows that it is built on a node: there, and only
# there, it writes into the folder {folder} on which node it was, and does what {on_node} says.
CLAIMS = """
    import dataclasses
    import os
    import time

    import pytest
    from torch import nn

    from pytest_claims import Arm, Recipe, Source, claim
    from pytest_claims.stacked import StackedClassifier, StackedLinear

    SOURCE = Source("A paper", "Table 1")
    RECIPE = Recipe(images_per_class=8, batch=20, epochs=2, optimizer="sgd", lr=0.05)


    @dataclasses.dataclass(frozen=True)
    class Linear:
        number: int
        classes: int = 5

        def build(self, seeds=1):
            if "_ray_pkg_" in os.getcwd():
                import ray

                open("{folder}/" + ray.get_runtime_context().get_node_id(), "a").write(f"{{self.number}}\\n")
                {on_node}
            return StackedClassifier(nn.Identity(), StackedLinear(3 * 32 * 32, self.classes, seeds))


    def arms(number):
        return {{name: Arm(Linear(2 * number + place), {{"rehearsal": RECIPE}}) for place, name in enumerate("ab")}}


    @pytest.mark.parametrize("number", range({claims}))
    @claim("T1", "networks {{number}} are the same", source=SOURCE, arms=arms)
    def test_equal(lab, number):
        lab.assert_within("a", "b", within=90.0)
"""


# Ray gives way to all else on a machine, which on a busy one takes minutes.
NOT_NICE = {"RAY_worker_niceness": "0"}


def pytest_collection_modifyitems(items):
    missing = importlib.util.find_spec("ray") is None
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("ray")
            if missing:
                item.add_marker(pytest.mark.skip(reason='needs Ray: pip install -c constraints.txt -e ".[ray]"'))


class Nodes:
    """A head node, which trains nothing, and nodes of one CPU each."""

    def __init__(self, count):
        from ray.cluster_utils import Cluster

        os.environ |= NOT_NICE
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.client_address = f"ray://127.0.0.1:{port}"
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100 * 2**20}
        head["ray_client_server_port"] = port
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address, self._numbers = self._cluster.address, itertools.count()
        self.all = [self.add() for _ in range(count)]

    def add(self, **options):
        """One more node. options: of Cluster.add_node."""
        # On one machine nodes would share the folder of what travels to them, and unpack it over one another.
        place = f"runtime_resources_{next(self._numbers)}"
        memory = 100 * 2**20
        return self._cluster.add_node(num_cpus=1, object_store_memory=memory, runtime_env_dir_name=place, **options)

    def kill(self, node):
        """kill -9 all processes of a node."""
        self._cluster.remove_node(node, allow_graceful=False)

    def kill_head(self):
        self._cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False)

    def close(self):
        with contextlib.suppress(Exception):
            self._cluster.shutdown()


@pytest.fixture(scope="module")
def two_nodes():
    """For tests that leave it as it was."""
    nodes = Nodes(2)
    yield nodes
    nodes.close()


@pytest.fixture
def nodes_of():
    """A cluster of one's own, with so many nodes."""
    with contextlib.ExitStack() as opened:

        def made(count):
            nodes = Nodes(count)
            opened.callback(nodes.close)
            return nodes

        yield made


class Session:
    """pytest in a folder of claims, in a process of its own, whose output goes to a file."""

    def __init__(self, folder, arguments, address, number):
        self.store, self._output = folder / ".claims" / "runs.sqlite", folder / f"output{number}.txt"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "PYTEST_"))}
        environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **NOT_NICE}
        if address:
            environment["RAY_ADDRESS"] = address
        command = [sys.executable, "-m", "pytest", "claims", "--scale", "rehearsal", "--data", "images", *arguments]
        with open(self._output, "w") as output:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def ended(self, timeout=300):
        """Its exit status, once it has ended."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"the session did not end:\n{self.text}") from None

    def interrupt(self):
        """Ctrl-C, which reaches all processes of a terminal's foreground; returns the exit status and the seconds."""
        began = time.monotonic()
        os.killpg(self._process.pid, signal.SIGINT)
        return self.ended(30), time.monotonic() - began

    def kill(self):
        self._process.kill()

    @property
    def text(self):
        return self._output.read_text()

    @property
    def runs(self):
        """How many runs are stored."""
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self.store)) as store:
            return store.execute("SELECT count(*) FROM runs").fetchone()[0]
        return 0

    def wait_for(self, condition, timeout=200):
        """Wait until something is so, as long as the session runs."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert self._process.poll() is None, f"the session ended before:\n{self.text}"
            assert time.monotonic() < deadline, f"it did not come:\n{self.text}"
            time.sleep(0.1)


class Suite:
    """A folder with claims."""

    def __init__(self, folder, images):
        self.folder, self.used = folder, folder / "used"
        self.used.mkdir()
        furnish(folder, images, "")
        self._sessions = []

    def write(self, text, name="test_width.py"):
        (self.folder / "claims" / name).write_text(textwrap.dedent(text))

    def claims(self, count, on_node="pass"):
        """Have so many claims of two networks each. on_node: what building one does on a node."""
        self.write(CLAIMS.format(folder=self.used, claims=count, on_node=on_node))

    def start(self, *arguments, address=""):
        session = Session(self.folder, arguments, address, len(self._sessions))
        self._sessions.append(session)
        return session

    def close(self):
        for session in self._sessions:
            session.kill()

    @property
    def nodes_used(self):
        """On which nodes networks were built, by Ray's id."""
        return {path.name for path in self.used.iterdir()}


@pytest.fixture
def folder(tmp_path, images):
    suite = Suite(tmp_path, images)
    yield suite
    suite.close()


def passed(text):
    """How many tests passed, by pytest's last line."""
    found = re.findall(r"(\d+) passed", text)
    return int(found[-1]) if found else 0
