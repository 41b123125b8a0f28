"""Old mails are deleted, with an entry in the audit trail; what may still matter is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from reclamation.asking import purge
from reclamation.models import Notice
from reclamation.states import State
from samsaas import schedule
from samsaas.environment import Environment
from samsaas.models import AuditEntry, Mail
from tests import factories

pytestmark = pytest.mark.django_db


def mail(days: int, *, state: str = "sent", closed: bool | None = True) -> Mail:
    """A mail of so many days ago. `closed` None: about no candidate."""
    at = timezone.now() - timedelta(days=days)
    made = Mail.objects.create(
        to="eve@example.com", subject="S", body="B", state=state, queued_at=at, not_before=at, give_up_at=at
    )
    if closed is not None:
        one = factories.candidate(factories.subscription(), state=State.CLOSED_SKIPPED if closed else State.READY)
        Notice.objects.create(candidate=one, kind="ask", mail=made)
    return made


def test_mails_of_decided_candidates_go_after_their_time(settings: Any) -> None:
    settings.MAIL_RETENTION_DAYS = 100
    gone = [mail(101), mail(400, state="failed"), mail(101, state="withdrawn"), mail(200, closed=None)]
    kept = [mail(99), mail(400, closed=False), mail(400, state="queued")]
    schedule.purge()
    assert set(Mail.objects.all()) == set(kept) and not Mail.objects.filter(pk__in=[one.pk for one in gone]).exists()
    entry = AuditEntry.objects.get(verb="purged mails")
    oldest = timezone.localdate() - timedelta(days=400)
    assert (entry.actor_name, entry.detail["mails"], entry.detail["oldest"]) == ("", 4, oldest.isoformat())
    assert "eve" not in str(entry.detail)
    schedule.purge()
    assert AuditEntry.objects.filter(verb="purged mails").count() == 1


def test_many_go_in_portions(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "AT_ONCE", 2)
    for _ in range(5):
        mail(2000)
    assert purge.run(timezone.now()) == 5 and not Mail.objects.exists() and not Notice.objects.exists()


@pytest.mark.parametrize("text", ["0", "29", "-1", "ever"])
def test_a_time_that_is_too_short_to_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MAIL_RETENTION_DAYS", text)
    with pytest.raises(ImproperlyConfigured, match="MAIL_RETENTION_DAYS"):
        Environment().int("MAIL_RETENTION_DAYS", default=1095, least=30)
