"""Reminders of renewals: in time, once each, to the right people, and no more once somebody has decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from samsaas import outbox, schedule
from samsaas.models import AuditEntry, Mail
from subscriptions.entitlements import edit
from subscriptions.models import Entitlement, RenewalReminder
from subscriptions.renewals import remind
from tests import factories, pages
from tests.subscriptions.entitlements.owned_world import published
from tests.subscriptions.renewals.renewal_world import ending, reconcile, use, worked_example

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
START = "2026-06-01 09:00:00+00:00"


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def calendar() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    client = signed_in("sam_user")
    client.user.email = "keeper@example.com"
    client.user.save()
    return client


def pass_days(calendar: Any, count: int) -> list[int]:
    """Let days go by, with two rounds each. Gives the reminders that were sent."""
    for _ in range(count):
        remind.run(timezone.now())
        calendar.shift(timedelta(hours=9))
        remind.run(timezone.now())
        calendar.shift(timedelta(hours=15))
    return list(RenewalReminder.objects.order_by("pk").values_list("days_before", flat=True))


def test_sixty_thirty_fourteen_seven_and_one_days_before_and_never_twice(calendar: Any, keeper: Any) -> None:
    one = worked_example(keeper.user, in_days=100)
    assert pass_days(calendar, 110) == [60, 30, 14, 7, 1]
    days = [(one.end + timedelta(days=1 - 30) - sent.date()).days for sent in sorted(sent_at())]
    assert days == [60, 30, 14, 7, 1]
    told = AuditEntry.objects.filter(verb="reminded of renewal", object_id=str(one.pk))
    assert sorted(entry.detail["days_before"] for entry in told) == [1, 7, 14, 30, 60]
    assert told[0].detail["to"] == ["sam_user"] and told[0].actor_name == ""


def sent_at() -> Any:
    return RenewalReminder.objects.values_list("at", flat=True)


def test_the_mail_says_what_to_do_by_when_and_where(calendar: Any, keeper: Any, settings: Any) -> None:
    settings.PUBLIC_URL = "https://licenses.example.com"
    one = worked_example(keeper.user, in_days=88)
    remind.run(timezone.now())
    mail = Mail.objects.get()
    assert mail.to == "keeper@example.com"
    assert mail.subject == "By 30 July 2026: Dropbox Files Advanced, renew with 81 of 100 rights"
    for said in (
        f"{one.number}, 100 rights of Dropbox Files Advanced, ends on 28 August 2026",
        "Renew with 81 rights, 19 fewer than the 100 of today. That is −USD 3,420.00 a year.",
        f"https://licenses.example.com/renewals/{one.pk}/",
    ):
        assert said in mail.body
    page = keeper.get(f"/renewals/{one.pk}/").content.decode()
    assert pages.rows(page, "Before")["60 days"][:3] == ["30 Jul 2026", "sam_user", "Queued"]


def test_a_night_without_a_beat_is_made_up_for_by_one_mail(calendar: Any, keeper: Any) -> None:
    worked_example(keeper.user, in_days=100)
    calendar.shift(timedelta(days=100 + 1 - 30 - 12))  # 12 days are left, and nobody was reminded
    assert pass_days(calendar, 3) == [14]


def test_what_is_recorded_late_is_reminded_of_at_once(calendar: Any, keeper: Any) -> None:
    worked_example(keeper.user, in_days=31)
    assert pass_days(calendar, 1) == [7]
    assert "By 3 June 2026" in Mail.objects.get().subject


@pytest.mark.parametrize("decide", ["asked", "renewed", "retired"])
def test_it_stops_when_somebody_has_decided_and_what_is_queued_is_not_sent(
    calendar: Any, keeper: Any, decide: str
) -> None:
    one, now = worked_example(keeper.user, in_days=88), timezone.now()
    remind.run(now)
    assert Mail.objects.get().state == Mail.State.QUEUED
    if decide == "asked":
        edit.note_reduction(one, 81, timezone.localdate(), by=keeper.user, now=now)
    elif decide == "renewed":
        draft = edit.save_draft(edit.draft_renewal(one), by=keeper.user, now=now)
        edit.publish(draft, by=keeper.user, now=now)
    else:
        edit.retire(one, timezone.localdate(), reason="Canceled", by=keeper.user, now=now)
    assert pass_days(calendar, 70) == [60]
    assert Mail.objects.get().state == Mail.State.WITHDRAWN


def test_a_draft_of_a_renewal_stops_nothing_and_a_note_taken_back_goes_on(calendar: Any, keeper: Any) -> None:
    one, now = worked_example(keeper.user, in_days=88), timezone.now()
    edit.save_draft(edit.draft_renewal(one), by=keeper.user, now=now)
    assert pass_days(calendar, 5) == [60]
    edit.note_reduction(one, 81, timezone.localdate(), by=keeper.user, now=timezone.now())
    assert pass_days(calendar, 30) == [60]
    edit.drop_reduction(one, by=keeper.user, now=timezone.now())
    assert pass_days(calendar, 1) == [60, 30]


def test_another_end_is_reminded_of_anew(calendar: Any, keeper: Any) -> None:
    one, now = worked_example(keeper.user, in_days=88), timezone.now()
    remind.run(now)
    end = one.end + timedelta(days=200)
    edit.correct(one, {"end": end}, version=one.version, reason="Contract", by=keeper.user, now=now)
    assert pass_days(calendar, 201) == [60, 60]
    assert Mail.objects.filter(state=Mail.State.WITHDRAWN).count() == 1


@pytest.mark.parametrize(
    ("in_days", "fields", "sent"),
    [
        (149, {"notice_days": 90}, [60]),  # long before its end is within 90 days
        (59, {"notice_days": 0}, [60]),
        (28, {}, []),  # too late
        (-1, {"notice_days": 0}, []),
        (300, {}, []),
    ],
)
def test_only_while_the_vendor_still_takes_a_reduction(
    calendar: Any, keeper: Any, in_days: int, fields: Any, sent: list[int]
) -> None:
    worked_example(keeper.user, in_days=in_days, **fields)
    assert pass_days(calendar, 1) == sent


def test_of_what_is_not_in_the_position_nobody_is_reminded(calendar: Any, keeper: Any) -> None:
    ending(keeper.user, 88)
    assert pass_days(calendar, 1) == []


def test_the_owner_is_reminded_first_then_who_published_it_then_the_administrators(
    calendar: Any, keeper: Any, account: Any
) -> None:
    owner, manager = account("sam_user", username="owner"), account("sam_admin", username="manager")
    for user in (owner, manager):
        user.email = f"{user.username}@example.com"
        user.save()
    model = factories.software_model()
    use(model, 3)
    for fields in ({"owner": owner}, {}, {}):
        ending(keeper.user, 88, model, **fields)
    Entitlement.objects.filter(pk=Entitlement.objects.latest("pk").pk).update(published_by=None)
    reconcile()
    remind.run(timezone.now())
    told = RenewalReminder.objects.order_by("entitlement_id").values_list("mail__to", flat=True)
    assert list(told) == ["owner@example.com", "keeper@example.com", "manager@example.com"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}, {"email": "no address"}])
def test_whoever_cannot_be_written_to_is_passed_over(calendar: Any, keeper: Any, settings: Any, change: Any) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    one = worked_example(keeper.user, in_days=88)
    type(keeper.user).objects.filter(pk=keeper.user.pk).update(**change)
    assert remind.run(timezone.now()) == 1
    reminder = RenewalReminder.objects.get()
    assert (reminder.account, reminder.mail, Mail.objects.count()) == (None, None, 0)
    assert remind.run(timezone.now()) == 0, "it is noted, so it is not tried every minute"
    assert AuditEntry.objects.get(verb="reminded of renewal").detail["to"] == []
    type(keeper.user).objects.update(is_active=True)
    assert "nobody with an address" in pages.text_of(keeper.get(f"/renewals/{one.pk}/").content.decode())


def test_without_a_mail_server_the_outbox_keeps_the_reminder_also_of_an_account_without_an_address(
    calendar: Any, keeper: Any, signed_in: Any, settings: Any
) -> None:
    settings.MAIL_ANY_HOUR = True
    one = worked_example(keeper.user, in_days=88)
    type(keeper.user).objects.update(email="")
    remind.run(timezone.now())
    schedule.send_mails()
    mail, admin = Mail.objects.get(), signed_in("sam_admin")
    assert (mail.to, mail.kept, mail.state) == (keeper.user.username, True, Mail.State.SENT)
    for query, rows in (("", 1), ("?kind=renewal", 1), ("?kind=test", 0), ("?kind=ask", 0)):
        assert pages.rows_behind(admin, f"/outbox/{query}") == rows, query
    row = pages.rows(admin.get("/outbox/").content.decode(), "Subject")[f"{mail.subject} Renewal reminder"]
    assert row[1:3] == [one.number, "Kept here"]
    page = admin.get(f"/outbox/{mail.pk}/").content.decode()
    assert "Renewal reminder" in page and f'href="{one.get_absolute_url()}"' in page


def test_whoever_lost_the_role_is_not_written_to(calendar: Any, keeper: Any) -> None:
    worked_example(keeper.user, in_days=88)
    keeper.user.groups.clear()
    remind.run(timezone.now())
    assert not Mail.objects.exists()


def test_the_beat_reminds_and_the_outbox_sends(calendar: Any, keeper: Any, settings: Any) -> None:
    settings.MAIL_ANY_HOUR = True
    worked_example(keeper.user, in_days=88)
    schedule.remind_of_renewals()
    schedule.send_mails()
    assert Mail.objects.get().state == Mail.State.SENT
    assert outbox.send_due(timezone.now()) == {"given_up": 0}


def test_a_quiet_minute_costs_few_queries(calendar: Any, keeper: Any, django_assert_max_num_queries: Any) -> None:
    worked_example(keeper.user, in_days=88)
    published(keeper.user, factories.software_model(), end=None)
    remind.run(timezone.now())
    with django_assert_max_num_queries(5):
        remind.run(timezone.now())
