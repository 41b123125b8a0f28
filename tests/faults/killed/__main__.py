"""`python -m tests.faults.killed --points gate --database URL --broker URL`: kill workers, and print what it came to.

A real PostgreSQL and Redis, celery's own worker processes, the sandbox over HTTP and a mail server. Half of the
accounts are restored, of the others the files are moved. One line of JSON says what became of them, and what is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from tests.faults.killed.points import IN_THE_GATE, POINTS

CHOICES = {"gate": IN_THE_GATE, "all": POINTS}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", choices=CHOICES, default="gate")
    parser.add_argument("--database", required=True)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--accounts", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=400)
    chosen = parser.parse_args(arguments)
    from profiles.connectors.dropbox.sandbox import Sandbox, serving  # noqa: PLC0415 - plain Python, without Django
    from profiles.connectors.dropbox.sandbox.team import Team  # noqa: PLC0415
    from tests import mail_server  # noqa: PLC0415

    sandbox = Sandbox([Team("Nordwind Trading", "nordwind.example", 300, 400)])
    vendor = serving.serve(sandbox, "localhost").start()
    with tempfile.TemporaryDirectory(prefix="samsaas-killed-") as folder, mail_server.run() as post:
        there = f"http://localhost:{vendor.server_address[1]}"
        os.environ.update(environment(there, post.port, chosen, Path(folder)))
        import django  # noqa: PLC0415 - the environment comes first

        django.setup()
        from tests.faults.killed.scenario import Scenario  # noqa: PLC0415

        found = Scenario(sandbox, post, Path(folder), CHOICES[chosen.points], chosen.accounts).play(chosen.seconds)
    vendor.shutdown()
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def environment(vendor: str, mail_port: int, chosen: argparse.Namespace, folder: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "SAMSAAS_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "AUDIT_SIGNING_KEY": Fernet.generate_key().decode(),
        "DATABASE_URL": chosen.database,
        "CELERY_BROKER_URL": chosen.broker,
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "MAIL_FROM": "samsaas@example.com",
        "MAIL_ANY_HOUR": "true",
        "STATIC_ROOT": "var",
        "KILL_POINTS": str(folder / "points"),
        "DROPBOX_AUTHORIZE_URL": f"{vendor}/oauth2/authorize",
        "DROPBOX_TOKEN_URL": f"{vendor}/oauth2/token",
        "DROPBOX_API_URL": vendor,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
