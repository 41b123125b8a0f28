"""Who is told of what by mail: those who can act at once, everybody as they choose, nobody of what they may not see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from samsaas.events import tell
from samsaas.models import Mail, Notification, NotificationChoices
from tests.samsaas.events.events_world import MONDAY, event

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
DAY = timedelta(days=1)


def mails() -> list[tuple[str, str]]:
    return list(Mail.objects.order_by("pk").values_list("to", "subject"))


def test_a_failed_refresh_is_mailed_at_once_to_whoever_can_act_on_it(account: Any) -> None:
    for role in ("sam_integrator", "sam_admin", "sam_user"):
        account(role, email=f"{role}@example.com")
    account("admin", email="")
    event()
    tell.run(MONDAY)
    assert mails() == [("sam_integrator@example.com", "Download subscriptions of Dropbox failed")]
    body = Mail.objects.get().body
    assert "/runs/1/" in body and "What to do." in body and "/notifications/settings/" in body
    tell.run(MONDAY)
    assert len(mails()) == 1 and not Notification.objects.filter(told=False).exists()


def test_what_happens_together_is_one_mail(account: Any) -> None:
    account("sam_integrator", email="ann@example.com")
    for number in range(25):
        event(key=str(number))
    tell.run(MONDAY)
    assert mails() == [("ann@example.com", "Download subscriptions of Dropbox failed, and 24 more")]
    assert "And 5 more: " in Mail.objects.get().body


def test_a_person_chooses_what_they_get_and_when(account: Any) -> None:
    integrator, reader = (
        account("sam_integrator", email="ann@example.com"),
        account("sam_user", email="bob@example.com"),
    )
    NotificationChoices.objects.create(user=integrator, by_kind={"run.failed": "off"})
    NotificationChoices.objects.create(user=reader, by_kind={"run.failed": "at_once"}, any_hour=True)
    event()
    tell.run(MONDAY.replace(hour=3))
    mail = Mail.objects.get()
    assert mail.to == "bob@example.com" and mail.any_hour and mail.not_before == MONDAY.replace(hour=3)


def test_at_night_a_mail_waits_for_office_hours(account: Any) -> None:
    account("sam_integrator", email="ann@example.com")
    event()
    tell.run(MONDAY.replace(hour=3))
    assert Mail.objects.get().not_before > MONDAY.replace(hour=3)


def test_once_a_day_means_one_mail_in_the_morning_with_what_came_since_the_last(account: Any) -> None:
    account("sam_admin", email="ann@example.com")
    event("candidates.found", "1", title="3 new removal candidates")
    event("seat.restored", "1", title="Bob was restored")
    tell.run(MONDAY.replace(hour=5))
    assert mails() == []
    tell.run(MONDAY.replace(hour=9))
    tell.run(MONDAY.replace(hour=10))
    assert mails() == [("ann@example.com", "Today: 3 new removal candidates, and 1 more")]
    event("candidates.found", "2", title="5 new removal candidates")
    tell.run(MONDAY + DAY)
    assert mails()[1:] == [("ann@example.com", "Today: 5 new removal candidates")]
    tell.run(MONDAY + 2 * DAY)
    assert len(mails()) == 2, "nothing happened, so nothing is mailed"


def test_whoever_lost_their_role_or_account_is_told_nothing(account: Any) -> None:
    gone, stripped = account("sam_integrator", email="ann@example.com"), account("", "bob", email="bob@example.com")
    gone.is_active = False
    gone.save()
    for user in (gone, stripped):
        NotificationChoices.objects.create(user=user, by_kind={"run.failed": "at_once"})
    event()
    tell.run(MONDAY)
    assert mails() == []


def test_of_a_webhook_only_administrators_are_told(account: Any) -> None:
    account("admin", email="root@example.com")
    user = account("sam_admin", email="ann@example.com")
    NotificationChoices.objects.create(user=user, by_kind={"webhook.stopped": "at_once"})
    event("webhook.stopped", title="Webhook Chat was switched off")
    tell.run(MONDAY)
    assert [to for to, _ in mails()] == ["root@example.com"]


def test_a_name_with_a_line_end_adds_no_header(account: Any) -> None:
    account("sam_integrator", email="ann@example.com")
    event(title="Evil\r\nBcc: eve@example.com")
    tell.run(MONDAY)
    assert "\n" not in Mail.objects.get().subject and "\r" not in Mail.objects.get().subject
