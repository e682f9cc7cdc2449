"""Where a cluster is: what --ray takes."""

from __future__ import annotations

import re

# A cluster that this machine is a node of; one that is started on this machine and ends with the session.
AUTO, LOCAL = "auto", "local"
# Where a head node takes sessions from elsewhere, if it was not told another port.
CLIENT_PORT = 10001
ALLOWED = f"{AUTO} (a cluster that this machine is a node of), {LOCAL} (all of this machine) or ray://HOST:PORT"

_REMOTE = re.compile(r"ray://(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(:(?P<port>\d{1,5}))?/?")


def cluster_address(text: str) -> str:
    """The address as Ray takes it. Raises ValueError, which names what is allowed."""
    if text in (AUTO, LOCAL):
        return text
    found = _REMOTE.fullmatch(text)
    if not found or not 0 < int(found["port"] or CLIENT_PORT) < 65536:
        raise ValueError(f"{text!r} is no cluster; allowed: {ALLOWED}")
    return f"ray://{found['host']}:{found['port'] or CLIENT_PORT}"


def host_and_port(address: str) -> tuple[str, int]:
    """Of an address that has both: "ray://HOST:PORT" or "HOST:PORT"."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return host.strip("[]"), int(port)
