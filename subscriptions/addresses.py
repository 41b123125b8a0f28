"""Which e-mail addresses are accepted. How they are compared is in `samsaas.lib.text_forms`."""

from __future__ import annotations

import re
import unicodedata

from subscriptions.models import PersonAddress, normalize_address

MOST_ADDRESSES = 20
LONGEST_ADDRESS = PersonAddress._meta.get_field("address").max_length or 0
ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# What directories write in front of an address. Entries of the other kinds are no e-mail addresses.
MAIL_KINDS = ("smtp", "mailto", "email", "e-mail", "mail")
OTHER_KINDS = ("x500", "x400", "sip", "eum", "tel", "notes", "spo")
KIND = re.compile(rf"({'|'.join((*MAIL_KINDS, *OTHER_KINDS))})\s*:\s*", re.IGNORECASE)
NAMED = re.compile(r"([^<>;\n]*)<\s*(?:mailto:)?([^<>\s]+)\s*>")  # Ann Lee <ann@example.com>
SEPARATORS = re.compile(r"[;,|\s]+")
QUOTES = "\"'“”‘’<>"


def split_addresses(text: str) -> list[str]:
    """The addresses in a cell, without what mail servers and mail programs write around them."""
    if ":" not in text and "<" not in text:  # as nearly always
        return _bare(SEPARATORS.split(text.strip()))
    found: list[str] = []
    for entry in re.split(r"[;\n]", NAMED.sub(_drop_name, text)):
        kinds = list(KIND.finditer(entry))
        if kinds and not entry[: kinds[0].start()].strip() and kinds[0][1].lower() in OTHER_KINDS:
            continue
        found += SEPARATORS.split(KIND.sub(" ", entry).strip())
    return _bare(found)


def _bare(found: list[str]) -> list[str]:
    return [address for one in found if (address := one.strip(QUOTES))]


def _drop_name(found: re.Match[str]) -> str:
    """The address in the brackets, and what stands before the name and is an address, too."""
    before = [part for part in SEPARATORS.split(found[1]) if "@" in part]
    return f"{' '.join(before)} {found[2]} "


def checked_addresses(given: list[str]) -> list[str]:
    """The addresses of a person from a form or a file, normalized, each once.

    Raises `ValueError` that names all bad ones.
    """
    found = list(dict.fromkeys(normalize_address(address) for address in given if address.strip()))
    if bad := [f"“{address[:60]}”" for address in found if not _is_address(address)]:
        if len(bad) == 1:
            raise ValueError(f"{bad[0]} is not an e-mail address.")
        others = f" and {len(bad) - MOST_ADDRESSES:,} more" if len(bad) > MOST_ADDRESSES else ""
        raise ValueError(f"{', '.join(bad[:MOST_ADDRESSES])}{others} are not e-mail addresses.")
    if len(found) > MOST_ADDRESSES:
        raise ValueError(f"More than {MOST_ADDRESSES} e-mail addresses.")
    return found


def _is_address(text: str) -> bool:
    hidden = not text.isascii() and any(unicodedata.category(letter) == "Cf" for letter in text)
    return not hidden and len(text) <= LONGEST_ADDRESS and not CONTROL.search(text) and bool(ADDRESS.fullmatch(text))
