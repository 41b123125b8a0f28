"""Passwords that are guessed first are refused at every door where one is set, and good ones never are."""

from __future__ import annotations

import contextlib
import io
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from samsaas import guessing
from samsaas.demo.home import readable_password
from samsaas.passwords import judged_part
from tests import pages
from tests.samsaas.sign_in_world import PASSWORD, try_to

pytestmark = pytest.mark.one_database

GUESSABLE = [
    *("passwordpassword", "Welcome12345", "samsaas12345", "Samsaas2026!", "P@ssw0rdP@ssw0rd", "Passw0rd1234"),
    *("qwertyuiop12", "123456789012", "Summer2026!!", "letmeinletmein", "AcmeCorp12345", "acme-samsaas-1"),
    *("adminadmin12", "iloveyou12345", "abcabcabcabc", "aaaaaaaaaaaa", "dropboxdropbox", "Dropbox12345!"),
    *("changeme1234", "Welcome2024!!", "saasmassaasmas", "drowssapdrowssap", "Company12345!", "licenses2026"),
    *("administrator", "1q2w3e4r5t6y", "qazwsxedcrfv", "trustno1trustno1", "football2024!", "WELCOMEwelcome1"),
    *("Nordwind2026!", "nordwindtrading", "W3lc0me12345", "!!!Welcome!!!", "emoclew12345", "P4$$w0rd2026!!"),
    *("Blueharbour99!", "annsmith12345", "Smith2026!!!!", "a" * 85, "password" * 40),
]
GOOD = [
    *("correct horse battery staple", "my dog has fleas", "Ich esse gern Pflaumen", "kX9#mQ2v!pLw"),
    *(
        "739105284617",
        "xkjqwzvbnmtp",
        "a long password",
        "samsaas837465920174",
        "Żółć 李小龙 مريم żółw",
        "seven quiet rivers under a paper moon" * 3,
    ),
]


@pytest.fixture
def company(settings: Any) -> None:
    settings.COMPANY_NAMES = ["Nordwind Trading", "Acme"]
    settings.PUBLIC_URL = "https://licenses.blueharbour.example"


@pytest.mark.parametrize("password", GUESSABLE)
def test_a_guessable_password_is_refused_however_it_is_decorated(password: str, company: None) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="ann", first_name="Ann", last_name="Smith", email="a@b.example"))


@pytest.mark.parametrize("password", GOOD)
def test_a_good_password_is_accepted_whatever_it_is_made_of(password: str, company: None) -> None:
    validate_password(password, User(username="ann", first_name="Ann", last_name="Smith", email="a@b.example"))


def test_the_demos_own_passwords_are_good() -> None:
    for _ in range(20):
        validate_password(readable_password())


SIGNS = "4@8({[<369&!1i|0$5+7%2z"  # each can stand for a letter, some for two


@pytest.mark.parametrize(
    "password",
    [
        *(SIGNS * 4, SIGNS, "samsaas" + SIGNS * 3 + "!", "P@$$w0rd" + SIGNS, SIGNS * 2000),
        *("4@8({[<3" * 500, "pa55w0rd" * 500, "!@$1|5" * 700, "1!|7+4@8" * 9, "ab" * 2000),
        *("kX9#mQ2v!pLw" + "1" * 60_000 + "a", "!" * 60_000 + "a!", "-a" * 30_000, "samsaas" * 8000),
    ],
)
def test_no_password_takes_long_to_judge(password: str) -> None:
    began = time.process_time()
    with contextlib.suppress(ValidationError):
        validate_password(password, User(username="ann", first_name="Ann", last_name="Smith", email="a@b.example"))
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("number", range(12))
def test_what_is_judged_of_a_password_says_enough(number: int) -> None:
    """Shortened or not, a text of signs is as good as it is, and a common word with signs behind it as bad."""
    rotated = SIGNS[number:] + SIGNS[:number]
    validate_password(rotated[:16] * 3)
    assert len(judged_part(rotated * 4)) >= 12
    with pytest.raises(ValidationError):
        validate_password("P@ssw0rd" + rotated[:4])


@pytest.mark.django_db
def test_it_holds_where_a_person_changes_the_password(ann: Any, client: Client) -> None:
    try_to(client)
    form = {"old_password": PASSWORD, "new_password1": "Welcome12345", "new_password2": "Welcome12345"}
    page = pages.text_of(client.post("/accounts/password/", form).content.decode())
    assert "easy to guess" in page and "Several words that have nothing to do" in page
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


@pytest.mark.django_db
def test_a_new_password_is_not_judged_while_the_old_one_is_wrong(ann: Any, client: Client) -> None:
    try_to(client)
    form = {"old_password": "wrong", "new_password1": "Welcome12345", "new_password2": "Welcome12345"}
    page = pages.text_of(client.post("/accounts/password/", form).content.decode())
    assert "entered incorrectly" in page and "easy to guess" not in page


@pytest.mark.django_db
def test_new_passwords_are_not_tried_without_end(ann: Any, client: Client) -> None:
    """Judging takes time, which the right old password must not give to anybody without a limit."""
    try_to(client)
    form = {"old_password": PASSWORD, "new_password1": "Welcome12345", "new_password2": "Welcome12345"}
    for _ in range(guessing.MOST_NEW_PASSWORDS):
        assert client.post("/accounts/password/", form).status_code == 200
    good = form | {"new_password1": "kX9#mQ2v!pLw", "new_password2": "kX9#mQ2v!pLw"}
    page = pages.text_of(client.post("/accounts/password/", good, follow=True).content.decode())
    assert "Try again in 15 minutes" in page and "easy to guess" not in page
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    with time_machine.travel(timezone.now() + settings.AXES_COOLOFF_TIME + timedelta(minutes=1)):
        assert client.post("/accounts/password/", good)["Location"] == "/accounts/password/done/"


@pytest.mark.django_db
def test_it_holds_where_an_administrator_sets_one(signed_in: Any, ann: Any) -> None:
    administrator = signed_in("admin")
    passwords = {"usable_password": "true", "password1": "samsaas12345", "password2": "samsaas12345"}
    page = administrator.post(f"/core/auth/user/{ann.pk}/password/", passwords).content.decode()
    assert "easy to guess" in page
    page = administrator.post("/core/auth/user/add/", {"username": "eve", **passwords}).content.decode()
    assert "easy to guess" in page and not User.objects.filter(username="eve").exists()


@pytest.mark.django_db
def test_it_holds_for_the_first_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    given = iter(["passwordpassword", "passwordpassword", "n"])
    monkeypatch.setattr("getpass.getpass", lambda prompt="": next(given))
    monkeypatch.setattr("builtins.input", lambda prompt="": next(given))
    said = io.StringIO()
    with contextlib.suppress(CommandError, SystemExit, StopIteration, RuntimeError):
        call_command("createsuperuser", username="root", email="", stdin=Tty(), stderr=said, stdout=said)
    assert "easy to guess" in said.getvalue() and not User.objects.filter(username="root").exists()


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True
