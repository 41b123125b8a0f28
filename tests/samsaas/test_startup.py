"""Processes whose configuration cannot work do not start: a code other than 0, and a line with reason and remedy."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from samsaas import startup
from tests import servers

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.own_database
COMMANDS = {
    "web": ["-m", "gunicorn", "--config", "samsaas/gunicorn_conf.py"],
    "worker": ["-m", "celery", "-A", "samsaas.liveness", "worker", "--concurrency", "1"],
    "beat": ["-m", "celery", "-A", "samsaas.liveness", "beat", "--pidfile="],
    "serve": ["manage.py", "serve"],
}
SEPARATE = ("web", "worker", "beat")
REDIS = "redis://127.0.0.1:1/0"  # nobody asks it: the configuration is judged before the first connection


def refusal_of(process: str, folder: Path, **variables: str) -> str:
    """What a process writes that must not start. Empty values count as not set."""
    environment = {
        "PATH": os.environ["PATH"],
        "SAMSAAS_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite:///{folder / 'samsaas.sqlite3'}",
        "CELERY_BROKER_URL": "" if process == "serve" else REDIS,
        "WEB_BIND": f"127.0.0.1:{servers.free_port()}",
        "STATIC_ROOT": str(folder),
        "SERVE_UNCOLLECTED_STATIC": "true",
        **variables,
    }
    command = [sys.executable, *COMMANDS[process]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode not in (0, 1), done.stdout + done.stderr
    return done.stderr


def lines_of(process: str, said: str) -> set[str]:
    """The reasons. gunicorn tries with each of its workers, so a reason may come twice."""
    begin = f"samsaas {process} does not start: "
    return {line.removeprefix(begin) for line in said.splitlines() if line.startswith(begin)}


@pytest.mark.parametrize("process", SEPARATE)
def test_the_defaults_with_separate_processes_are_refused_with_both_ways_out(process: str, tmp_path: Path) -> None:
    """A memory broker in three processes: nothing would ever run, and nobody would know."""
    (reason,) = lines_of(process, refusal_of(process, tmp_path, CELERY_BROKER_URL=""))
    assert reason.startswith("CELERY_BROKER_URL is memory://, which reaches no other process.")
    assert "redis://:password@host:6379/0" in reason and "manage.py serve" in reason


@pytest.mark.parametrize("process", sorted(set(COMMANDS) - {"beat"}))
def test_missing_keys_are_refused_by_every_process_that_uses_them(process: str, tmp_path: Path) -> None:
    """The worker signs nothing; the beat reads no secret either."""
    reasons = lines_of(process, refusal_of(process, tmp_path, SECRET_KEY="", FIELD_ENCRYPTION_KEYS=""))
    needed = {"FIELD_ENCRYPTION_KEYS"} if process == "worker" else {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS"}
    assert {reason.partition(" ")[0] for reason in reasons} == needed
    assert all("Set SECRET_KEY to" in reason or "manage.py new_field_key" in reason for reason in reasons)


def test_what_is_set_up_for_development_is_refused_on_a_public_address(tmp_path: Path) -> None:
    public = {"PUBLIC_URL": "https://samsaas.example.com"}
    for process, switches in (("beat", ["DEBUG"]), ("serve", ["DEBUG", "SANDBOX"])):
        reasons = lines_of(process, refusal_of(process, tmp_path, **public, **dict.fromkeys(switches, "true")))
        assert {reason.partition(" is on")[0] for reason in reasons} == set(switches)
        assert all("Unset it" in reason for reason in reasons)


@pytest.mark.parametrize("switch", ["DEBUG", "SANDBOX"])
@pytest.mark.parametrize(
    ("process", "bind", "told"),
    [
        ("web", "0.0.0.0:0", "0.0.0.0"),
        ("serve", "0.0.0.0:0", "0.0.0.0"),
        ("web", "[::]:0", "::"),
        ("web", ":0", "every address"),
        ("serve", "192.0.2.1:8000", "192.0.2.1"),
        ("web", "samsaas.example.com:8000", "samsaas.example.com"),
        ("web", "fd://3", "a socket that another program opened"),
    ],
)
def test_what_is_set_up_for_development_is_refused_where_others_reach_it(
    process: str, bind: str, told: str, switch: str, tmp_path: Path
) -> None:
    """Though PUBLIC_URL says that the address is local."""
    more = {"DEBUG": "true"} if switch == "SANDBOX" else {}  # without DEBUG the sandbox is refused for itself
    reasons = lines_of(process, refusal_of(process, tmp_path, WEB_BIND=bind, **{switch: "true"}, **more))
    assert any(reason.startswith(f"{switch} is on, and the pages would listen on {told},") for reason in reasons)
    assert all("WEB_BIND=127.0.0.1:8000" in reason for reason in reasons)


def test_an_address_on_the_command_line_counts_as_well(tmp_path: Path) -> None:
    (reason,) = lines_of("web", refusal_of("web", tmp_path, DEBUG="true", GUNICORN_CMD_ARGS="--bind=0.0.0.0:0"))
    assert reason.startswith("DEBUG is on, and the pages would listen on 0.0.0.0,")


@pytest.mark.parametrize("address", [("127.0.0.1", 1), ("127.8.0.1", 1), ("::1", 1), ("localhost", 1), "/run/web.sock"])
def test_development_goes_on_where_only_this_machine_reaches_it(address: Any, settings: Any) -> None:
    settings.DEBUG = settings.SANDBOX = True
    assert list(startup._judge_addresses([address])) == []
    assert len(list(startup._judge_addresses([address, ("0.0.0.0", 1)]))) == 2


@pytest.mark.parametrize(
    ("process", "variables", "told"),
    [
        ("serve", {"CELERY_BROKER_URL": REDIS}, "CELERY_BROKER_URL is set"),
        ("web", {"SERVE_UNCOLLECTED_STATIC": ""}, "manage.py collectstatic"),
        ("worker", {"CELERY_BROKER_URL": "redos://127.0.0.1"}, "redos://, which is no broker"),
        ("worker", {"ALLOWED_HOSTS": "other.example"}, "ALLOWED_HOSTS"),
        ("beat", {"PUBLIC_URL": "https://samsaas.example.com/path"}, "PUBLIC_URL is not usable"),
    ],
)
def test_other_settings_that_cannot_work(process: str, variables: dict[str, str], told: str, tmp_path: Path) -> None:
    (reason,) = lines_of(process, refusal_of(process, tmp_path, **variables))
    assert told in reason


@pytest.mark.parametrize("process", SEPARATE)
def test_a_variable_that_cannot_be_read_is_named_without_a_traceback(process: str, tmp_path: Path) -> None:
    said = refusal_of(process, tmp_path, JOB_STALE_SECONDS="soon")
    assert "does not start: JOB_STALE_SECONDS has to be a whole number." in said
    assert "settings.py" not in said


def test_every_process_that_has_a_name_is_tried_here() -> None:
    assert set(COMMANDS) == {startup.WEB, startup.WORKER, startup.BEAT, startup.SERVE}
