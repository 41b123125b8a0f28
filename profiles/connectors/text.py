"""Text from a vendor, made fit to store and to show."""

from __future__ import annotations

from unicodedata import category

UNFIT = ("Cc", "Cs")
UNREAD = "\ufffd"  # stands for what could not be read, so a text that has it is equal to no other


def plain(text: str, most: int) -> str:
    """A vendor's text made fit to store and show on one line: no control characters, at most `most` characters.

    PostgreSQL refuses NUL, and UTF-8 refuses lone surrogates. Marks of writing direction are kept: names need them.
    """
    if text.isprintable():
        return text if len(text) <= most else text[:most].rstrip()
    fit = (c if c.isprintable() or category(c) not in UNFIT else " " * (c in "\t\n\r") for c in text)
    return "".join(fit)[:most].strip()


def identity(text: str, most: int) -> str:
    """A vendor's text that says who somebody is, as it is; empty if it is damaged or longer than `most` characters.

    It is never repaired or shortened as `plain` does with other texts, since it could become somebody else's.
    """
    if len(text) > most or UNREAD in text:
        return ""
    return text if text.isprintable() or plain(text, most) == text else ""


def show_damaged(text: str, most: int) -> str:
    """An identity that is not whole, as a page shows it. It has a sign for what is missing, and leads to nobody."""
    shown = "".join(c if c.isprintable() or category(c) not in UNFIT else UNREAD for c in text)[:most]
    return shown if UNREAD in shown else shown[: most - 1] + UNREAD
