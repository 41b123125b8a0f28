"""A connected profile of a sandbox's team, and its members whom nobody has seen at work for weeks as candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Sandbox, log
from profiles.connectors.dropbox.sandbox.team import status_of
from profiles.jobs import execute, queue
from profiles.models import Credential, IntegrationProfile, JobRun
from reclamation.models import ReclamationRule, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, reclaim
from subscriptions.models import Subscription
from tests import factories, worlds

TICKS = batches.Ticks(legal_hold=True, evidence=True)
QUOTA = 40
SEEN_WITHIN = 99  # days for which activity is known


class IdleTeam:
    """The first team of a sandbox, which is served already, and the product's side of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.team = sandbox, next(iter(sandbox.teams.values()))
        self.ann, self.bob = self.account("ann", "sam_admin"), self.account("bob", "sam_admin")
        self.profile = self._connect()
        self._idle = self._find_idle()

    def account(self, name: str, role: str) -> User:
        """Somebody with this role."""
        made = User.objects.create(username=name)
        made.groups.add(Group.objects.get(name=role))
        return made

    def _connect(self) -> IntegrationProfile:
        access, refresh = self.sandbox.grant()
        made = worlds.draft_profile("Dropbox", status="published", team_id=self.team.team_id)
        type(made.alias).objects.filter(pk=made.alias.pk).update(reclaim_quota=QUOTA)
        IntegrationProfile.objects.filter(pk=made.pk).update(reclaim=True, licenses_reported=self.team.licensed)
        credential = Credential.objects.get(alias=made.alias)
        credential.state, credential.team_id = Credential.State.CONNECTED, self.team.team_id
        credential.access_token, credential.refresh_token = access, refresh
        credential.expires_at = timezone.now() + timedelta(days=60)
        credential.granted_scopes = sorted({one for each in made.vendor_info.processes for one in each.scopes})
        credential.admin_external_id = self.admin_id
        credential.save()
        self.profile = made
        self.refresh()
        return made

    @property
    def admin_id(self) -> str:
        """Who connected, and receives the files."""
        return str(self.team.admins()[0]["profile"]["team_member_id"])

    def refresh(self) -> None:
        """Directory and activity are as if they had been read until now."""
        now = timezone.now()
        fresh = {"refreshed_at": now, "activity_refreshed_at": now, "analyze_activity_from": now - timedelta(99)}
        IntegrationProfile.objects.filter(pk=self.profile.pk).update(**fresh)
        self.profile.coverage.all().delete()
        factories.coverage(self.profile, now - timedelta(days=SEEN_WITHIN), now)
        self.profile.refresh_from_db()

    def _find_idle(self) -> Iterator[Any]:
        """Active members without a role, of whom neither log nor sessions know any use of the last 40 days."""
        now = timezone.now()
        for index, member in enumerate(self.team.members):
            full = member["profile"]["membership_type"][".tag"] == "full"
            plain = status_of(member) == "active" and full and not member["roles"]
            if plain and log.last_seen(self.team, index, member, now) is None:
                yield member

    def rule(self, **fields: Any) -> ReclamationRule:
        """A rule that asks nobody, unless `fields` say otherwise."""
        model, now = factories.identifier().software_model, timezone.now()
        given = {"threshold_days": 30, "approver": "none", "notify_user": False, "made_at": now, "reviewed_at": now}
        return ReclamationRule.objects.create(software_model=model, name="Rule", **{**given, **fields})

    def candidates(self, rule: ReclamationRule, count: int) -> list[RemovalCandidate]:
        """Ready candidates of the next idle members."""
        return [self.candidate(next(self._idle), rule) for _ in range(count)]

    def candidate(self, member: Any, rule: ReclamationRule) -> RemovalCandidate:
        profile, long_ago = member["profile"], timezone.now() - timedelta(days=300)
        seat = factories.subscription(
            profile=self.profile,
            identifier=rule.software_model.identifiers.get(),
            external_id=profile["team_member_id"],
            account_id=profile["account_id"],
            email=profile["email"],
            first_seen_at=long_ago,
            known_since=timezone.now(),
            assigned_at=long_ago,
        )
        factories.activity(seat, timezone.now() - timedelta(days=80))
        about = {"rule": rule, "reason": "idle", "status_at_opening": "active", "was_admin": False}
        return factories.candidate(seat, **about, software_model=str(rule.software_model))

    def press(self, candidates: Sequence[RemovalCandidate]) -> RemovalBatch:
        """Ann presses Reclaim."""
        return batches.make(candidates, by=self.ann, now=timezone.now(), ticks=TICKS)

    def work(self) -> JobRun | None:
        """A run of removals, to its end, whatever it was put off until."""
        queue.start_waiting()
        JobRun.objects.filter(state=JobRun.State.QUEUED).update(not_before=None)
        run, _ = queue.request(queue.Request(base.RECLAIM, JobRun.Trigger.SCHEDULE, profile=self.profile))
        if run is None:
            return None
        execute.run(run.pk, reclaim.run)
        run.refresh_from_db()
        return run

    def member(self, external_id: str) -> Any:
        found = self.team.find("team_member_id", external_id)
        assert found
        return found

    def times_done(self) -> Counter[tuple[str, str]]:
        """How many times each effect took place, by what it was and for whom."""
        return Counter((one.what, one.member_id) for one in self.sandbox.done)

    def is_removed(self, external_id: str) -> bool:
        return bool(status_of(self.member(external_id)) == "removed")

    def calls(self, route: str) -> int:
        """How many calls of a route have reached the vendor."""
        return sum(called == route for called, _ in self.sandbox.log)

    def states(self) -> Counter[str]:
        return Counter(RemovalAttempt.objects.values_list("state", flat=True))

    def seat(self, external_id: str) -> Subscription:
        return Subscription.objects.get(external_id=external_id)
