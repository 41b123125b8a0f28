"""Where a benchmark runs: a database that may be emptied, and the product's own settings around it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit


def database(wanted: str, scratch: Path) -> str:
    """The URL of the database. Raises SystemExit unless its name says that it may be emptied."""
    if wanted == "sqlite":
        return f"sqlite:///{scratch / 'benchmark.sqlite3'}"
    if not urlsplit(wanted).path.rpartition("/")[2].startswith("benchmark"):
        raise SystemExit("The database is emptied, so its name must begin with benchmark.")
    return wanted


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "SAMSAAS_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "LOG_LEVEL": "WARNING",
    }
