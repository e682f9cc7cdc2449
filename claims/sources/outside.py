"""Outside anchors for the effects that the other sources report."""

from __future__ import annotations

from pytest_claims import Source

GROUP_NORMALIZATION = Source(
    "Wu & He, Group Normalization (2018)",
    "Validation error by images per worker",
    url="https://arxiv.org/abs/1803.08494",
    elsewhere=True,
)
# ResNet-50 on ImageNet, validation error in percent.
BATCH_NORM_ERROR = {32: 23.6, 16: 23.7, 8: 24.8, 4: 27.3, 2: 34.7}
GROUP_NORM_ERROR = {32: 24.1, 16: 24.2, 8: 24.0, 4: 24.2, 2: 24.1}

CAFFENET = Source(
    "Mishkin et al., caffenet-benchmark",
    "Batch normalization before or after the non-linearity",
    url="https://github.com/ducha-aiki/caffenet-benchmark",
    elsewhere=True,
)
