"""A session's settings as people read them."""

from __future__ import annotations

from pytest_claims.data.kinds import are_real, are_whole
from pytest_claims.defaults import TRITON
from pytest_claims.settings import Settings
from pytest_claims.train.device import capability, describe

# What a verdict makes of its test, where verdicts count.
_DECIDES = "REPRODUCED and TRANSFERS pass, OPEN neither passes nor fails, all others fail"


def device_words(settings: Settings) -> str:
    """The device, and how it multiplies where that is not as recipes say."""
    if settings.only_stored:
        return f"runs recorded on {settings.runs_of or 'any device'}, nothing is trained"
    if settings.ray:
        kind = "GPUs" if settings.device.type == "cuda" else "CPUs"
        return f"{kind} of a Ray cluster ({settings.ray}){arithmetic_words(settings)}"
    instructions = capability(settings.device)
    return describe(settings.device) + (f", {instructions}" if instructions else "") + arithmetic_words(settings)


def arithmetic_words(settings: Settings) -> str:
    """How devices compute where that is not the default, to be appended to a device's words; else ""."""
    tf32 = ", float32 products in TF32" if settings.tf32 else ""
    return tf32 + (", convolutions and batch norms by Triton kernels" if settings.kernels == TRITON else "")


def seeds_words(settings: Settings) -> str:
    """How many seeds an arm has."""
    first = f", from seed {settings.first_seed} on" if settings.first_seed else ""
    if len(settings.planned) == 1:
        return f"{settings.looks[0]} seeds{first}"
    *some, last = map(str, settings.looks)
    looks = f"{', '.join(some)} or {last}" if some else last
    return f"{looks} seeds, until a verdict stands{first}" if some else f"{looks} seeds (the first look){first}"


def meaning(settings: Settings, kind: str) -> str:
    """What verdicts on images of this kind mean in this session, in a sentence."""
    if settings.placebo:
        return "a placebo: all arms of a claim are the same network on other seeds, so there is no effect to find"
    if settings.enforced and are_whole(kind):
        return f"they speak of the documented findings: {_DECIDES}"
    if settings.enforced and are_real(kind):
        return f"they speak of the documented findings, on a sample of the images: {_DECIDES}"
    if settings.enforced:
        return f"they speak of your images, not of the sources': {_DECIDES}"
    return "a rehearsal: recipes are cut short, verdicts say nothing about the findings and fail no test by themselves"
