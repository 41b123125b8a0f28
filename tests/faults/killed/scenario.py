"""Removals of fourteen accounts by a worker that is killed again and again, until every one of them has ended.

1. A connected profile, idle accounts of the sandbox, two rules: one asks users by mail, one asks nobody.
2. Reclaim is pressed. From here on only the worker's processes act, woken by the beat's tasks, and are started again.
3. Somebody presses *Restore* for every other removed account, and *Move files now* for the rest.
4. What the vendor did is held against what is stored.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Celery
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import close_old_connections
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Sandbox, log
from profiles.connectors.dropbox.sandbox.team import status_of
from profiles.models import Credential, IntegrationProfile
from reclamation import attempts
from reclamation.models import Notice, ReclamationRule, RemovalAttempt, RemovalCandidate, SavingsEntry
from reclamation.removal import batches, move, restore
from reclamation.states import State
from samsaas.models import Mail
from subscriptions.models import Subscription
from tests import compose, factories, worlds
from tests.mail_server import MailServer

Attempt = RemovalAttempt.State
ACCOUNTS, ASKED = 14, 3
TICKS = ("sweep", "sweep_removals", "sweep_asking", "send_mails")
PAUSE = 0.7
WORKER = ("-m", "celery", "-A", "tests.faults.killed.worker", "worker", "--concurrency", "2", "--loglevel", "INFO")


class Scenario:
    """One installation, from the first press to the end of every attempt."""

    def __init__(self, sandbox: Sandbox, post: MailServer, folder: Path, points: tuple[str, ...]) -> None:
        self.sandbox, self.post, self.folder = sandbox, post, folder
        self.team = next(iter(sandbox.teams.values()))
        self.points = folder / "points"
        self.points.mkdir()
        for point in points:
            (self.points / point).touch()
        self.worker: subprocess.Popen[bytes] | None = None
        self.started = 0

    def play(self, seconds: float) -> dict[str, Any]:
        """Everything. Ends after so many seconds at the latest."""
        self._prepare()
        broker, began = Celery(broker=settings.CELERY_BROKER_URL), time.monotonic()
        try:
            self._press()
            for number in range(10_000):
                self._keep_worker()
                self.sandbox.work.always_jobs = number % 2 == 0
                for task in TICKS:
                    broker.send_task(f"samsaas.schedule.{task}", expires=5)
                self._act(number)
                if self._is_over() or time.monotonic() - began > seconds:
                    break
                time.sleep(PAUSE)
                close_old_connections()
        finally:
            self._stop()
        return {**self._judge(), "seconds": round(time.monotonic() - began)}

    # --- the installation ------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0)
        work = self.sandbox.work
        work.job_takes = work.transfer_takes = timedelta(seconds=1)
        work.log_lag = timedelta(0)
        self.ann = User.objects.create(username="ann")
        self.ann.groups.add(Group.objects.get(name="sam_admin"))
        self.profile = self._profile()
        silent = self._rule(notify_user=False)
        asking = self._rule(notify_user=True, notice_days=1, remind_before=[])
        idle = self._idle_members()[:ACCOUNTS]
        for place, member in enumerate(idle):
            self._candidate(member, asking if place < ASKED else silent)

    def _profile(self) -> IntegrationProfile:
        access, refresh = self.sandbox.grant()
        now = timezone.now()
        made = worlds.draft_profile("Dropbox", status="published", team_id=self.team.team_id, refreshed_at=now)
        type(made.alias).objects.filter(pk=made.alias.pk).update(reclaim_quota=40)
        IntegrationProfile.objects.filter(pk=made.pk).update(
            licenses_reported=400, reclaim=True, activity_refreshed_at=now, analyze_activity_from=now - timedelta(99)
        )
        credential = Credential.objects.get(alias=made.alias)
        credential.state, credential.team_id = Credential.State.CONNECTED, self.team.team_id
        credential.access_token, credential.refresh_token = access, refresh
        credential.expires_at = now + timedelta(hours=4)
        credential.granted_scopes = sorted({one for each in made.vendor_info.processes for one in each.scopes})
        credential.admin_external_id = self.team.admins()[0]["profile"]["team_member_id"]
        credential.save()
        factories.coverage(made, now - timedelta(days=99), now)
        made.refresh_from_db()
        return made

    def _rule(self, **fields: Any) -> ReclamationRule:
        model, now = factories.identifier().software_model, timezone.now()
        given = {"threshold_days": 30, "approver": "none", "made_at": now, "reviewed_at": now, **fields}
        return ReclamationRule.objects.create(software_model=model, name="Rule", **given)

    def _idle_members(self) -> list[Any]:
        """Active members without a role, of whom neither log nor sessions know any use of the last 40 days."""
        now = timezone.now()
        return [
            member
            for index, member in enumerate(self.team.members)
            if status_of(member) == "active"
            and not member["roles"]
            and member["profile"]["membership_type"][".tag"] == "full"
            and log.last_seen(self.team, index, member, now) is None
        ]

    def _candidate(self, member: Any, rule: ReclamationRule) -> None:
        profile, long_ago = member["profile"], timezone.now() - timedelta(days=300)
        seat = factories.subscription(
            profile=self.profile,
            identifier=rule.software_model.identifiers.get(),
            external_id=profile["team_member_id"],
            account_id=profile["account_id"],
            email=profile["email"],
            first_seen_at=long_ago,
            assigned_at=long_ago,
        )
        factories.activity(seat, timezone.now() - timedelta(days=80))
        about = {"rule": rule, "reason": "idle", "status_at_opening": "active", "was_admin": False}
        factories.candidate(seat, **about, software_model=str(rule.software_model))

    def _press(self) -> None:
        ready = list(RemovalCandidate.objects.order_by("pk"))
        batches.make(ready, by=self.ann, now=timezone.now(), ticks=batches.Ticks(legal_hold=True, evidence=True))

    # --- the worker ------------------------------------------------------------------------------------------------

    def _keep_worker(self) -> None:
        """Start the worker, again if it died as a whole."""
        if self.worker and self.worker.poll() is None:
            return
        said = (self.folder / "worker.log").open("ab")
        command = [sys.executable, *WORKER, "--pidfile="]
        self.worker = subprocess.Popen(
            command, cwd=compose.ROOT, env=dict(os.environ), stdout=said, stderr=said, start_new_session=True
        )
        self.started += 1

    def _stop(self) -> None:
        if self.worker and self.worker.poll() is None:
            os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()

    # --- people ----------------------------------------------------------------------------------------------------

    def _act(self, number: int) -> None:
        """What people do, and the days that pass by: the notice ends, nothing is put off for long."""
        now = timezone.now()
        sent = Notice.objects.filter(mail__state=Mail.State.SENT, expires_at__gt=now)
        RemovalCandidate.objects.filter(state=State.AWAITING_USER, deadline__gt=now, notices__in=sent).update(
            deadline=now
        )
        sent.update(expires_at=now)
        waiting = RemovalAttempt.objects.filter(closed_at=None, state__in=attempts.UNSENT)
        waiting.filter(not_before__gt=now + timedelta(seconds=3)).update(not_before=None)
        for attempt in RemovalAttempt.objects.filter(state=Attempt.REMOVED, lease_until=None):
            try:
                if attempt.pk % 2 and attempt.restored_at is None:
                    restore.request(attempt, by=self.ann, now=now)
                else:
                    move.request_now(attempt, by=self.ann, now=now)
            except (restore.NotRestorable, move.NotMovable):
                continue

    def _is_over(self) -> bool:
        open_ones = RemovalAttempt.objects.filter(closed_at=None).exclude(state=Attempt.NEEDS_HUMAN)
        asked = RemovalCandidate.objects.open().exclude(state=State.ATTENTION_REQUIRED)
        return not open_ones.exists() and not asked.exists()

    # --- the judgment ----------------------------------------------------------------------------------------------

    def _judge(self) -> dict[str, Any]:
        """What the vendor and the mail server did, against what is stored."""
        times = Counter((one.what, one.member_id) for one in self.sandbox.done)
        ended = list(RemovalAttempt.objects.order_by("pk"))
        closed = [one for one in ended if one.state == Attempt.CLOSED]
        restored = [one for one in ended if one.state == Attempt.RESTORED]
        return {
            "not reached": sorted(path.name for path in self.points.iterdir()),
            "workers started": self.started,
            "ended": dict(Counter(one.state for one in ended)),
            "without an end": sum(one.state not in (Attempt.CLOSED, Attempt.RESTORED) for one in ended)
            + ACCOUNTS
            - len(ended),
            "removed twice": sum(count > 1 for (what, _), count in times.items() if what == "remove"),
            "false removed": sum(not times["remove", one.external_id] for one in ended if one.withdrawn_at),
            "restored twice": sum(count > 1 for (what, _), count in times.items() if what == "recover"),
            "false restored": sum(not times["recover", one.external_id] for one in restored),
            "files not moved once": sum(times["transfer", one.external_id] != 1 for one in closed),
            "files of restored members moved": sum(times["transfer", one.external_id] for one in restored),
            "seats wrong": self._wrong_seats(closed, restored),
            "ledger wrong": self._wrong_ledger(closed, restored),
            "mails with two identities": self._mails_with_two_identities(),
            "users not written to": ASKED - len({one["To"] for one in self.post.received}),
        }

    def _wrong_seats(self, closed: list[RemovalAttempt], restored: list[RemovalAttempt]) -> int:
        seats = Subscription.objects.in_bulk(field_name="pk")
        by_member = {seat.external_id: seat for seat in seats.values()}
        kept = sum(by_member[one.external_id].ended_at is None for one in closed)
        return kept + sum(by_member[one.external_id].ended_at is not None for one in restored)

    def _wrong_ledger(self, closed: list[RemovalAttempt], restored: list[RemovalAttempt]) -> int:
        sums: Counter[int] = Counter()
        for candidate, quantity in SavingsEntry.objects.values_list("candidate", "quantity"):
            sums[candidate] += quantity
        return sum(sums[one.candidate_id] != 1 for one in closed) + sum(sums[one.candidate_id] for one in restored)

    def _mails_with_two_identities(self) -> int:
        """A mail whose answer was lost is sent again, and has to be the same one for whoever reads it."""
        ids: dict[str, set[str]] = {}
        for one in self.post.received:
            ids.setdefault(str(one["To"]), set()).add(str(one["Message-ID"]))
        return sum(len(found) > 1 for found in ids.values())
