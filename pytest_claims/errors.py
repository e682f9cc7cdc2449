"""Errors for the person at the terminal."""


class ExplainedError(Exception):
    """An error whose text says what is wrong and what to do; a traceback would hide it.

    It ends a claim's test, a plan or a session with its text alone.
    """
