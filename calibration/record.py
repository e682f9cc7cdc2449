"""One measured rate as a row, kept in a folder until the page is made of all of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

# What `make calibrate` writes and the page reads.
FOLDER = Path(".claims") / "calibration"


@dataclasses.dataclass(frozen=True)
class Row:
    """section: of the page. what, truth, noise, seeds: of the cell, in words. share: measured. bound: promised, None
    where nothing is. least: the bound is from below (power). experiments: that the rate was measured by."""

    section: str
    what: str
    truth: str
    noise: str
    seeds: str
    share: float
    bound: float | None
    least: bool = False
    experiments: int = 10_000

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.share >= self.bound if self.least else self.share <= self.bound

    def save(self) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(" ".join((self.section, self.what, self.truth, self.noise, self.seeds)).encode())
        (FOLDER / f"{name.hexdigest()[:20]}.json").write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")


def saved() -> list[Row]:
    """All rows in the folder."""
    return [Row(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(FOLDER.glob("*.json"))]
