"""What a download makes of odd members and odd answers, from Dropbox's bytes to the rows of the list."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from profiles.connection import credentials
from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.models import Credential, IntegrationProfile, JobRun
from subscriptions.download import staging
from subscriptions.models import ActivityCoverage, LastActivity, Subscription
from tests import worlds
from tests.connectors.doubles import sample, served
from tests.subscriptions.download_world import current, queue_run

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST, CONTINUE, INFO = "team/members/list_v2", "team/members/list/continue_v2", "team/get_info"
PAGE = "text/html; charset=utf-8"
MODEL = sample("team_members_list_v2")["members"][0]


def member(name: str, /, **profile: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(MODEL)
    made["profile"] |= {"team_member_id": f"dbmid:{name}", "email": f"{name}@example.com", "external_id": name}
    made["profile"] |= profile
    return made


def without(name: str, *fields: str) -> dict[str, Any]:
    made = member(name)
    for field in fields:
        del made["profile"][field]
    return made


def people(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [member(f"u{number}") for number in range(first, first + count)]


def names(*given: str) -> set[str]:
    return {f"dbmid:{name}" for name in given}


def numbered(count: int, first: int = 0) -> set[str]:
    return names(*(f"u{number}" for number in range(first, first + count)))


def page(members: Any, number: int = 1, *, last: bool = True, **changes: Any) -> bytes:
    return json.dumps({"members": members, "cursor": f"c{number}", "has_more": not last, **changes}).encode()


def answers(*bodies: Any, **headers: str) -> list[Fault]:
    return [
        body if isinstance(body, Fault) else Fault(status=200, body=body, headers={"Content-Type": "application/json"})
        for body in bodies
    ]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages are tried twice, without a pause between."""
    real = credentials.limits_for
    monkeypatch.setattr(credentials, "limits_for", lambda alias: replace(real(alias), attempts=2, backoff=0.0))


@pytest.fixture
def profile(connected: IntegrationProfile) -> IntegrationProfile:
    """Connected; its first download is not the test's concern."""
    JobRun.objects.all().delete()
    return connected


def download(sandbox: Sandbox, profile: IntegrationProfile, *pages: Any, counted: int | None = None) -> JobRun:
    """One run over these answers, the first of list_v2 and each further of continue_v2. `counted` by the vendor."""
    told = next(iter(sandbox.teams.values())).info() | {"num_provisioned_users": counted}
    sandbox.faults.clear()
    sandbox.faults.add(INFO, None, Fault(status=200, body=told))
    first, *further = answers(*pages)
    sandbox.faults.add(LIST, None, first)
    for nth, fault in enumerate(further, 1):
        sandbox.faults.add(CONTINUE, nth, fault)
    queue_run(profile)
    [run] = worlds.work()
    return run


def tables() -> list[str]:
    with connection.cursor() as cursor:
        return [name for name in connection.introspection.table_names(cursor) if name.startswith(staging.PREFIX)]


def stored(name: str) -> Subscription:
    return Subscription.objects.get(external_id=f"dbmid:{name}")


def rows(profile: IntegrationProfile) -> list[dict[str, Any]]:
    return list(Subscription.objects.filter(profile=profile).order_by("external_id").values())


# --- one odd record among others --------------------------------------------------------------------------------------

SET_ASIDE: dict[str, Any] = {
    "no e-mail": without("odd", "email"),
    "e-mail of another type": member("odd", email=["odd@example.com"]),
    "no status": without("odd", "status"),
    "a status without its tag": member("odd", status={"name": "active"}),
    "a status that is a bare string": member("odd", status="active"),
    "no membership type": without("odd", "membership_type"),
    "a name that is a string": member("odd", name="Odd"),
    "a date that is none": member("odd", joined_on="2024-13-45T99:00:00Z"),
    "a date without zone": member("odd", joined_on="2024-03-04T09:15:00"),
    "secondary mails that are no list": member("odd", secondary_emails="odd@example.org"),
    "roles that are no list": {**member("odd"), "roles": "Team"},
    "verified that is neither": member("odd", email_verified="yes"),
    "thousands of digits and no e-mail": {**without("odd", "email"), "size": "DIGITS"},
}


