"""What placebos found, kept for later sessions."""

import datetime

from pytest_claims.judge.placebo_record import PlaceboRecord
from pytest_claims.runs.store import Store


def test_the_last_placebo_of_a_scale_and_a_kind_of_images_is_kept(tmp_path):
    path = tmp_path / "runs.sqlite"
    Store(path)
    assert PlaceboRecord(path).last("documented", "cifar") == ()
    PlaceboRecord(path).keep("documented", "cifar", ["first"])
    PlaceboRecord(path).keep("documented", "svhn", ["others"])
    PlaceboRecord(path).keep("documented", "cifar", ["second", "with more"])
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    assert PlaceboRecord(path).last("documented", "cifar") == (f"{today}: second", f"{today}: with more")
    assert PlaceboRecord(path).last("full", "cifar") == ()
