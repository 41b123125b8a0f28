"""The web server as an operator starts it, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests import servers

ROOT = Path(__file__).parents[3]
EMBEDDED = """
import sys
from samsaas.web_server.embedded import EmbeddedServer
from samsaas.web_server.application import load_application
EmbeddedServer("127.0.0.1", int(sys.argv[1]), load_application()).serve_forever()
"""
WAYS = ("gunicorn", "embedded")


class Running:
    """A web server that answers on `port`; `temp` is where it may put files."""

    def __init__(self, port: int, temp: Path, log: Path) -> None:
        self.port, self.temp, self.log = port, temp, log

    def get(self, path: str, timeout: float = 10.0) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": "localhost:8000"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            answer.read()
        return answer


def environment(folder: Path, port: int) -> dict[str, str]:
    (folder / "temp").mkdir(exist_ok=True)
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SAMSAAS_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite:///{folder}/database.sqlite3",
        "SERVE_UNCOLLECTED_STATIC": "true",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",  # never called
        "STATIC_ROOT": str(folder),
        "WEB_BIND": f"127.0.0.1:{port}",
        "TMPDIR": str(folder / "temp"),
    }


@contextlib.contextmanager
def running(folder: Path, way: str, **more: str) -> Iterator[Running]:
    port = servers.free_port()
    command = {
        "gunicorn": ["gunicorn", "--config", "samsaas/gunicorn_conf.py"],
        "embedded": [sys.executable, "-c", EMBEDDED, str(port)],
    }[way]
    log = folder / f"{way}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(folder, port) | more, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        servers.wait_for_port(port, process)
        yield Running(port, folder / "temp", log)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module", params=WAYS)
def server(request: Any, tmp_path_factory: Any) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp(request.param), request.param) as started:
        started.get("/healthz", timeout=30)
        yield started
