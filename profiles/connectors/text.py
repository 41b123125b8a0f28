"""Text from a vendor, made fit to store and to show."""

from __future__ import annotations

from unicodedata import category

UNFIT = ("Cc", "Cs")


def plain(text: str, most: int) -> str:
    """A vendor's text fit to store and show on one line: no control characters, at most `most` characters.

    NUL is refused by PostgreSQL and lone surrogates by UTF-8; marks of writing direction stay, names need them.
    """
    if text.isprintable():
        return text if len(text) <= most else text[:most].rstrip()
    fit = (c if c.isprintable() or category(c) not in UNFIT else " " * (c in "\t\n\r") for c in text)
    return "".join(fit)[:most].strip()
