"""What --data means: for each data set, which images serve as it, decided before any are loaded."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pytest_claims.data.dataset import DataError
from pytest_claims.data.kinds import FOLDERS, SYNTHETIC, joined
from pytest_claims.data.spec import registered, spec_of

# What --data takes beside a path.
NAMED = ("auto", "real", "synthetic")


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What serves as one data set.

    kind: of its images (kinds.py). folder: where they are; None for synthetic images. why: the reason, for people.
    download: fetch first what is missing.
    """

    kind: str
    folder: Path | None
    why: str
    download: bool = False

    def __str__(self) -> str:
        where = "synthetic images" if self.folder is None else f"{self.kind} at {self.folder}"
        return f"{where} ({self.why})"


@dataclasses.dataclass(frozen=True)
class Choice:
    """What a session was asked for with --data.

    rule: "auto", "real" or "synthetic" as asked; "files" for a path with data sets, "folders" for one with class
    folders. folder: that path; else where downloads go. scale: of the recipes that the images must suffice for.
    download: whether missing files may be fetched at all.
    """

    rule: str
    folder: Path
    scale: str = "documented"
    download: bool = True

    @property
    def offline(self) -> Choice:
        """The same images, as far as they are on disk."""
        return dataclasses.replace(self, download=False)

    def of(self, name: str) -> Chosen:
        """What serves as the data set of this name. Raises DataError if it is not registered."""
        spec = spec_of(name)
        if self.rule == "synthetic":
            return Chosen(SYNTHETIC, None, self.why)
        if self.rule == "folders":
            return Chosen(FOLDERS, self.folder, self.why)
        if self.rule == "files":
            return Chosen(spec.family, self.folder, self.why)
        if self.rule == "real":
            return Chosen(spec.family, self.folder, self.why, self.download)
        if spec.on_disk(self.folder):
            return Chosen(spec.family, self.folder, "found on disk")
        if self.scale == "rehearsal":
            return Chosen(SYNTHETIC, None, f"not in {self.folder}; a rehearsal downloads nothing unasked")
        return Chosen(spec.family, self.folder, f"scale {self.scale} needs it", self.download)

    def downloads(self, name: str) -> bool:
        """Whether the data set of this name is still to be downloaded; not one that is not registered."""
        known = {spec.name: spec for spec in registered()}.get(name)
        if known is None or known.loader is None or known.on_disk(self.folder):
            return False
        return self.of(name).download

    @property
    def kind(self) -> str:
        """Of what serves as the registered data sets together, before it is known which of them are needed."""
        return joined(self.of(spec.name).kind for spec in registered())

    @property
    def why(self) -> str:
        """The rule in words, without paths."""
        return {
            "synthetic": "as asked with --data synthetic",
            "real": "as asked with --data real",
            "files": "as asked with --data",
            "folders": "class folders, as asked with --data",
        }.get(self.rule) or (
            "what is on disk; a rehearsal downloads nothing unasked"
            if self.scale == "rehearsal"
            else "what is on disk, else downloaded"
        )

    def __str__(self) -> str:
        if self.rule == "synthetic":
            return f"synthetic images ({self.why})"
        if self.rule == "folders":
            return f"{FOLDERS} at {self.folder} ({self.why})"
        there = ", ".join(spec.name for spec in registered() if spec.on_disk(self.folder))
        if not self.download and self.rule in ("auto", "real") and not there:
            return f"the images that runs were recorded on, which need not be here (none in {self.folder})"
        if self.rule != "auto":
            return f"{there or 'real images'} at {self.folder} ({self.why})"
        found = f"{there} at {self.folder} (found on disk); " if there else ""
        others = "other data sets" if there else "real images"
        if self.scale == "rehearsal":
            if not there:
                return f"synthetic images (no {others} in {self.folder}; a rehearsal downloads nothing unasked)"
            return f"{found}synthetic images for {others}; a rehearsal downloads nothing unasked"
        return f"{found}{others} are downloaded into {self.folder} (scale {self.scale} needs them)"


def choose(option: str, scale: str, home: Path) -> Choice:
    """What --data means at this scale; home is the folder into which data sets are downloaded.

    auto: a data set in home is taken from there; for another one, synthetic images serve at scale rehearsal, and at
    the other scales it is downloaded. real: every data set as it is, downloaded into home where it is missing.
    synthetic: synthetic images for all. Else the path of a folder: with train/ and test/ its images serve as every data
    set, otherwise it holds data sets.

    Raises DataError if a path is missing or holds nothing that can be used.
    """
    if option in NAMED:
        return Choice(option, home, scale)
    folder = Path(option).expanduser()
    if not folder.is_dir():
        allowed = f"{', '.join(NAMED)}, or the path of an existing folder"
        raise DataError(f"--data {option}: no such folder. Allowed: {allowed}. {_FOLDERS}")
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        return Choice("folders", folder, scale)
    # An .npz may be of a data set that a module of claims registers later.
    if not any(folder.glob("*.npz")) and not any(spec.on_disk(folder) for spec in registered()):
        wanted = [f"{spec.name}.npz" for spec in registered()]
        wanted += [file for spec in registered() if spec.loader for file in spec.loader.files]
        raise DataError(f"--data {option}: the folder holds none of {', '.join(wanted)}, train/ and test/. {_FOLDERS}")
    return Choice("files", folder, scale)


_FOLDERS = (
    "A folder holds <name>.npz of a data set (layout in docs/images.md), the files that torchvision downloads, or "
    "train/<class>/* and test/<class>/* of your own images. `python -m pytest_claims.data` downloads CIFAR-10 and "
    "CIFAR-100 into data/ (about 330 MB), with `data NAME` behind it another data set; --data synthetic takes "
    "synthetic images, on which verdicts say nothing about real ones"
)
