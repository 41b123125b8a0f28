"""A log line is one line, whoever wrote what into it. It says when; a refused page says who wanted what from where."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from profiles.jobs import execute
from samsaas.lib.log_lines import CONTROLS, JsonFormatter
from tests import deployment, factories, servers
from tests.samsaas.sign_in_world import guess
from tests.samsaas.test_redaction import log

pytestmark = pytest.mark.one_database

__all__ = ["log"]  # a fixture
ROOT = Path(__file__).parent.parent.parent
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 [A-Z]+ [\w.]+ \S")
EVIL = [
    "ann\n2026-01-01T00:00:00.000+00:00 INFO samsaas.sign_in Sign-in of root",
    "ann\r2026-01-01 INFO forged",
    "ann\r\nforged",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "\x9b31mC1",
    "a\x85b\u2028c\u2029d\x0be\x0cf",
    "\u202egnp.exe\u2066x",
    "zero\u200bwidth\ufeff",
    "nul\0",
    "\ud800 lone",
    "tag\U000e0041",
]


def lines_of(text: str) -> list[str]:
    """Lines as a program splits them that takes every line end for one."""
    return text.removesuffix("\n").splitlines()


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_begins_a_line_or_moves_a_terminal(log: io.StringIO, evil: str) -> None:
    logging.getLogger(f"of.{evil}").warning("before %s after", evil)
    logging.getLogger("anything").warning(evil)
    assert len([line for line in lines_of(log.getvalue()) if " celery." not in line]) == 2
    assert not CONTROLS.search(log.getvalue().replace("\n", ""))
    log.getvalue().encode()


@pytest.mark.parametrize("evil", EVIL)
def test_a_traceback_keeps_its_lines_and_none_of_them_passes_for_a_record(log: io.StringIO, evil: str) -> None:
    try:
        raise ValueError(evil)
    except ValueError:
        logging.getLogger("anything").exception("it broke", stack_info=True)
    first, *further = lines_of(log.getvalue())
    assert LINE.match(first) and len(further) > 5
    assert all(line.startswith("    | ") for line in further)
    assert any("ValueError: " in line for line in further)


def test_ordinary_text_of_every_script_stays_readable(log: io.StringIO) -> None:
    logging.getLogger("anything").warning("Żółć 李小龙 مريم 👩‍👩‍👧 “quoted” C:\\new 50%")
    assert log.getvalue().rstrip().endswith("WARNING anything Żółć 李小龙 مريم 👩‍👩‍👧 “quoted” C:\\new 50%")


@pytest.mark.django_db
@pytest.mark.parametrize("evil", [evil for evil in EVIL if "\0" not in evil and "\ud800" not in evil])
def test_a_stranger_at_the_sign_in_page_writes_no_line(log: io.StringIO, evil: str) -> None:
    logging.getLogger("django").setLevel("INFO")
    guess(Client(), 6, evil)
    lines = lines_of(log.getvalue())
    assert lines and all(LINE.match(line) for line in lines)
    assert not CONTROLS.search(log.getvalue().replace("\n", ""))


@pytest.mark.django_db
def test_a_refused_page_says_who_wanted_what_from_where_in_one_line(log: io.StringIO, signed_in: Any) -> None:
    logging.getLogger("django").setLevel("INFO")
    reader = signed_in("sam_user", username="ann")
    assert reader.get("/audit/?q=private", REMOTE_ADDR="192.0.2.7").status_code == 403
    assert Client(enforce_csrf_checks=True).post("/accounts/login/", REMOTE_ADDR="2001:db8::1").status_code == 403
    forbidden, forged = lines_of(log.getvalue())
    assert "[GET /audit/ by ann from 192.0.2.7]" in forbidden and "private" not in forbidden
    assert "[POST /accounts/login/ by a visitor from 2001:db8::1]" in forged


@pytest.mark.django_db
def test_behind_our_proxy_it_is_the_visitors_address(log: io.StringIO, signed_in: Any, settings: Any) -> None:
    settings.TRUST_PROXY = True
    signed_in("sam_user").get("/audit/", headers={"x-forwarded-for": "10.0.0.1, 203.0.113.9"})
    assert "from 203.0.113.9]" in log.getvalue()


def test_the_time_has_its_zone(log: io.StringIO) -> None:
    logging.getLogger("anything").warning("now")
    assert LINE.match(log.getvalue())
    assert configured.LOGGING["formatters"]["line"]["()"].endswith("LineFormatter")


# --- structured lines ------------------------------------------------------------------------------------------------


@pytest.fixture
def json_log(log: io.StringIO) -> io.StringIO:
    logging.getLogger().handlers[0].setFormatter(JsonFormatter())
    logging.getLogger("django").setLevel("INFO")
    return log


@pytest.mark.parametrize("evil", EVIL)
def test_a_structured_record_is_one_line_of_ascii_whatever_it_says(json_log: io.StringIO, evil: str) -> None:
    try:
        raise ValueError(evil)
    except ValueError:
        logging.getLogger("anything").exception("it %s broke, password=%s", evil, "hunter2-hunter2")
    (line,) = json_log.getvalue().splitlines()
    assert line.isascii() and "hunter2" not in line
    told = json.loads(line)
    assert told["level"] == "ERROR" and told["logger"] == "anything" and "ValueError" in told["traceback"]
    assert datetime.fromisoformat(told["at"]).tzinfo


@pytest.mark.django_db
def test_a_structured_record_names_its_request_as_the_answer_does(json_log: io.StringIO, signed_in: Any) -> None:
    answer = signed_in("sam_user", username="ann").get("/audit/?q=private")
    (told,) = map(json.loads, json_log.getvalue().splitlines())
    assert told["request_id"] == answer["X-Request-ID"] and len(told["request_id"]) == 32
    assert told["request"].startswith("GET /audit/ by ann from ") and "private" not in json_log.getvalue()


@pytest.mark.django_db
def test_a_structured_record_names_its_run(json_log: io.StringIO) -> None:
    run = factories.run(profile=factories.profile(), state="queued")

    def fail(job: Any, *, now: Any) -> None:
        raise RuntimeError("an error of our own")

    execute.run(run.pk, fail)
    told = [json.loads(line) for line in json_log.getvalue().splitlines()]
    assert [one["run"] for one in told if one["logger"] == "profiles.jobs.execute"] == [run.pk]
    logging.getLogger("anything").warning("after it")
    assert "run" not in json.loads(json_log.getvalue().splitlines()[-1])


# --- the web server's own log ----------------------------------------------------------------------------------------


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A real gunicorn as it is deployed: its port, and the file with everything it writes."""
    port, written = servers.free_port(), tmp_path / "log"
    environment = {
        **deployment.production(str(tmp_path)),
        "ALLOWED_HOSTS": "samsaas.example.com",
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "WEB_BIND": f"127.0.0.1:{port}",
        "WEB_WORKERS": "1",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "SERVE_UNCOLLECTED_STATIC": "true",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "samsaas/gunicorn_conf.py"]
    with written.open("wb") as file:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        servers.wait_for_port(port, server)
        yield port, written
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.own_database
def test_the_access_log_is_a_line_a_request_too(gunicorn: tuple[int, Path]) -> None:
    port, written = gunicorn
    for path, agent in (
        (b"/healthz%0a2026-01-01T00:00:00.000+00:00%20INFO%20forged", b"curl"),
        (b"/%1b[31mred%0d%0aforged%e2%80%ae%c2%9b", b"agent"),
        (b"/healthz", b"curl"),
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
            sock.sendall(
                b"GET "
                + path
                + b" HTTP/1.1\r\nHost: samsaas.example.com\r\nUser-Agent: "
                + agent
                + b"\r\nConnection: close\r\n\r\n"
            )
            while sock.recv(4096):
                pass
    until = time.monotonic() + 10
    while written.read_text().count("gunicorn.access") < 2 and time.monotonic() < until:
        time.sleep(0.1)
    lines = lines_of(written.read_text())
    assert all(LINE.match(line) or line.startswith("    | ") for line in lines), lines
    assert not CONTROLS.search(written.read_text().replace("\n", ""))
    requests = [line for line in lines if "gunicorn.access" in line]
    assert "GET /healthz\\n2026-01-01" in requests[0] and "GET /healthz 200" in requests[-1]
