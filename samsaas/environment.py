"""Settings from the environment. An error names the variable and never shows its value."""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
DATABASES = {"sqlite", "postgres", "postgresql"}
# What follows the name of the protocol, and the port where none is named. `smtps` means one thing to some programs and
# another to others, so it is none of them.
MAIL_SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}
MAIL_FORM = (
    "an address: smtp+tls://user:password@host:587 (STARTTLS), smtp+ssl://user:password@host:465 or smtp://host:25, "
    "special characters percent-encoded"
)
SOURCE_FORM = "an absolute path of a folder, or an https address without a password in it"
DAYS_FORM = "days such as 2026-12-24, or 12-25 for every year, separated by commas"
DATABASE_FORM = (
    "an address: sqlite:///path or postgres://user:password@host:5432/name, special characters percent-encoded"
)
ASSIGNMENT = re.compile(r"(?:export )?[A-Za-z_0-9]+=.*")  # what environ reads of a line
log = logging.getLogger(__name__)


class Environment(environ.Env):
    """`environ.Env`, but an empty variable counts as not set, because docker compose passes unset ones as empty.

    Every variable can also come from a file: `SECRET_KEY_FILE` names the one with the `SECRET_KEY`. Raises
    `ImproperlyConfigured` with the variable's name if a value cannot be read. The message leaves the value out,
    because a broken address often contains a password.

    Values are taken as they are. `environ.Env` would look up what follows a `$` at the beginning, and show it if there
    is no variable of that name: a secret key may begin so.
    """

    @classmethod
    def read_env(cls, env_file: str | os.PathLike[str]) -> None:
        """Take up the lines of a file, if it exists. Of one that is not understood the log shows the number alone."""
        try:
            lines = Path(env_file).read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for number, line in enumerate(lines, start=1):
            if line.strip() and not line.startswith("#") and not ASSIGNMENT.fullmatch(line):
                log.warning("Line %s of %s is left out: it has to be NAME=value.", number, env_file)
        super().read_env(io.StringIO("\n".join(filter(ASSIGNMENT.fullmatch, lines))))

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        text = self.read_file(var)
        if text is None:
            text = self.ENVIRON.get(var, "")
            if not text.strip():
                if default is self.NOTSET:
                    raise ImproperlyConfigured(f"{var} is not set.")
                return default
        return self.parse_value(text, cast)

    def read_file(self, var: str) -> str | None:
        """The content of the file that `<var>_FILE` names, without its last line end; None if no file is named."""
        path = self.ENVIRON.get(f"{var}_FILE", "").strip()
        if not path:
            return None
        if self.ENVIRON.get(var, "").strip():
            raise ImproperlyConfigured(f"{var} and {var}_FILE are both set. Keep one of them.")
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError):
            raise ImproperlyConfigured(f"{var}_FILE names a file that cannot be read.") from None

    def text_readable_by(self, var: str, default: str, *, read: Callable[[str], object], form: str) -> str:
        """The variable's text, if `read` accepts it without a ValueError. `form` describes what is accepted."""
        value: str = self.str(var, default=default)
        try:
            read(value)
        except ValueError:
            raise ImproperlyConfigured(f"{var} has to be {form}.") from None
        return value

    def bool(self, var: str, default: bool) -> bool:
        """Accepts only the words in TRUE and FALSE. `environ.Env` would take any other word as false."""
        value = str(self.get_value(var, cast=str, default=default)).strip().lower()
        if value not in TRUE | FALSE:
            raise ImproperlyConfigured(f"{var} has to be true or false.")
        return value in TRUE

    def int(self, var: str, default: int, *, least: int = 1) -> int:
        number = int(self.text_readable_by(var, str(default), read=int, form="a whole number"))
        if number < least:
            raise ImproperlyConfigured(f"{var} has to be {least} or more.")
        return number

    def one_of(self, var: str, default: str, *, words: tuple[str, ...]) -> str:
        return self.text_readable_by(var, default, read=words.index, form=f"one of {', '.join(words)}")

    def zone(self, var: str, default: str) -> str:
        return self.text_readable_by(var, default, read=_parse_zone, form="a time zone such as Europe/Paris")

    def time_of_day(self, var: str, default: str) -> str:
        return self.text_readable_by(var, default, read=_parse_time_of_day, form="a time of day such as 02:00")

    def address(self, var: str, default: str) -> str:
        form = "an address such as scheme://host:port, special characters of a password percent-encoded"
        return self.text_readable_by(var, default, read=_parse_address, form=form)

    def people_source(self, var: str) -> str:
        """Where the file of people comes from by itself: a folder, an https address, or nowhere."""
        return self.text_readable_by(var, "", read=_parse_people_source, form=SOURCE_FORM)

    def mail_server(self, var: str, default: str = "") -> dict[str, Any]:
        """Django's `EMAIL_…` settings. `EMAIL_HOST` is empty where no server is named."""
        address = self.text_readable_by(var, default, read=_parse_mail_server, form=MAIL_FORM)
        return _parse_mail_server(address)

    def days(self, var: str) -> list[str]:
        """Days as `YYYY-MM-DD`, and as `MM-DD` those of every year."""
        text = self.text_readable_by(var, "", read=_parse_days, form=DAYS_FORM)
        return _parse_days(text)

    def db_url(self, var: str = "DATABASE_URL", default: str = "", engine: None = None) -> dict[str, Any]:
        """An entry for Django's DATABASES."""
        address = self.text_readable_by(var, default, read=_parse_database, form=DATABASE_FORM)
        found: dict[str, Any] = self.db_url_config(address)
        return found


def _parse_zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, OSError) as error:
        raise ValueError(value) from error


def _parse_time_of_day(value: str) -> datetime:
    return datetime.strptime(value, "%H:%M")  # noqa: DTZ007 - a time of day has no zone


def _parse_address(value: str) -> str:
    parts = urlsplit(value)
    return f"{parts.hostname}:{parts.port}"  # both properties parse late and raise ValueError


def _parse_people_source(value: str) -> str:
    parts = urlsplit(value)
    is_address = parts.scheme == "https" and bool(parts.hostname) and not parts.username and "#" not in value
    if value and not is_address and not Path(value).is_absolute():
        raise ValueError("neither a folder nor an https address")
    return value


def _parse_mail_server(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    if not value:
        return {"EMAIL_HOST": "", "EMAIL_PORT": 0, "EMAIL_HOST_USER": "", "EMAIL_HOST_PASSWORD": ""}
    if parts.scheme not in MAIL_SCHEMES or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("no mail server")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("a user without a password, or a password without a user")
    found: dict[str, Any] = environ.Env.email_url_config(value)
    found["EMAIL_PORT"] = parts.port or MAIL_SCHEMES[parts.scheme]
    return {name: "" if given is None else given for name, given in found.items()}


def _parse_days(value: str) -> list[str]:
    days = [day.strip() for day in value.split(",") if day.strip()]
    for day in days:
        # A leap year, so that 02-29 is a day.
        date.fromisoformat(day if day.count("-") == 2 else f"2028-{day}")
    return days


def _parse_database(value: str) -> dict[str, Any]:
    if value.partition("://")[0] not in DATABASES:
        raise ValueError("unknown scheme")
    found: dict[str, Any] = environ.Env.db_url_config(value)
    return found
