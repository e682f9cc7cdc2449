"""A session as one self-contained HTML page: verdicts, figures and what they were measured with."""

from pytest_claims.report.page.write import write_page

__all__ = ["write_page"]