def bytes_of(record: Any) -> bytes:
    return page([*people(5), record]).replace(b'"DIGITS"', b"9" * 6000)


@pytest.mark.parametrize("record", SET_ASIDE.values(), ids=SET_ASIDE)
def test_an_odd_record_keeps_its_seat_and_costs_nobody_theirs(dropbox, profile, record):
    download(dropbox, profile, page([*people(5), member("odd"), member("leaver")]))
    before = stored("odd")

    run = download(dropbox, profile, bytes_of(record))

    assert (run.state, run.counters["set_aside"], run.counters["ended"]) == ("succeeded", 1, 1)
    assert run.warnings[0].startswith("Skipped dbmid:odd: ")
    assert current(profile) == numbered(5) | names("odd")
    assert (stored("odd").email, stored("odd").changed_at) == (before.email, before.changed_at)


@pytest.mark.parametrize(
    "record",
    [None, [], "member", 7, {}, {"profile": None}, without("odd", "team_member_id"), member("odd", team_member_id=7)],
)
def test_a_record_of_nobody_lets_nothing_end(dropbox, profile, record):
    download(dropbox, profile, page([*people(5), member("leaver")]))
    run = download(dropbox, profile, page([*people(4), record, member("joiner")]))

    assert (run.state, run.counters["unreadable"], run.counters["withheld"]) == ("held", 1, 2)
    assert run.warnings[0].startswith("Skipped a record without an id: ")
    assert current(profile) == numbered(5) | names("leaver", "joiner")


@pytest.mark.parametrize("damage", ["\ufffd", "\n", " ", "\0", "\u00a0"])
def test_a_record_with_a_damaged_id_lets_nothing_end(dropbox, profile, damage):
    """Its id is that of no subscription. It must not stand for the one it is about."""
    download(dropbox, profile, page([*people(30), member("leaver")]))
    run = download(dropbox, profile, page([*people(30)[:-1], member("u29", team_member_id=f"dbmid:u29{damage}")]))

    assert (run.state, run.counters["unreadable"], run.counters["withheld"]) == ("held", 1, 2)
    assert current(profile) == numbered(30) | names("leaver")


def test_one_unreadable_record_among_a_thousand(dropbox, profile):
    listed = people(1000)
    listed[500]["profile"]["email"] = None
    run = download(dropbox, profile, page(listed[:600], last=False), page(listed[600:], 2), counted=1000)

    assert (run.state, run.counters["new"], run.counters["set_aside"]) == ("succeeded", 999, 1)
    assert current(profile) == numbered(1000) - names("u500")
    assert len(run.warnings) == 1


def test_a_page_on_which_nobody_can_be_read_ends_nobody(dropbox, profile):
    download(dropbox, profile, page(people(8)))
    before = rows(profile)
    run = download(dropbox, profile, page([without(f"u{number}", "email") for number in range(8)]), counted=8)

    assert (run.state, run.counters["set_aside"]) == ("failed", 8)
    assert "None of the 8 listed accounts could be read" in run.error_message
    assert rows(profile) == before and len(run.warnings) == 8


@pytest.mark.parametrize("readable_first", [True, False])
def test_of_a_readable_and_an_unreadable_record_of_one_member_the_readable_counts(dropbox, profile, readable_first):
    twins = [member("twin"), without("twin", "email")]
    run = download(dropbox, profile, page([*people(3), *(twins if readable_first else reversed(twins))]))

    assert (run.state, run.counters["new"], run.counters["duplicates"]) == ("succeeded", 4, 1)
    assert stored("twin").email == "twin@example.com"


# --- odd, but understood ----------------------------------------------------------------------------------------------


