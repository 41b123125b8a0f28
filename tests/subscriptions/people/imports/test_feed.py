"""People kept fresh by themselves: a file is fetched every day, and waits for a person only where it should."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from profiles.connectors.base import TryLater
from profiles.connectors.transport import Answer
from profiles.models import JobRun
from samsaas import schedule
from samsaas.environment import Environment
from subscriptions.models import Person, PersonImport
from subscriptions.people.imports import feed
from tests import factories, pages, worlds
from tests.subscriptions.people.people_world import crowd, listing
from tests.subscriptions.users.users_world import user_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ADDRESS = "https://hr.example/export/people.csv"


@pytest.fixture(autouse=True)
def source(tmp_path: Path, settings: Any, monkeypatch: Any) -> Path:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    settings.PEOPLE_SOURCE, settings.PEOPLE_SOURCE_AT = str(tmp_path), "00:00"
    return tmp_path


def deliver(folder: Path, text: str, name: str = "people.csv", *, age: timedelta = timedelta(minutes=5)) -> None:
    (folder / name).write_text(text)
    moment = (timezone.now() - age).timestamp()
    os.utime(folder / name, (moment, moment))


def let_pass() -> PersonImport | None:
    """As many minutes as a file needs to be fetched, read and applied."""
    for _ in range(3):
        schedule.fetch_people()
        worlds.work()
    return PersonImport.objects.first()


def test_a_file_that_nobody_need_look_at_is_applied_once_a_day(source: Path) -> None:
    deliver(source, "Personalnummer;Vorname;Nachname\n1;Anna;Müller\n")
    deliver(source, "Personalnummer;Name\n9;Old\n", "old.csv", age=timedelta(hours=5))
    deliver(source, "Personalnummer;Name\n9;Half\n", "half.csv", age=timedelta(0))
    (source / "link.csv").symlink_to("/etc/hostname")
    upload = let_pass()
    assert upload and upload.state == "applied" and upload.fetched and upload.uploaded_by is None
    assert list(Person.objects.values_list("key", "name")) == [("1", "Anna Müller")]
    let_pass()
    assert PersonImport.objects.count() == 1 == JobRun.objects.filter(process=feed.FETCH).count()


def test_nothing_is_fetched_before_its_time_or_without_a_source(settings: Any) -> None:
    settings.PEOPLE_SOURCE = ""
    feed.start_due(timezone.now())
    assert not JobRun.objects.exists()


def test_a_file_above_the_limits_waits_and_home_says_so(source: Path, settings: Any, signed_in: Any) -> None:
    settings.PEOPLE_SOURCE_LISTS_EVERYBODY = True
    crowd(30)
    deliver(source, listing(range(20)))
    upload = let_pass()
    assert upload and upload.state == "preview" and Person.objects.active().count() == 30
    keeper = signed_in("sam_admin")
    assert f'href="{upload.get_absolute_url()}"' in keeper.get("/").content.decode()
    page = pages.text_of(keeper.get(upload.get_absolute_url()).content.decode())
    assert "came by itself, and waits for a person" in page and "10 of 30 active people are missing" in page
    JobRun.objects.filter(process=feed.FETCH).update(logical_date="2020-01-01")
    deliver(source, listing(range(30)))
    assert let_pass() and PersonImport.objects.order_by("pk").first().state == "discarded", (
        "a newer one takes its place"
    )  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("employee number,name\n" + "".join(f"{place},\n" for place in range(9)) + "x,Ann\n", "preview"),
        ("Numer,Nazwisko\n1,Ann\n", "choosing"),
        ("employee number,name,left on\n1,Ann,03/04/2026\n", "choosing"),
        ("employee number,name\n", "unreadable"),
    ],
)
def test_a_file_with_a_question_or_many_bad_lines_waits(source: Path, text: str, state: str) -> None:
    deliver(source, text)
    upload = let_pass()
    assert upload and upload.state == state and feed.waiting_files() == [upload] and not Person.objects.exists()


def test_a_seat_is_not_taken_from_its_user_unseen(source: Path) -> None:
    profile = factories.profile(refreshed_at=timezone.now())
    seat = factories.subscription(profile=profile, email="ann@acme.example", email_verified=True)
    factories.person("ann@acme.example", key="1", name="Ann")
    assert user_of(seat) == "1"
    deliver(source, "employee number,name,e-mails\n2,Anne,ann@acme.example\n")
    upload = let_pass()
    assert upload and upload.state == "preview" and feed.list_holds(upload)
    assert user_of(seat) == "1"


def test_what_cannot_be_fetched_is_told_on_home_without_the_token(
    settings: Any, monkeypatch: Any, signed_in: Any
) -> None:
    settings.PEOPLE_SOURCE, settings.PEOPLE_SOURCE_TOKEN = ADDRESS, "s3cret"
    monkeypatch.setattr(feed, "exchange_once", lambda *given: Answer(status=302, headers={"Location": "http://x"}))
    assert let_pass() is None
    run = JobRun.objects.get(process=feed.FETCH)
    assert run.state == "failed" and "hr.example answered with status 302" in run.error_message
    home = signed_in("sam_admin").get("/").content.decode()
    assert "People were not fetched" in home and "s3cret" not in home


def test_the_address_gets_the_token_and_its_answer_is_the_file(settings: Any, monkeypatch: Any) -> None:
    settings.PEOPLE_SOURCE, settings.PEOPLE_SOURCE_TOKEN = ADDRESS, "s3cret"
    asked: list[Any] = []

    def answer(*given: Any) -> Answer:
        asked.append(given)
        return Answer(status=200, body=b"employee number,name\n1,Ann\n")

    monkeypatch.setattr(feed, "exchange_once", answer)
    upload = let_pass()
    assert upload and upload.state == "applied" and upload.file_name == "people.csv"
    ((address, body, headers, bounds),) = asked
    assert (address, body, headers["Authorization"]) == (ADDRESS, None, "Bearer s3cret")
    assert bounds.total <= 300 and bounds.max_bytes == 40 * 1024**2


def test_an_address_that_does_not_answer_fails_the_run(settings: Any, monkeypatch: Any) -> None:
    settings.PEOPLE_SOURCE = ADDRESS

    def silent(*given: Any) -> Answer:
        raise TryLater("No connection to hr.example within 10 seconds.")

    monkeypatch.setattr(feed, "exchange_once", silent)
    let_pass()
    assert "No connection to hr.example" in JobRun.objects.get().error_message


@pytest.mark.parametrize("what", ["empty", "gone", "large", "no people"])
def test_a_folder_without_a_good_file_fails_the_run(source: Path, settings: Any, monkeypatch: Any, what: str) -> None:
    if what == "gone":
        settings.PEOPLE_SOURCE = str(source / "nowhere")
    if what in ("large", "no people"):
        deliver(source, "<html>Sign in</html>")
    if what == "large":
        monkeypatch.setattr(feed, "BOUNDS", feed.Bounds(connect=1, read=1, total=1, max_bytes=3))
    assert let_pass() is None and feed.failed_run()


def test_a_file_that_comes_late_is_fetched_an_hour_later(source: Path) -> None:
    assert let_pass() is None
    deliver(source, "employee number,name\n1,Ann\n")
    assert let_pass() is None, "not at once"
    JobRun.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    upload = let_pass()
    assert upload and upload.state == "applied" and feed.failed_run() is None


@pytest.mark.parametrize(
    "value", ["http://hr.example/x.csv", "people", "ftp://x/y", "https://", "https://me:pw@hr.example/", "https://[x"]
)
def test_a_source_that_is_not_safe_stops_the_start_without_being_shown(monkeypatch: Any, value: str) -> None:
    monkeypatch.setenv("PEOPLE_SOURCE", value)
    with pytest.raises(ImproperlyConfigured, match="PEOPLE_SOURCE has to be") as refused:
        Environment().people_source("PEOPLE_SOURCE")
    assert value not in str(refused.value)
