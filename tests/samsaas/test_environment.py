"""Settings from the environment: a mistake names the variable and what it should be, never what it holds."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from samsaas.environment import Environment

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