def test_unknown_tags_are_kept_counted_and_told(dropbox, profile):
    new_kind = member("kind", membership_type={".tag": "hologram", "hologram": {"since": 2031}})
    new_status = member("state", status={".tag": "sabbatical"})
    run = download(dropbox, profile, page([*people(2), new_kind, new_status]))

    assert (run.state, run.counters["new"], run.counters["unmatched"]) == ("succeeded", 4, 1)
    assert "hologram" in run.warnings[0]
    assert (stored("state").status, stored("state").vendor_status) == ("unknown", "sabbatical")
    assert stored("state").consumes_license


def test_a_member_listed_on_two_pages_is_one_seat_as_last_told(dropbox, profile):
    first, later = member("twice", email="old@example.com"), member("twice", email="new@example.com")
    run = download(dropbox, profile, page([*people(2), first], last=False), page([later, *people(1, 2)], 2))
    assert (run.state, run.counters["duplicates"], run.counters["new"]) == ("succeeded", 1, 4)
    assert stored("twice").email == "new@example.com"


def test_mail_is_no_identity(dropbox, profile):
    twins = [member("a", email="Ann@example.com"), member("b", email="ann@EXAMPLE.com"), member("c", email="")]
    twins += [member("d", email="ann@example.com"), member("e", email="")]
    run = download(dropbox, profile, page(twins))
    assert (run.state, run.counters["new"]) == ("succeeded", 5)
    assert {stored(name).email for name in "abcde"} == {"Ann@example.com", "ann@EXAMPLE.com", "ann@example.com", ""}


def test_a_removed_member_has_no_seat_and_an_invited_one_has(dropbox, profile):
    download(dropbox, profile, page([*people(3), member("goes")]))
    gone = member("goes", status={".tag": "removed", "is_recoverable": True, "is_disconnected": False})
    invited = without("guest", "account_id", "joined_on")
    invited["profile"] |= {"status": {".tag": "invited"}, "invited_on": "2026-07-01T08:00:00Z"}
    run = download(dropbox, profile, page([*people(3), gone, invited]))

    assert (run.state, run.counters["removed"], run.counters["ended"]) == ("succeeded", 1, 1)
    assert current(profile) == numbered(3) | names("guest")
    assert stored("guest").invited_at and not stored("guest").assigned_at


def test_texts_are_cut_and_cleaned_to_what_a_page_can_show(dropbox, profile, integrator):
    name = {
        "given_name": "G" * 100_000,
        "surname": "\x00\x07Sur\r\nname",
        "display_name": "\u202egnp.exe \U0001f469 طوني",
    }
    odd = member("odd", name=name, external_id="E" * 5000, email="long" * 500 + "@example.com", account_id="\x00")
    odd["roles"] = [{"role_id": "x", "name": "R" * 5000, "description": ""}] * 50
    mails = [{"email": f"{number}\n@example.org", "is_verified": True} for number in range(300)]
    odd["profile"]["secondary_emails"] = [{"email": None}, {}, *mails]
    run = download(dropbox, profile, page([*people(1), odd]))

    assert (run.state, run.counters["new"], run.counters["set_aside"]) == ("succeeded", 2, 0)
    seat = stored("odd")
    assert (seat.given_name, seat.surname) == ("G" * 255, "Sur  name")
    assert seat.display_name == name["display_name"]
    assert (seat.employee_id, len(seat.email), seat.account_id) == ("", 320, "")
    assert len(seat.secondary_emails.splitlines()) <= 20
    for path in ("/subscriptions/", f"/subscriptions/{seat.pk}/", "/subscriptions/?q=gnp"):
        assert integrator.get(path).status_code == 200


@pytest.mark.parametrize("damage", ["\0", "\n", "\ufffd", "\x1b"])
def test_a_damaged_address_or_number_finds_nobody_and_is_found_by_nobody(dropbox, profile, damage):
    """It is shown, with a sign for what is missing. Repaired it would be the address or number of another person."""
    odd = {"email": f"an{damage}n@example.com", "external_id": f"12{damage}3", "email_verified": True}
    download(dropbox, profile, page([member("odd", **odd), member("fine", email="ann@example.com")]))
    seat = stored("odd")
    assert (seat.email, seat.email_verified, seat.employee_id) == ("an\ufffdn@example.com", False, "")
    assert (seat.compared_email, seat.compared_employee_id) == ("", "")
    seat.save()
    assert (stored("odd").compared_email, stored("fine").compared_email) == ("", "ann@example.com")


