"""A bad claim fails for itself also where xdist's workers collect."""

from tests_system.plugin.test_bad_claims import bad, fails_for_itself  # noqa: F401, a fixture


def test_each_fails_for_itself_and_the_good_one_is_judged(bad):
    fails_for_itself(bad, "-n", "2")
