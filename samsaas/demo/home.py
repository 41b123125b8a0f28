"""The folder with the demo's database, keys, logs and sandbox state, and the settings the demo runs with."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from cryptography.fernet import Fernet

LOOPBACK = "127.0.0.1"
MADE = ("samsaas.*", "sandbox.*", "demo.log", "static", "clock")
# Variables of a real installation that would make the demo's pages unreachable.
NOT_HERE = {"ALLOWED_HOSTS", "TRUST_PROXY", "SECURE_SSL_REDIRECT"}
CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aeiou"


class AlreadyRunning(Exception):
    """Another demo process holds the folder's lock."""


class DemoFolder:
    """The demo's folder. It exists from the first `write_settings` on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.environment_file = self.folder / "samsaas.env"
        self.log_file = self.folder / "demo.log"
        self.sandbox_state = self.folder / "sandbox.json"

    def exists(self) -> bool:
        return self.environment_file.exists()

    def write_settings(self, *, port: int, sandbox_port: int) -> None:
        """Write the settings file. Keys are made once; addresses follow the ports of each start. Needs `hold_lock`."""
        kept = {  # a folder of an older release lacks the later ones
            "SECRET_KEY": secrets.token_urlsafe(50),
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "AUDIT_SIGNING_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            **self._read_settings(),
        }
        self._replace_settings(kept | self._settings_for_ports(port, sandbox_port))

    def _settings_for_ports(self, port: int, sandbox_port: int) -> dict[str, str]:
        # Cookies ignore ports. With another host name the sandbox never receives the application's session cookie.
        vendor = f"http://{LOOPBACK}:{sandbox_port}"
        static = self.folder / "static"
        static.mkdir(exist_ok=True)
        return {
            "PUBLIC_URL": f"http://localhost:{port}",
            "DATABASE_URL": f"sqlite:///{quote(str(self.folder / 'samsaas.sqlite3'))}",
            "CELERY_BROKER_URL": "memory://",
            "SERVE_UNCOLLECTED_STATIC": "true",
            "STATIC_ROOT": str(static),
            "SANDBOX": "true",
            "EMAIL_URL": "",  # mails are kept in the outbox
            "MAIL_ANY_HOUR": "true",
            "DROPBOX_AUTHORIZE_URL": f"{vendor}/oauth2/authorize",
            "DROPBOX_TOKEN_URL": f"{vendor}/oauth2/token",
            "DROPBOX_API_URL": vendor,
        }

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Hold the folder's lock; a process that is killed releases it. Raises `AlreadyRunning`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AlreadyRunning from error
            yield

    def delete_files(self) -> None:
        """Delete the files the demo made and leave all others alone. Needs `hold_lock`."""
        for path in [found for pattern in MADE for found in self.folder.glob(pattern)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def process_environment(self) -> dict[str, str]:
        """The environment for the serving process. Variables that would override the demo's settings are left out."""
        own = self._read_settings()
        kept = {name: value for name, value in os.environ.items() if name not in own and name not in NOT_HERE}
        return {**kept, "SAMSAAS_ENV_FILE": str(self.environment_file)}

    def _read_settings(self) -> dict[str, str]:
        if not self.exists():
            return {}
        lines = self.environment_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def _replace_settings(self, values: dict[str, str]) -> None:
        draft = self.environment_file.with_suffix(".draft")
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())
        draft.replace(self.environment_file)


def readable_password() -> str:
    """A random password of four groups of two syllables, such as `bodi-kavu-mepo-ratu`: about 50 bits."""
    choose = secrets.choice
    return "-".join("".join(choose(CONSONANTS) + choose(VOWELS) for _ in range(2)) for _ in range(4))
