"""Passwords that are guessed first, though they are long: words, names and patterns with something around them.

zxcvbn knows the commonest passwords and words, their reversed, doubled, upper-case and leet forms, dates and keyboard
patterns, and estimates how many guesses a password takes. Two things are added. The names of product, company and
account count as the commonest words. And one word decorated to the length that is asked for (`Summer2026!!`) is judged
by the word, because the decoration is what every guesser tries first. No kind of character is asked for or refused.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from zxcvbn import matching, zxcvbn

from profiles import connectors

PRODUCT = ("samsaas", "software asset workspace", "core ui")
LEGAL_FORMS = ("corp", "corporation", "company", "group", "gmbh", "holding", "inc", "limited", "ltd", "plc")
FEWEST_GUESSES = 10**8
FEWEST_GUESSES_OF_A_CORE = 10**6
MOST_DECORATION = 8
LONGEST_JUDGED = 72  # zxcvbn takes no longer text; whatever follows can only be better
# How many readings of a text (`count_readings`), times the square of its length. 100,000 take about 50 ms.
MOST_WORK = 100_000
SHORTEST_NAME = 3
DECORATION = re.compile(r"\A[\W\d_]+|[\W\d_]+\Z")
GUESSABLE = (
    "This password is easy to guess: it is a common word, a name, a date or a pattern, or one of them decorated. "
    "Take several words that have nothing to do with one another."
)
HELP = (
    "Your password can’t be built on one common word, on a pattern, or on the name of the product, the company or "
    "yourself. Several words that have nothing to do with one another are good."
)


class GuessableValidator:
    """A validator for AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises `ValidationError` if the password is guessed too soon."""
        password, names = password[:LONGEST_JUDGED], [*company_names(), *names_of(user)]
        few = count_guesses(password, names) < FEWEST_GUESSES
        if few or is_decorated_word(password, names) or is_decorated_name(password, names):
            raise ValidationError(GUESSABLE, code="password_guessable")

    def get_help_text(self) -> str:
        return HELP


def count_guesses(password: str, names: list[str]) -> float:
    """About how many guesses the password takes if the names are among the first words that are tried."""
    text = judged_part(password)
    return float(zxcvbn(text, user_inputs=names)["guesses"]) if text else 0


def judged_part(password: str) -> str:
    """The beginning that is judged quickly: the signs of the whole may stand for letters in a thousand ways."""
    length = min(len(password), LONGEST_JUDGED)
    while count_readings(password[:length]) * length**2 > MOST_WORK:
        length -= 1
    return password[:length]


def count_readings(text: str) -> int:
    """At most how many texts zxcvbn looks up: one for each choice of what `4`, `@`, `(` and others stand for.

    A sign that can stand for two letters leaves a choice more.
    """
    readings, seen = 1, set[str]()
    for signs in matching.L33T_TABLE.values():
        found = {sign for sign in signs if sign in text}
        readings *= len(found) + len(found & seen) or 1
        seen |= found
    return readings


def is_decorated_word(password: str, names: list[str]) -> bool:
    """Whether more than half of it is one common word, with digits and signs before or after it."""
    core = DECORATION.sub("", password)
    return 2 * len(core) >= len(password) > len(core) and count_guesses(core, names) < FEWEST_GUESSES_OF_A_CORE


def is_decorated_name(password: str, names: list[str]) -> bool:
    """Whether little is left of it without the names of product, company and account."""
    lower = password.lower()
    left = re.sub("|".join(map(re.escape, sorted(names, key=len, reverse=True))), "", lower) if names else lower
    short = len(left) <= MOST_DECORATION and not DECORATION.sub("", left)
    return left != lower and (short or count_guesses(left, names) < FEWEST_GUESSES_OF_A_CORE)


def company_names() -> list[str]:
    """The names of product, vendors and company, whole and by their words, and those in the host of PUBLIC_URL."""
    host = (urlsplit(settings.PUBLIC_URL).hostname or "").split(".")
    vendors = [label for _, label in connectors.choices()]
    return split_names([*PRODUCT, *LEGAL_FORMS, *vendors, *settings.COMPANY_NAMES, *host[:-1]])


def names_of(user: Any) -> list[str]:
    """What an account is called."""
    fields = ("username", "first_name", "last_name", "email")
    return split_names([str(getattr(user, field, "") or "") for field in fields])


def split_names(names: list[str]) -> list[str]:
    """Each name in lower case, without blanks, and each of its words."""
    found = {re.sub(r"\W", "", name.lower()) for name in names}
    found |= {word for name in names for word in re.split(r"[\W_]+", name.lower())}
    return sorted(name for name in found if len(name) >= SHORTEST_NAME)
