"""A connected profile, its seats, rule and candidates, with a stand-in vendor behind it, and ways to work in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from profiles.connection import credentials
from profiles.connectors import base
from profiles.jobs import execute, queue
from profiles.models import Credential, IntegrationProfile, JobRun
from reclamation import find_candidates, workflow
from reclamation.find_candidates import FIND
from reclamation.models import ReclamationRule, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, reclaim, start
from reclamation.rules import versions
from reclamation.states import State
from subscriptions.models import Subscription
from tests import factories
from tests.reclamation.removal.stand_in import StandIn

ADMIN = "dbmid:admin"
TICKS = batches.Ticks(legal_hold=True, evidence=True)


class Place:
    """One profile of a team. A second place may share the team of the first."""

    def __init__(self, team: StandIn | None = None, **rule: Any) -> None:
        now = timezone.now()
        self.team = team or StandIn()
        self.profile: IntegrationProfile = factories.profile(
            team_id=self.team.team_id,
            team_name="Team",
            licenses_reported=self.team.licenses,
            analyze_activity_from=now - timedelta(days=100),
        )
        self.connect()
        self.refresh()
        self.identifier = factories.identifier()
        given = {"notify_user": False, "approver": "none", "reviewed_at": now, **rule}
        self.rule = ReclamationRule.objects.create(
            software_model=self.identifier.software_model, name="Rule", made_at=now, **given
        )
        if ADMIN not in self.team.members:
            self.team.add(ADMIN, is_admin=True, is_full_admin=True, roles=("Team",))

    def connect(self, admin: str = ADMIN) -> None:
        granted = {scope for process in self.profile.vendor_info.processes for scope in process.scopes}
        factories.credential(
            alias=self.profile.alias,
            state=Credential.State.CONNECTED,
            granted_scopes=sorted(granted),
            team_id=self.team.team_id,
            admin_external_id=admin,
            authorized_at=timezone.now(),
        )

    def refresh(self, at: datetime | None = None) -> None:
        """Directory and activity are read until now."""
        now = at or timezone.now()
        IntegrationProfile.objects.filter(pk=self.profile.pk).update(refreshed_at=now, activity_refreshed_at=now)
        self.profile.coverage.all().delete()
        factories.coverage(self.profile, now - timedelta(days=100), now)
        self.profile.refresh_from_db()

    def seat(self, name: str, *, at_vendor: bool = True, **fields: Any) -> Subscription:
        """A seat that was last used 80 days ago, here and at the vendor."""
        external_id = f"dbmid:{name}"
        seen = timezone.now() - timedelta(days=200)
        status = fields.get("status", "active")
        account = "" if status == "invited" else f"dbid:{external_id}"
        seat = factories.subscription(
            profile=self.profile,
            identifier=self.identifier,
            external_id=external_id,
            account_id=account,
            email=f"{name}@example.com",
            first_seen_at=seen,
            assigned_at=seen,
            **fields,
        )
        if status != "invited":
            factories.activity(seat, timezone.now() - timedelta(days=80))
        if at_vendor and external_id not in self.team.members:
            self.team.add(external_id, status=status, account_id=account, email=seat.email)
        return seat

    def candidate(self, name: str, *, seat: dict[str, Any] | None = None, **fields: Any) -> RemovalCandidate:
        """A candidate that a find has opened for a seat."""
        row = self.seat(name, **(seat or {}))
        given = {
            "rule": self.rule,
            "reason": "idle",
            "status_at_opening": row.status,
            "was_admin": row.is_admin,
            "opened_at": timezone.now() - timedelta(days=2),
            "software_model": str(self.identifier.software_model),
        }
        return factories.candidate(row, **{**given, **fields})

    def reclaim(self, *candidates: RemovalCandidate, by: User | None, **options: Any) -> RemovalBatch:
        """Press Reclaim."""
        given = {"ticks": TICKS, "now": timezone.now(), **options}
        return batches.make(list(candidates), by=by, **given)

    def find(self) -> JobRun:
        """A find of candidates, to its end."""
        if not self.rule.versions.exists():
            versions.add_version(self.rule, by=None, now=timezone.now())
        run, _ = queue.request(queue.Request(FIND, JobRun.Trigger.SCHEDULE, profile=self.profile))
        assert run is not None
        execute.run(run.pk, find_candidates.run)
        run.refresh_from_db()
        assert run.state == JobRun.State.SUCCEEDED, run.error_message
        return run

    def work(self) -> JobRun | None:
        """A run of removals, to its end."""
        return work(self.profile)


def work(profile: IntegrationProfile) -> JobRun | None:
    """Execute a run of removals of the profile."""
    run, _ = queue.request(queue.Request(base.RECLAIM, JobRun.Trigger.SCHEDULE, profile=profile))
    if run is None:
        return None
    execute.run(run.pk, reclaim.run)
    run.refresh_from_db()
    return run


def plug(monkeypatch: Any, teams: dict[int, StandIn]) -> None:
    """Have profiles call these teams instead of a vendor."""

    def open_connector(profile: IntegrationProfile, purpose: str, *, wait: Any = None) -> Any:
        credential = credentials.credential_for(profile, purpose)
        if not credential.is_connected:
            raise base.Reconnect("No administrator has authorized this connection yet.")
        return teams[profile.pk].connector()

    monkeypatch.setattr(credentials, "open_connector", open_connector)
    monkeypatch.setattr(queue, "_send_task", lambda *given: True)


def sam_admin(name: str) -> User:
    user = User.objects.create(username=name)
    user.groups.add(Group.objects.get(name="sam_admin"))
    return user


def attempt_of(candidate: RemovalCandidate) -> RemovalAttempt:
    """The candidate's latest attempt."""
    found = RemovalAttempt.objects.filter(candidate=candidate).order_by("-pk").first()
    assert found
    return found


def state_of(candidate: RemovalCandidate) -> str:
    candidate.refresh_from_db()
    return candidate.state


def go_on(candidate: RemovalCandidate, *, by: User | None) -> None:
    """Everybody who had to be asked has answered, or was silent for long enough."""
    candidate.refresh_from_db()
    workflow.revoke(candidate, reason="Nobody keeps it.", by=by, now=timezone.now())
    start.approve(candidate, timezone.now(), by=by)


def states(*candidates: RemovalCandidate) -> list[str]:
    return [state_of(one) for one in candidates]


REVOCATION = State.AWAITING_REVOCATION
