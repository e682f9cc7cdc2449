"""What --data means: for each data set, which images serve as it, decided before any are loaded."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from pytest_claims.data.dataset import DataError
from pytest_claims.data.kinds import FOLDERS, SAMPLE, joined
from pytest_claims.data.sample import FOLDER, is_there
from pytest_claims.data.spec import DatasetSpec, registered, spec_of
from pytest_claims.types import Recipe

# What --data takes beside a path.
NAMED = ("auto", "real", "sample")


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What serves as one data set.

    kind: of its images (kinds.py). folder: where they are. why: the reason, for people. download: fetch first what is
    missing.
    """

    kind: str
    folder: Path
    why: str
    download: bool = False

    def __str__(self) -> str:
        return f"{self.kind} at {self.folder} ({self.why})"


@dataclasses.dataclass(frozen=True)
class Choice:
    """What a session was asked for with --data.

    rule: "auto", "real" or "sample" as asked; "files" for a path with data sets, "folders" for one with class folders.
    folder: that path; else where downloads go. scale: of the recipes that the images must suffice for. sample: the
    folder of samples, where auto may take one; None where it may not. download: whether missing files may be fetched at
    all.
    """

    rule: str
    folder: Path
    scale: str = "documented"
    sample: Path | None = None
    download: bool = True

    @property
    def offline(self) -> Choice:
        """The same images, as far as they are on disk."""
        return dataclasses.replace(self, download=False)

    def of(self, name: str) -> Chosen:
        """What serves as the data set of this name. Raises DataError if it is not registered."""
        spec = spec_of(name)
        if self.rule == "folders":
            return Chosen(FOLDERS, self.folder, self.why)
        if self.rule == "files":
            return Chosen(spec.family, self.folder, self.why)
        if self.rule == "sample":
            return Chosen(SAMPLE, self.folder, self.why)
        if self.rule == "real":
            return Chosen(spec.family, self.folder, self.why, self.download)
        if spec.on_disk(self.folder):
            return Chosen(spec.family, self.folder, "found on disk")
        if self._takes_sample(spec):
            assert self.sample
            return Chosen(SAMPLE, self.sample, "the whole set is not on disk")
        return Chosen(spec.family, self.folder, "no sample serves" if self.sample else "needed whole", self.download)

    def served(self, name: str, kind: str) -> str:
        """What serves as a data set, in words, now that its images are loaded and their kind is known (kinds.py)."""
        chosen = self.of(name)
        if kind == chosen.kind:
            return str(chosen)
        if kind == SAMPLE:
            return str(dataclasses.replace(chosen, kind=SAMPLE))
        return f"images of your own, for they are not those of {name}, at {chosen.folder} ({chosen.why})"

    def unverified(self) -> list[str]:
        """Files that count as a published data set only if their fingerprint is its own, which loading them shows."""
        files = []
        for spec in registered():
            chosen, file = self.of(spec.name), f"{spec.name}.npz"
            if spec.fingerprint and chosen.kind == spec.family and os.path.isfile(chosen.folder / file):
                files.append(file)
        return files

    def lacks(self, name: str, recipe: Recipe) -> str:
        """Why the sample does not suffice for this recipe, in a sentence; "" where it does, or where it does not serve.

        Raises DataError for an unknown data set.
        """
        spec = spec_of(name)
        if self.of(name).kind != SAMPLE:
            return ""
        if spec.sample is None:
            return f"{name} has no sample. {spec.ways}"
        has, wanted = spec.sample.train, recipe.images_per_class
        if wanted is not None and wanted <= has:
            return ""
        wants = f"{wanted} a class" if wanted else "the whole training set"
        fetched = f"; `python -m pytest_claims.data data {name}` fetches it whole" if spec.loader else ""
        return f"the sample of {name} has {has} training images a class, and the recipe takes {wants}{fetched}"

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
        if self._as_recorded:
            return "the images that the runs were recorded on"
        return {
            "sample": "as asked with --data sample",
            "real": "as asked with --data real",
            "files": "as asked with --data",
            "folders": "class folders, as asked with --data",
        }.get(self.rule) or (
            "whole sets on disk, else the sample" if self.sample else "what is on disk, else downloaded"
        )

    def __str__(self) -> str:
        if self.rule in ("folders", "sample"):
            return f"{FOLDERS if self.rule == 'folders' else 'the sample'} at {self.folder} ({self.why})"
        there = [spec for spec in registered() if spec.on_disk(self.folder)]
        names = ", ".join(spec.name for spec in there)
        sampled = ", ".join(spec.name for spec in registered() if self._takes_sample(spec) and spec not in there)
        if self._as_recorded and not there and not sampled:
            return f"the images that runs were recorded on, which need not be here (none in {self.folder})"
        if self.rule != "auto":
            return f"{names or 'real images'} at {self.folder} ({self.why})"
        parts = [f"{names} at {self.folder} (found on disk)"] if there else []
        parts += [f"the sample of {sampled} at {self.sample} (not whole in {self.folder})"] if sampled else []
        if self.download:
            parts.append(f"{'other data sets' if parts else 'real images'} are downloaded into {self.folder}")
        return "; ".join(parts)

    @property
    def _as_recorded(self) -> bool:
        """Whether the images need not be here: nothing is trained on them."""
        return self.rule in ("auto", "real") and not self.download

    def _takes_sample(self, spec: DatasetSpec) -> bool:
        """Whether auto takes the sample of a data set that is not on disk."""
        return self.rule == "auto" and self.sample is not None and spec.sample is not None


def choose(option: str, scale: str, home: Path, sample: Path | None = None, *, whole: bool = False) -> Choice:
    """What --data means at this scale.

    home: the folder into which data sets are downloaded. sample: the folder of samples, if there is to be one. whole:
    whether auto leaves the sample alone.

    auto: a data set in home is taken from there. For another one its sample serves, if it has one. Otherwise it is
    downloaded. real: every data set as it is, downloaded into home where it is missing. sample: samples alone. Else the
    path of a folder: with train/ and test/ its images serve as every data set, otherwise it holds data sets.

    Raises DataError if a path is missing or holds nothing that can be used, or if there is no sample that was asked
    for.
    """
    if option == "sample":
        if sample is None or not is_there(sample):
            where = f" at {sample}" if sample else ""
            raise DataError(
                f"--data sample: there is no sample{where}. A sample belongs to the repository of the claims and not "
                f"to the installed package: `git checkout -- {FOLDER}` restores it where it was deleted. {_FOLDERS}"
            )
        return Choice(option, sample, scale)
    if option in NAMED:
        taken = sample if option == "auto" and not whole and sample is not None and is_there(sample) else None
        return Choice(option, home, scale, taken)
    folder = Path(option).expanduser()
    if not os.path.isdir(folder):  # which is False where pathlib raises: below what may not be searched
        allowed = f"{', '.join(NAMED)}, or the path of an existing folder"
        raise DataError(f"--data {option}: no such folder. Allowed: {allowed}. {_FOLDERS}")
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise DataError(f"--data {option}: the folder cannot be read ({error.strerror}). {_FOLDERS}") from error
    if os.path.isdir(folder / "train") and os.path.isdir(folder / "test"):
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
    "CIFAR-100 into data/ (about 330 MB), with `data NAME` behind it another data set"
)
