"""Moments in the time zone that a person chose; days stay the installation's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from samsaas.lib import person_zone
from samsaas.models import AuditEntry, PersonalZone
from tests import factories, pages

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ZONE = "/accounts/me/time-zone/"
LATE = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


@pytest.fixture
def auditor(signed_in: Any, settings: Any) -> Any:
    settings.TIME_ZONE = "Europe/Berlin"
    factories.audit_entry(at=LATE, actor_name="ann", verb="did something")
    return signed_in("sam_admin")


def test_moments_follow_the_person_and_days_the_installation(auditor: Any) -> None:
    assert "3 Mar 2026, 00:30" in auditor.get("/audit/").content.decode()
    auditor.post(ZONE, {"zone": "America/New_York"})
    page = auditor.get("/audit/?since=2026-03-03&until=2026-03-03").content.decode()
    assert "2 Mar 2026, 18:30" in page, "the filter's day is Berlin's"
    assert "Times are shown in America/New_York, days are those of Europe/Berlin;" in pages.text_of(page)
    assert "Time zone: America/New_York" in pages.text_of(page), "the account menu leads to the choice"


def test_a_zone_is_everybodys_own_and_on_record(auditor: Any, signed_in: Any) -> None:
    auditor.post(ZONE, {"zone": "Asia/Tokyo"})
    assert "3 Mar 2026, 00:30" in signed_in("admin").get("/audit/").content.decode()
    entry = AuditEntry.objects.get(verb="changed own time zone")
    assert entry.detail == {"before": "", "after": "Asia/Tokyo"} and entry.actor_id == auditor.user.pk
    auditor.post(ZONE, {"zone": ""})
    assert not PersonalZone.objects.exists() and "3 Mar 2026, 00:30" in auditor.get("/audit/").content.decode()


def test_a_place_that_is_none_is_refused_and_one_that_is_gone_is_the_installations(auditor: Any) -> None:
    for name in ("Mars/Olympus", "../etc/passwd", "x" * 500):
        auditor.post(ZONE, {"zone": name})
    assert not PersonalZone.objects.exists()
    PersonalZone.objects.create(account=auditor.user, zone="Atlantis/Center")
    assert "3 Mar 2026, 00:30" in auditor.get("/audit/").content.decode()


def test_outside_a_request_moments_are_the_installations(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert person_zone.describe_moment(LATE) == "3 Mar 2026, 00:30"
