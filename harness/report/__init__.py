"""What a person sees: the failing assertion, the summary of a session, the plan."""

from harness.report.facts import session_lines
from harness.report.failure import failure_text
from harness.report.junit import junit_properties
from harness.report.markdown import results_page
from harness.report.summary import summary_lines

__all__ = ["failure_text", "junit_properties", "results_page", "session_lines", "summary_lines"]