IMPOSSIBLE = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59Z",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "9998-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
]


@pytest.mark.parametrize("moment", IMPOSSIBLE)
def test_an_impossible_date_is_one_that_was_not_given(dropbox, profile, moment):
    dates = dict.fromkeys(("joined_on", "suspended_on", "invited_on"), moment)
    run = download(dropbox, profile, page([member("odd", **dates), *people(2)]))
    assert (run.state, run.counters["new"], run.counters["set_aside"]) == ("succeeded", 3, 0)
    seat = stored("odd")
    assert (seat.assigned_at, seat.invited_at, seat.suspended_at) == (None, None, None)


@pytest.mark.parametrize("year", [1, 2, 1969, 2100, 9999])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "UTC"])
def test_whatever_date_is_stored_every_page_shows_it_in_every_zone(dropbox, profile, signed_in, settings, year, zone):
    download(dropbox, profile, page(people(3)))
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    for seat, moment in zip(Subscription.objects.order_by("pk"), (first, last, first), strict=True):
        Subscription.objects.filter(pk=seat.pk).update(assigned_at=moment, invited_at=moment, suspended_at=moment)
        if seat.external_id != "dbmid:u2":
            LastActivity.objects.create(subscription=seat, at=moment, kind="login")
    now = timezone.now()
    ActivityCoverage.objects.create(
        profile=profile, team_id=profile.team_id, since=now - timedelta(days=9), until=now, known_by=now
    )
    settings.TIME_ZONE = zone
    client = signed_in("sam_admin")
    for path in ("/subscriptions/", *(f"/subscriptions/{seat.pk}/" for seat in Subscription.objects.all())):
        assert client.get(path).status_code == 200
    whole = b"".join(client.get("/subscriptions/export/").streaming_content)
    assert all(seat.email.encode() in whole for seat in Subscription.objects.all())


def test_an_empty_list_of_a_team_that_has_members_changes_nothing(dropbox, profile):
    download(dropbox, profile, page(people(6)))
    before = rows(profile)
    run = download(dropbox, profile, page([]), counted=6)
    assert (run.state, run.error_kind) == ("failed", "ProtocolError")
    assert "counts 6" in run.error_message and "Nothing was changed" in run.error_remedy
    assert rows(profile) == before


def test_a_shortened_list_ends_nobody_before_a_person_agrees(dropbox, profile):
    download(dropbox, profile, page(people(40)))
    run = download(dropbox, profile, page(people(20)), counted=40)
    assert (run.state, run.counters["withheld"]) == ("held", 20)
    assert "20 of 40 current subscriptions" in run.error_message
    assert len(current(profile)) == 40


BROKEN: dict[str, tuple[Any, str, str]] = {
    "a web page": (Fault(status=200, body="<html>Sign in</html>", headers={"Content-Type": PAGE}), "ProtocolError", ""),
    "truncated JSON": (page(people(3), 2)[:-40], "ProtocolError", "not readable"),
    "garbage": (b"\x00\x01\xff garbage", "ProtocolError", "not readable"),
    "members that are no list": (page({"u1": 1}, 2), "ProtocolError", "not readable"),
    "no word whether it goes on": (json.dumps({"members": [], "cursor": "c"}).encode(), "ProtocolError", "has_more"),
    "more to come, but no cursor": (page(people(1, 3), 2, last=False, cursor=None), "ProtocolError", "circles"),
    "more to come, but an empty cursor": (page(people(1, 3), 2, last=False, cursor=""), "ProtocolError", "circles"),
    "a cursor of another type": (page([], 2, last=False, cursor=7), "ProtocolError", "not readable"),
    "a redirect": (Fault(status=302, headers={"Location": "https://elsewhere.example/"}), "ProtocolError", "302"),
    "an error page": (Fault(status=502, body="<html>Bad gateway</html>"), "TryLater", "502"),
    "nothing": (b"", "ProtocolError", "not readable"),
}


