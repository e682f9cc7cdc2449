"""What a person sees: the failing assertion, the summary of a session, the plan."""

from pytest_claims.report.facts import session_lines
from pytest_claims.report.failure import failure_text
from pytest_claims.report.junit import junit_properties
from pytest_claims.report.markdown import results_page
from pytest_claims.report.summary import summary_lines

__all__ = ["failure_text", "junit_properties", "results_page", "session_lines", "summary_lines"]
