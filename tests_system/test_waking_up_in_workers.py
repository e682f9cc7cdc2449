"""The plugin wakes up in the same way where xdist's workers collect."""

from tests_fast.plugin.test_activation import (
    elsewhere,  # noqa: F401, a fixture
    leaves_a_session_without_claims,
    says_what_keeps_it_from_waking_up,
    wakes_for_a_claim_anywhere,
)


def test_a_session_without_claims_is_left_as_it_is(pytester, elsewhere):
    leaves_a_session_without_claims(pytester, elsewhere, workers=2)


def test_a_claim_anywhere_wakes_the_plugin(suite, elsewhere):
    wakes_for_a_claim_anywhere(suite, elsewhere, workers=1)


def test_what_keeps_the_plugin_from_waking_up_is_said(suite, elsewhere):
    says_what_keeps_it_from_waking_up(suite, elsewhere, workers=1)