@pytest.mark.parametrize(("second", "kind", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_second_page_leaves_the_old_list(dropbox, profile, second, kind, words):
    download(dropbox, profile, page(people(6)))
    before = rows(profile)

    run = download(dropbox, profile, page([member("joiner")], last=False), second, second, second)

    assert (run.state, run.error_kind) == ("failed", kind)
    assert words in run.error_message and run.error_remedy
    assert run.error_request_id
    assert rows(profile) == before
    staging.drop_orphans()
    assert tables() == []
    assert download(dropbox, profile, page([*people(6), member("joiner")])).counters["new"] == 1


def test_the_same_cursor_for_ever_ends_by_itself(dropbox, profile):
    download(dropbox, profile, page(people(3)))
    before = rows(profile)
    dropbox.log.clear()
    same = page(people(3), last=False)
    run = download(dropbox, profile, same, *[same] * 50)
    assert (run.state, run.error_kind) == ("failed", "ProtocolError")
    assert "circles" in run.error_message
    assert len(dropbox.log) < 5
    assert rows(profile) == before


# --- over a real socket -----------------------------------------------------------------------------------------------


@pytest.fixture
def wired(draft: IntegrationProfile, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A sandbox behind a port, and a profile with a token of it; a call may take half a second and bring 64 kB."""
    tight = base.Limits(deadline=0.5, read_timeout=0.4, attempts=2, backoff=0.0, max_bytes=64 * 1024, page_size=20)
    monkeypatch.setattr(credentials, "limits_for", lambda alias: tight)
    with served(Sandbox()) as world:
        settings.DROPBOX_API_URL = world.url
        settings.DROPBOX_TOKEN_URL = f"{world.url}/oauth2/token"
        team = next(iter(world.sandbox.teams.values()))
        draft.status, draft.team_id = IntegrationProfile.Status.PUBLISHED, team.team_id
        draft.save()
        Credential.objects.filter(alias=draft.alias_id).update(
            state=Credential.State.CONNECTED,
            access_token=world.tokens.token,
            refresh_token=world.refresh_token,
            expires_at=timezone.now() + timezone.timedelta(hours=4),
        )
        yield world.sandbox


GZIP = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
ON_THE_WIRE: dict[str, tuple[Fault, str]] = {
    "a gzip bomb": (Fault(status=200, body=gzip.compress(b" " * 50_000_000), headers=GZIP), "larger than 65,536 bytes"),
    "gzip that is none": (Fault(status=200, body=b"not gzip at all", headers=GZIP), "was lost"),
    "a slow drip": (Fault(delivery=Delivery(drip=0.02)), "did not answer completely within"),
    "a slow drip of headers": (Fault(delivery=Delivery(drip=0.02, drip_headers=True)), "did not answer completely"),
    "half an answer": (Fault(delivery=Delivery(truncate=500)), "was lost"),
    "a reset": (Fault(delivery=Delivery(reset=True)), "was lost"),
}


@pytest.mark.parametrize(("fault", "words"), ON_THE_WIRE.values(), ids=ON_THE_WIRE)
def test_trouble_on_the_wire_leaves_the_old_list(wired, draft, fault, words):
    queue_run(draft)
    [first] = worlds.work()
    assert (first.state, first.error_message) == ("succeeded", "")
    before = rows(draft)
    assert len(before) == 248
    wired.faults.add(CONTINUE, 3, fault)
    wired.faults.add(CONTINUE, 4, fault)

    queue_run(draft)
    [run] = worlds.work()

    assert (run.state, words in run.error_message) == ("failed", True), run.error_message
    assert "next run tries again" in run.error_remedy
    assert rows(draft) == before
