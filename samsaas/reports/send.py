"""Send the reports whose day has come: one mail for each recipient, through the outbox.

1. Find the reports whose last day has passed since they were last settled. A missed day is made up for once.
2. Lock each of them, so that two workers send it once, and compile it. Where there is nothing to report yet, wait.
3. Queue the mails with the table as a CSV file, note the day, and add an entry to the audit trail.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from samsaas import audit, outbox
from samsaas.lib import csv_export
from samsaas.models import Mail, MailedReport, ReportRecipient
from samsaas.reports import recipients
from samsaas.reports.figures import Content, NothingYet, compile_content

FROM = time(7)  # the position of the day is there by then
KEEP_TRYING = timedelta(days=3)


def run(now: datetime) -> int:
    """Send what is due. Returns how many reports."""
    local = timezone.localtime(now)
    if local.time() < FROM:
        return 0
    active = MailedReport.objects.filter(active=True)
    return sum(_send(one.pk, now) for one in active if is_due(one, local.date()))


def is_due(report: MailedReport, today: date) -> bool:
    """Whether its last day, which may be today, is later than the one up to which it is settled."""
    settled = report.settled_on or timezone.localdate(report.created_at) - timedelta(days=1)
    return last_day(report, today) > settled


def last_day(report: MailedReport, today: date) -> date:
    """The latest day on which it is to be sent, up to today."""
    if report.every == MailedReport.Every.WEEK:
        return today - timedelta(days=(today.weekday() - report.weekday) % 7)
    this_month = today.replace(day=report.month_day)
    if this_month <= today:
        return this_month
    return (today.replace(day=1) - timedelta(days=1)).replace(day=report.month_day)


@transaction.atomic
def _send(report_id: int, now: datetime) -> bool:
    report, today = MailedReport.objects.select_for_update().get(pk=report_id), timezone.localdate(now)
    if not report.active or not is_due(report, today):
        return False
    try:
        content = compile_content(report.kind, now)
    except NothingYet:
        return False
    wanted = [one for one in report.recipients.filter(stopped_at=None) if not recipients.address_problem(one.address)]
    for one in wanted:
        one.mail = _queue(report, content, one.address, stop=recipients.stop_url(one), now=now)
        one.save(update_fields=["mail"])
    report.settled_on, report.sent_at = today, now if wanted else report.sent_at
    report.save(update_fields=["settled_on", "sent_at"])
    if wanted:
        audit.record(None, "sent report", report, to=[one.address for one in wanted], rows=len(content.rows))
    return bool(wanted)


def send_test(report: MailedReport, *, by: User, now: datetime) -> Mail:
    """Send it to the person who asks, and to nobody else. Raises `NothingYet`."""
    content = compile_content(report.kind, now)
    to = by.email or by.get_username()
    mail = _queue(report, content, to, stop="", now=now)
    audit.record(by, "tested report", report, to=to)
    return mail


def _queue(report: MailedReport, content: Content, to: str, *, stop: str, now: datetime) -> Mail:
    label = report.get_kind_display()
    day = timezone.localtime(content.as_of)
    text = b"".join(csv_export.encode_rows(content.header, content.rows)).decode()
    return outbox.queue(
        to=to,
        subject=f"{'' if stop else 'Test: '}{label}: {report.name}",
        body=_write_body(report, content, has_link=bool(stop)),
        secret=stop,
        one_click=bool(stop),
        give_up_at=now + KEEP_TRYING,
        any_hour=not stop,
        attachment_name=f"{report.kind}-{day:%Y-%m-%d}.csv",
        attachment=text,
        now=now,
    )


def _write_body(report: MailedReport, content: Content, *, has_link: bool) -> str:
    figures = "\n".join(f"{label}: {value}" for label, value in content.facts)
    day = timezone.localtime(content.as_of)
    parts = [
        f"{report.get_kind_display()}, as of {day:%-d %B %Y, %H:%M}.",
        figures,
        f"The attached file has {len(content.rows):,} lines. With an account, see {settings.PUBLIC_URL}{content.page}",
    ]
    if has_link:
        parts += ["If you do not want this report any more, stop it here:", Mail.LINK]
    else:
        parts.append("This is a test. Recipients also get a link by which they can stop the report.")
    return "\n\n".join(parts)


def list_recipients(report: MailedReport) -> list[ReportRecipient]:
    """For its page, each with why it gets nothing."""
    found = list(report.recipients.select_related("mail").defer("mail__secret", "mail__body", "mail__attachment"))
    for one in found:
        one.problem = "" if one.stopped_at else recipients.address_problem(one.address)  # type: ignore[attr-defined]
    return found
