"""Settings from the environment: a mistake names the variable and what it should be, never what it holds."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from samsaas.environment import Environment

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parents[2]
PASSWORD = "pass/wörd#1"
env = Environment()


@pytest.fixture
def put(monkeypatch):
    def set_variable(value: str) -> None:
        monkeypatch.setenv("SOME_SETTING", value)

    return set_variable


@pytest.mark.parametrize("value", ["", " "])
def test_a_variable_set_to_nothing_counts_as_not_set(put, value):
    put(value)
    assert env.str("SOME_SETTING", default="x") == "x"
    assert env.int("SOME_SETTING", default=7) == 7
    assert env.bool("SOME_SETTING", default=True) is True
    assert env.list("SOME_SETTING", default=["localhost"]) == ["localhost"]
    assert env.address("SOME_SETTING", default="memory://") == "memory://"
    assert env.db_url("SOME_SETTING", default="sqlite:////tmp/a.sqlite3")["NAME"] == "/tmp/a.sqlite3"


@pytest.mark.parametrize(
    ("value", "is_true"), [("true", True), ("On", True), ("1", True), ("false", False), ("no", False), ("0", False)]
)
def test_yes_and_no_have_several_spellings(put, value, is_true):
    put(value)
    assert env.bool("SOME_SETTING", default=not is_true) is is_true


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("maybe", lambda: env.bool("SOME_SETTING", default=False)),
        ("2", lambda: env.bool("SOME_SETTING", default=False)),
        ("abc", lambda: env.int("SOME_SETTING", default=1)),
        ("0", lambda: env.int("SOME_SETTING", default=1)),
        ("4", lambda: env.int("SOME_SETTING", default=60, least=5)),
        ("loud", lambda: env.one_of("SOME_SETTING", default="INFO", words=("INFO", "DEBUG"))),
        ("Mars/Olympus", lambda: env.zone("SOME_SETTING", default="UTC")),
        ("../../etc/passwd", lambda: env.zone("SOME_SETTING", default="UTC")),
        ("25:99", lambda: env.time_of_day("SOME_SETTING", default="02:00")),
        ("2 a.m.", lambda: env.time_of_day("SOME_SETTING", default="02:00")),
        ("http://[", lambda: env.address("SOME_SETTING", default="")),
        ("http://localhost:99999", lambda: env.address("SOME_SETTING", default="")),
        (f"redis://:{PASSWORD}@localhost:6379/0", lambda: env.address("SOME_SETTING", default="")),
        (f"postgres://samsaas:{PASSWORD}@localhost/samsaas", lambda: env.db_url("SOME_SETTING", default="")),
        (f"mysql://samsaas:{PASSWORD}@localhost/samsaas", lambda: env.db_url("SOME_SETTING", default="")),
        (f"samsaas:{PASSWORD}@localhost/samsaas", lambda: env.db_url("SOME_SETTING", default="")),
    ],
)
def test_a_mistake_is_refused_by_name_and_without_its_value(put, value, read):
    put(value)
    with warnings.catch_warnings(record=True) as said, pytest.raises(ImproperlyConfigured) as refused:
        warnings.simplefilter("always")
        read()
    assert str(refused.value).startswith("SOME_SETTING has to be ")
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert not said and "pass" not in str(refused.value).replace("password", "")


def test_what_is_right_is_taken_as_it_is(put):
    for value, read in (
        ("90", lambda: str(env.int("SOME_SETTING", default=60, least=5))),
        ("Europe/Paris", lambda: env.zone("SOME_SETTING", default="UTC")),
        ("23:45", lambda: env.time_of_day("SOME_SETTING", default="02:00")),
        ("redis://:p%2Fw@localhost:6379/0", lambda: env.address("SOME_SETTING", default="")),
    ):
        put(value)
        assert read() == value


def test_a_percent_encoded_password_reaches_the_database_as_it_is(put):
    put("postgres://samsaas:pass%2Fw%C3%B6rd%231@db.example:5433/samsaas")
    found = env.db_url("SOME_SETTING", default="")
    assert (found["PASSWORD"], found["HOST"], found["PORT"]) == (PASSWORD, "db.example", 5433)


def test_a_secret_can_come_from_a_file_and_only_from_one_place(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    env = Environment()
    env.ENVIRON = {"KEY_FILE": str(tmp_path / "key"), "LIST_FILE": str(tmp_path / "key"), "LIST": " "}
    assert env.str("KEY", default="") == "from the file" and env.list("LIST", default=[]) == ["from the file"]
    for environ, complaint in (
        ({"KEY_FILE": str(tmp_path / "missing")}, "KEY_FILE names a file that cannot be read"),
        ({"KEY_FILE": str(tmp_path)}, "KEY_FILE names a file that cannot be read"),
        ({"KEY_FILE": str(tmp_path / "key"), "KEY": "a secret"}, "KEY and KEY_FILE are both set"),
    ):
        env.ENVIRON = environ
        with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
            env.str("KEY", default="")
        assert "a secret" not in str(refused.value)


# --- values that look like something else -----------------------------------------------------------------------------

DOLLARS = ["$ecret-key", "$", "$$", "$HOME", "${HOME}", "$SOME_SETTING", "\\$x", "$a,$b", "a$HOME"]


@pytest.mark.parametrize("from_file", [False, True])
@pytest.mark.parametrize("value", DOLLARS)
def test_a_value_that_begins_with_a_dollar_is_taken_as_it_is(value: str, from_file: bool, tmp_path: Path) -> None:
    (tmp_path / "value").write_text(value)
    env = Environment()
    env.ENVIRON = {"HOME": "/root", **({"X_FILE": str(tmp_path / "value")} if from_file else {"X": value})}
    assert env.str("X", default="") == env.str("X") == value
    assert env.list("X", default=[]) == value.split(",")
    assert str(env.path("X", default=tmp_path)).endswith(f"/{value}")
    for read in (
        lambda: env.int("X", default=1),
        lambda: env.bool("X", default=True),
        lambda: env.zone("X", default="UTC"),
        lambda: env.time_of_day("X", default="02:00"),
        lambda: env.one_of("X", default="a", words=("a", "b")),
        lambda: env.db_url("X", default="sqlite:////tmp/a"),
    ):
        with pytest.raises(ImproperlyConfigured) as refused:
            read()
        assert str(refused.value).startswith("X has to be ") and value not in str(refused.value).replace("X has", "")


def test_a_missing_variable_without_a_default_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="NO_SUCH_SETTING is not set"):
        env.str("NO_SUCH_SETTING")


@pytest.mark.own_database
@pytest.mark.parametrize("command", ["manage.py check", "-m gunicorn --config samsaas/gunicorn_conf.py"])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("SECRET_KEY=$hunter2", ""),
        ("SECRET_KEY: hunter2", "Line 2 of"),
        ("SECRET_KEY = hunter2", "Line 2 of"),
        ("  SECRET_KEY=hunter2", "Line 2 of"),
        ("FIELD_ENCRYPTION_KEYS=$hunter2", "FIELD_ENCRYPTION_KEYS holds something"),
        ("DATABASE_URL=$hunter2", "DATABASE_URL has to be"),
        ("CELERY_BROKER_URL=$hunter2", ""),
        ("JOB_STALE_SECONDS=$hunter2", "JOB_STALE_SECONDS has to be"),
    ],
)
def test_no_process_prints_what_a_variable_holds(command: str, line: str, told: str, tmp_path: Path) -> None:
    """A real process without keys, which always refuses to start."""
    (tmp_path / ".env").write_text(f"# the settings of this test\n{line}\n")
    environment = {"PATH": os.environ["PATH"], "SAMSAAS_ENV_FILE": str(tmp_path / ".env"), "WEB_BIND": "127.0.0.1:0"}
    done = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, env=environment, capture_output=True, timeout=60
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode != 0 and told in said
    assert "hunter2" not in said, said
