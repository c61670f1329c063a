"""What the person at the keyboard can mend: shown as one line, without a traceback."""

from __future__ import annotations


class MendableError(Exception):
    """Base of errors whose message says what is wrong with what was given, and what to do."""
