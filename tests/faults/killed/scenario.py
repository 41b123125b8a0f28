"""Removals of some accounts by a worker that is killed again and again, until every one of them has ended.

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
from django.core.management import call_command
from django.db import close_old_connections
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import Sandbox
from reclamation import attempts
from reclamation.models import Notice, RemovalAttempt, RemovalCandidate, SavingsEntry
from reclamation.removal import move, restore
from reclamation.states import State
from samsaas.models import Mail
from subscriptions.models import Subscription
from tests import compose
from tests.faults.idle_team import IdleTeam
from tests.mail_server import MailServer

Attempt = RemovalAttempt.State
OVER = (Attempt.CLOSED, Attempt.RESTORED, Attempt.NEEDS_HUMAN)
ASKED = 3
TICKS = ("sweep", "sweep_removals", "sweep_asking", "send_mails")
PAUSE = 0.7
WORKER = ("-m", "celery", "-A", "tests.faults.killed.worker", "worker", "--concurrency", "2", "--loglevel", "INFO")


class Scenario:
    """One installation, from the first press to the end of every attempt."""

    def __init__(
        self, sandbox: Sandbox, post: MailServer, folder: Path, points: tuple[str, ...], accounts: int
    ) -> None:
        self.sandbox, self.post, self.folder, self.accounts = sandbox, post, folder, accounts
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
        self.idle_team = IdleTeam(self.sandbox)
        self.ann = self.idle_team.ann
        asking = self.idle_team.rule(notify_user=True, notice_days=1, remind_before=[])
        self.idle_team.candidates(asking, ASKED)
        self.idle_team.candidates(self.idle_team.rule(), self.accounts - ASKED)

    def _press(self) -> None:
        self.idle_team.press(list(RemovalCandidate.objects.order_by("pk")))

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
        times = self.idle_team.times_done()
        ended = list(RemovalAttempt.objects.order_by("pk"))
        closed = [one for one in ended if one.state == Attempt.CLOSED]
        restored = [one for one in ended if one.state == Attempt.RESTORED]
        return {
            "not reached": sorted(path.name for path in self.points.iterdir()),
            "workers started": self.started,
            "ended": dict(Counter(one.state for one in ended)),
            "without an end": self.accounts - len([one for one in ended if one.state in OVER]),
            "with a person": sum(one.state == Attempt.NEEDS_HUMAN for one in ended),
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
        ids: dict[tuple[str, str], set[str]] = {}
        for one in self.post.received:
            ids.setdefault((str(one["To"]), str(one["Subject"])), set()).add(str(one["Message-ID"]))
        return sum(len(found) > 1 for found in ids.values())
