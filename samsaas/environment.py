"""Reading settings from the environment, so that a mistake says which variable, and never what it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
DATABASES = {"sqlite", "postgres", "postgresql"}
DATABASE_FORM = (
    "an address: sqlite:///path or postgres://user:password@host:5432/name, special characters percent-encoded"
)


class Environment(environ.Env):
    """`environ.Env`, where a variable that is set to nothing counts as not set: docker compose passes such ones on.

    Raises `ImproperlyConfigured`, naming the variable, where a value cannot be read. Values stay out of the message:
    a broken address is often one with a password in it.
    """

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        if default is not self.NOTSET and not self.ENVIRON.get(var, "").strip():
            return default
        return super().get_value(var, cast=cast, default=default, parse_default=parse_default)

    def checked(self, var: str, default: str, *, read: Callable[[str], object], form: str) -> str:
        """The text, once `read` has taken it without a ValueError; `form` says what it should be."""
        value: str = self.str(var, default=default)
        try:
            read(value)
        except ValueError:
            raise ImproperlyConfigured(f"{var} has to be {form}.") from None
        return value

    def bool(self, var: str, default: bool) -> bool:
        """Only what is plainly yes or no: "maybe" would silently be no."""
        value = str(self.get_value(var, cast=str, default=default)).strip().lower()
        if value not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{var} has to be true or false.")
        return value in TRUE

    def int(self, var: str, default: int, *, least: int = 1) -> int:
        number = int(self.checked(var, str(default), read=int, form="a whole number"))
        if number < least:
            raise ImproperlyConfigured(f"{var} has to be {least} or more.")
        return number

    def one_of(self, var: str, default: str, *, words: tuple[str, ...]) -> str:
        return self.checked(var, default, read=words.index, form=f"one of {', '.join(words)}")

    def zone(self, var: str, default: str) -> str:
        return self.checked(var, default, read=_zone, form="a time zone such as Europe/Paris")

    def time_of_day(self, var: str, default: str) -> str:
        return self.checked(var, default, read=_time_of_day, form="a time of day such as 02:00")

    def address(self, var: str, default: str) -> str:
        form = "an address such as scheme://host:port, special characters of a password percent-encoded"
        return self.checked(var, default, read=_address, form=form)

    def db_url(self, var: str = "DATABASE_URL", default: str = "", engine: None = None) -> dict[str, Any]:
        """A database for Django's DATABASES."""
        address = self.checked(var, default, read=_database, form=DATABASE_FORM)
        found: dict[str, Any] = self.db_url_config(address)
        return found


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, OSError) as error:
        raise ValueError(value) from error


def _time_of_day(value: str) -> datetime:
    return datetime.strptime(value, "%H:%M")  # noqa: DTZ007 - a time of day has no zone


def _address(value: str) -> str:
    parts = urlsplit(value)
    return f"{parts.hostname}:{parts.port}"  # both are read late, and raise ValueError


def _database(value: str) -> dict[str, Any]:
    if value.partition("://")[0] not in DATABASES:
        raise ValueError("unknown scheme")
    found: dict[str, Any] = environ.Env.db_url_config(value)
    return found
