"""Request a reconciliation: by hand, by schedule, or of one software model after what it rests on has changed."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from profiles.jobs import queue
from profiles.models import JobRun
from subscriptions.models import ReconciliationRun
from subscriptions.models.reconciliation import CANCELED as CANCELED
from subscriptions.question import PositionQuestion, ask

RECONCILE = "reconcile"
NEVER_RUN = "It was never run."


def request(
    question: PositionQuestion, *, by: User | None, now: datetime, scheduled_on: date | None = None
) -> tuple[ReconciliationRun | None, bool]:
    """A new reconciliation and True; or the one of the same scope that is under way and False.

    Of a scheduled one there is one for each local date: None and False if it was asked for before.
    """
    settle_ended(now)
    trigger = JobRun.Trigger.SCHEDULE if scheduled_on else JobRun.Trigger.MANUAL
    try:
        with transaction.atomic():
            asked = ReconciliationRun.objects.create(
                requested_by=by,
                scheduled_on=scheduled_on,
                question_date=question.day if question.at else None,
                publishers=list(question.publishers),
                software_model_id=question.model,
                group=question.group,
                subgroup=question.subgroup,
                scope_key=question.scope_key,
                started_at=now,
            )
            asked.run, _ = queue.request(queue.Request(RECONCILE, trigger, subject=asked.pk, by=by))
            asked.save(update_fields=["run"])
    except IntegrityError:
        return ReconciliationRun.objects.filter(scope_key=question.scope_key, finished_at=None).first(), False
    return asked, True


def request_for_model(model_id: int, *, by: User | None, now: datetime) -> ReconciliationRun | None:
    """Have the position of one software model computed anew, because something it rests on has changed.

    Call it in the transaction of the change. One that has not begun will see the change. One that has begun may not, so
    the same is asked again when it ends.
    """
    question = ask(now=now, model=model_id)
    asked, fresh = request(question, by=by, now=now)
    if not fresh and asked is not None:
        begun = ReconciliationRun.objects.filter(pk=asked.pk, finished_at=None)
        if not begun.update(ask_again=True):
            asked, _ = request(question, by=by, now=now)
    return asked


def settle_ended(now: datetime) -> int:
    """End the reconciliations whose job is over without having answered. Returns how many."""
    lost = ReconciliationRun.objects.filter(finished_at=None).filter(Q(run=None) | ~Q(run__state__in=JobRun.ACTIVE))
    return sum(_end(asked, now) for asked in lost.select_related("run"))


def _end(asked: ReconciliationRun, now: datetime) -> int:
    job = asked.run
    problem = job.error_message if job else NEVER_RUN
    if job and job.state == JobRun.State.CANCELED:
        problem = CANCELED
    open_ones = ReconciliationRun.objects.filter(pk=asked.pk, finished_at=None)
    return open_ones.update(state=ReconciliationRun.State.FAILED, finished_at=now, problem=problem[:500])
