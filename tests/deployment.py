"""What `make check` runs: the checks of a production installation, with throw-away keys."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile

from cryptography.fernet import Fernet

COMMANDS = (
    ("check", "--deploy", "--fail-level", "WARNING"),
    ("makemigrations", "--check", "--dry-run"),
    ("collectstatic", "--noinput", "--verbosity", "0"),
)


def production(static_root: str) -> dict[str, str]:
    """The environment of an installation behind https."""
    return {
        **os.environ,
        "SAMSAAS_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "PUBLIC_URL": "https://samsaas.example.com",
        "CELERY_BROKER_URL": "redis://localhost:6379/0",
        "STATIC_ROOT": static_root,
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as static_root:
        codes = [
            subprocess.run([sys.executable, "manage.py", *command], env=production(static_root), check=False).returncode  # noqa: S603
            for command in COMMANDS
        ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
