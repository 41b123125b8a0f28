"""What is deleted when it is old enough: each kind with its period, which rows are old, and which of those are needed.

A kind is a list of groups of rows that are deleted together. Rows that somebody may still need are left where they
are, and looked at again on the next day. Two things never fall under a period: entries of the audit trail, because
the trail is a chain (`manage.py purge_audit`), and what proves a removal, because that cannot be found out again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from profiles.models import JobRun
from reclamation.models import Approval, Exemption, KeepAnswer, Notice, RemovalAttempt, RemovalBatch, RemovalCandidate
from samsaas.models import GuessCount, Invitation, Mail, Notification, WebhookCall
from subscriptions import seats_changed
from subscriptions.models import Allocation, EntitlementImport, Match, PersonImport, Subscription
from subscriptions.people import pseudonym

Rows = QuerySet[Any]


@dataclass(frozen=True)
class RowGroup:
    """Rows of one table. `old` are those before a moment; `free` leaves out the ones that are still needed.

    `delete` gets the rows of one batch.
    """

    old: Callable[[datetime], Rows]
    free: Callable[[Rows, datetime], Rows] = lambda rows, now: rows
    delete: Callable[[Rows, datetime], Any] = lambda rows, now: rows.delete()


@dataclass(frozen=True, kw_only=True)
class DataKind:
    """What a reader calls it, its setting, since when a row counts, and why old rows may have to stay."""

    key: str
    label: str
    setting: str
    since: str
    stays: str = ""
    groups: tuple[RowGroup, ...]

    @property
    def days(self) -> int:
        return int(settings.MAIL_RETENTION_DAYS if self.key == "mails" else settings.RETENTION_DAYS[self.key])

    def before(self, now: datetime) -> datetime:
        return now - timedelta(days=self.days)


def _open_attempts(**link: Any) -> Exists:
    return Exists(RemovalAttempt.objects.filter(closed_at=None, **link))


def _unneeded_seats(rows: Rows, now: datetime) -> Rows:
    proposed = RemovalCandidate.objects.filter(subscription=OuterRef("pk"), closed_at=None)
    return rows.exclude(Exists(proposed)).exclude(_open_attempts(candidate__subscription=OuterRef("pk")))


def _delete_seats(rows: Rows, now: datetime) -> None:
    profiles = set(rows.values_list("profile", flat=True))
    rows.delete()
    seats_changed.note(*profiles)


def _unneeded_people(rows: Rows, now: datetime) -> Rows:
    """Those without a listed seat, without a right, and about whom nothing is being decided."""
    holding = Match.objects.filter(person=OuterRef("pk"), subscription__ended_at=None)
    rights = Allocation.objects.filter(person=OuterRef("pk"), released_on=None)
    proposed = RemovalCandidate.objects.filter(person_key=OuterRef("key"), closed_at=None)
    idle = rows.exclude(Exists(holding)).exclude(Exists(rights)).exclude(Exists(proposed))
    return idle.exclude(_open_attempts(candidate__person_key=OuterRef("key")))


def _forget_people(rows: Rows, now: datetime) -> None:
    """Whoever had rights is left as a number, because positions of past days count them."""
    counted = rows.filter(Exists(Allocation.objects.filter(person=OuterRef("pk"))))
    Exemption.objects.filter(person__in=list(counted.values_list("pk", flat=True))).delete()
    pseudonym.run(counted, now)
    rows.exclude(Exists(Allocation.objects.filter(person=OuterRef("pk")))).delete()


def _without_removal(rows: Rows, now: datetime) -> Rows:
    """What was answered where an account was really removed belongs to the evidence."""
    removed = RemovalAttempt.objects.filter(candidate=OuterRef("candidate"), dry_run=False)
    return rows.exclude(Exists(removed))


def _answers_over(rows: Rows, now: datetime) -> Rows:
    return _without_removal(rows, now).exclude(keep_until__gte=timezone.localdate(now))


def _unneeded_runs(rows: Rows, now: datetime) -> Rows:
    return rows.exclude(Exists(RemovalBatch.objects.filter(run=OuterRef("pk"))))


def _decided_mails(rows: Rows, now: datetime) -> Rows:
    return rows.filter(Q(notice=None) | Q(notice__candidate__closed_at__isnull=False))


def _delete_mails(rows: Rows, now: datetime) -> None:
    """With what the product kept of them: which candidate they were about, and their links."""
    Notice.objects.filter(mail__in=list(rows.values_list("pk", flat=True))).delete()
    rows.delete()


def _file_imports(model: Any) -> RowGroup:
    over = [state for state in model.State.values if state not in ("reading", "choosing", "preview", "applying")]
    return RowGroup(lambda before: model.objects.filter(uploaded_at__lt=before, state__in=over))


KINDS = (
    DataKind(
        key="ended_subscriptions",
        label="Ended subscriptions",
        setting="RETAIN_ENDED_SUBSCRIPTIONS_DAYS",
        since="since the subscription ended",
        stays="a removal of it is proposed or not over",
        groups=(
            RowGroup(lambda before: Subscription.objects.filter(ended_at__lt=before), _unneeded_seats, _delete_seats),
        ),
    ),
    DataKind(
        key="leavers",
        label="People who left",
        setting="RETAIN_LEAVERS_DAYS",
        since="since their last day",
        stays="they still have a listed subscription or a right, or a removal is not over",
        groups=(
            RowGroup(
                lambda before: pseudonym.named().filter(left_on__lt=timezone.localdate(before)),
                _unneeded_people,
                _forget_people,
            ),
        ),
    ),
    DataKind(
        key="mails",
        label="Mails",
        setting="MAIL_RETENTION_DAYS",
        since="since the mail was queued",
        stays="the candidate it is about is not decided",
        groups=(
            RowGroup(
                lambda before: Mail.objects.filter(queued_at__lt=before).exclude(state=Mail.State.QUEUED),
                _decided_mails,
                _delete_mails,
            ),
        ),
    ),
    DataKind(
        key="answers",
        label="Answers of users and approvers",
        setting="RETAIN_ANSWERS_DAYS",
        since="since the candidate was decided",
        stays="an account was removed after it, or it keeps a subscription until a later day",
        groups=(
            RowGroup(lambda before: KeepAnswer.objects.filter(candidate__closed_at__lt=before), _answers_over),
            RowGroup(lambda before: Approval.objects.filter(candidate__closed_at__lt=before), _without_removal),
        ),
    ),
    DataKind(
        key="imports",
        label="Imports of files",
        setting="RETAIN_IMPORTS_DAYS",
        since="since the file was uploaded",
        groups=(_file_imports(PersonImport), _file_imports(EntitlementImport)),
    ),
    DataKind(
        key="sign_ins",
        label="Places of sign-ins",
        setting="RETAIN_SIGN_INS_DAYS",
        since="since the last sign-in from there",
        groups=(
            RowGroup(lambda before: GuessCount.objects.filter(kind=GuessCount.Kind.KNOWN, last_at__lt=before)),
            RowGroup(lambda before: AccessAttempt.objects.filter(attempt_time__lt=before)),
            RowGroup(lambda before: AccessLog.objects.filter(attempt_time__lt=before)),
        ),
    ),
    DataKind(
        key="invitations",
        label="Invitations",
        setting="RETAIN_INVITATIONS_DAYS",
        since="since the invitation was used, withdrawn or expired",
        groups=(
            RowGroup(
                lambda before: Invitation.objects.filter(
                    Q(accepted_at__lt=before) | Q(withdrawn_at__lt=before) | Q(accepted_at=None, expires_at__lt=before)
                )
            ),
        ),
    ),
    DataKind(
        key="runs",
        label="Job results",
        setting="RETAIN_RUNS_DAYS",
        since="since the run ended",
        stays="it removed accounts",
        groups=(RowGroup(lambda before: JobRun.objects.filter(finished_at__lt=before), _unneeded_runs),),
    ),
    DataKind(
        key="events",
        label="Notifications and calls of webhooks",
        setting="RETAIN_EVENTS_DAYS",
        since="since it happened",
        groups=(
            RowGroup(lambda before: Notification.objects.filter(at__lt=before)),
            RowGroup(lambda before: WebhookCall.objects.filter(event=None, queued_at__lt=before)),
        ),
    ),
)
