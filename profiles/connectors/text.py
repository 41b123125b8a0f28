"""Text from a vendor, made fit to store and to show."""

from __future__ import annotations

from unicodedata import category

UNFIT = ("Cc", "Cs")


def plain(text: str, most: int) -> str:
    """A vendor's text made fit to store and show on one line: no control characters, at most `most` characters.

    PostgreSQL refuses NUL, and UTF-8 refuses lone surrogates. Marks of writing direction are kept: names need them.
    """
    if text.isprintable():
        return text if len(text) <= most else text[:most].rstrip()
    fit = (c if c.isprintable() or category(c) not in UNFIT else " " * (c in "\t\n\r") for c in text)
    return "".join(fit)[:most].strip()
