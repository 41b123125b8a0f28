"""Guards that judge what is stored here: directory, activity, the seat, what people were asked and said, limits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from reclamation import guards
from reclamation.asking import concerns, standing
from reclamation.models import RemovalBatch
from reclamation.removal.gate.answers import (
    CANCELED,
    ELSEWHERE,
    QUARANTINE,
    SKIPPED,
    GateGuard,
    GuardAnswer,
    failed,
    passed,
    unknown,
)
from reclamation.removal.gate.case import Case
from reclamation.rules.versions import LEGAL_HOLD

FRESH_DIRECTORY = timedelta(hours=24)
FRESH_ACTIVITY = {True: timedelta(hours=24), False: timedelta(hours=6)}  # by hand; automatic
SETTLED = timedelta(hours=24)
SLOT = "slot"
WAIVED = "Not asked: its use does not matter."


def directory(case: Case) -> GuardAnswer:
    return _judge_age("The list of subscriptions", case.profile.refreshed_at, FRESH_DIRECTORY, case.now)


def activity(case: Case) -> GuardAnswer:
    if case.is_leaver or case.is_invitation or not case.use_matters:
        return passed(WAIVED)
    fresh = _judge_age("The activity", case.profile.activity_refreshed_at, FRESH_ACTIVITY[case.by_hand], case.now)
    if fresh.answer != "pass":
        return fresh
    if case.seat is None or case.seat.vouched_from is None:
        return unknown("Nobody knows of its use until now: the activity was not read without a gap.")
    if case.seat.vouched_from > case.since:
        return failed(f"The activity is known only since {_day(case.seat.vouched_from)}.")
    return passed(f"The activity was read without a gap since {_day(case.seat.vouched_from)}.")


def settled(case: Case) -> GuardAnswer:
    if case.by_hand or case.is_invitation or not case.profile.pull_activity:
        return passed("Asked in mode automatic only, and where activity is read.")
    read_at = case.profile.activity_refreshed_at
    if read_at is None or read_at < case.candidate.opened_at + SETTLED:
        return failed("Late events may still arrive: no activity was read a day after it was proposed.")
    return passed("Late events have arrived.")


def used_before(case: Case) -> GuardAnswer:
    """Use that is stored. What the vendor knows beyond that is asked for later."""
    if case.seat is None or not case.use_matters:
        return passed(WAIVED)
    latest = getattr(case.seat, "last_activity", None)
    if latest is not None and latest.at >= case.since:
        return failed(f"Used on {_day(latest.at)} ({latest.kind}).", _end_of_use(case))
    return passed("No use is stored since then.")


def _end_of_use(case: Case) -> str:
    return "attention" if case.is_leaver else CANCELED


def leaver(case: Case) -> GuardAnswer:
    if not case.is_leaver:
        return passed("Its user was not proposed as a leaver.")
    if case.left_on is None:
        return failed("Its user has no last day any more.", SKIPPED)
    if case.left_on >= case.today:
        return failed("The last day of its user is not over.")
    return passed(f"The last day of its user was {case.left_on:%-d %b %Y}.")


def exempt(case: Case) -> GuardAnswer:
    return failed(guards.EXEMPT, SKIPPED) if case.exempt else passed("Not exempt.")


def keep(case: Case) -> GuardAnswer:
    until = case.seat.keep_until if case.seat is not None else None
    if until and until >= case.today:
        return failed(f"It is kept until {until:%-d %b %Y}.", SKIPPED)
    if case.attempt.external_id in case.team.asked_elsewhere:
        return failed("For another profile its user or an approver was asked, and has not answered yet.")
    return passed("Nobody keeps it.")


def restored(case: Case) -> GuardAnswer:
    """Whoever was restored, or listed again, has a fresh clock: what was unused before says nothing."""
    moments = (case.seat.restored_at, case.seat.returned_at) if case.seat is not None else ()
    back = max((at for at in moments if at), default=None)
    if back and back >= case.since and not case.is_leaver:
        return failed(f"It was restored, or listed again, on {_day(back)}.", SKIPPED)
    return passed("It was not restored since then.")


def excluded(case: Case) -> GuardAnswer:
    """Excluded, not managed, authorized a connection, or ended, as for every look at a candidate."""
    if case.seat is None:
        return failed("Its subscription is no longer kept here.", SKIPPED)
    if code := case.seat.guard:
        return failed(guards.SENTENCES[code], ELSEWHERE if code == guards.ENDED else SKIPPED)
    return passed("Not excluded, under management, and not the account that connected.")


def notice(case: Case) -> GuardAnswer:
    candidate, seat = case.candidate, case.seat
    if case.was_asked and standing.is_another_person(candidate, seat):
        return failed("It belongs to another user than the one who was asked.", SKIPPED)
    if not case.rule.notify_user or case.is_leaver or case.user_has_left or not case.candidate.is_about_use:
        return passed("Its user need not be asked.")
    if case.was_asked and standing.address_changed(candidate):
        return failed(concerns.ADDRESS_CHANGED, "attention")
    if case.asked_in_vain:
        return failed(concerns.not_sent("it came back, or was not sent after all."), "attention")
    if not case.notice_over:
        return failed("Its user was not asked, or still has time to answer.")
    return passed("Its user was asked, and the time to answer is over.")


def reviewed(case: Case) -> GuardAnswer:
    if case.candidate.rule is not None:
        if case.rule.reviewed_at is None:
            return failed("Nobody has reviewed its rule.")
        return passed(f"The rule was reviewed on {_day(case.rule.reviewed_at)}.")
    if case.batch is None or not case.batch.evidence_checked:
        return failed("It has no rule, and nobody confirmed its evidence.")
    return passed("The requester confirmed the evidence.")


def receiving(case: Case) -> GuardAnswer:
    if case.attempt.external_id in case.team.receiving:
        return failed("It receives the files of another member now.")
    return passed("It receives no files now.")


def slot(case: Case) -> GuardAnswer:
    """Asked where the files go at once: the vendor transfers to one account from one member at a time."""
    if case.rule.undo_days or case.is_invitation:
        return passed("Asked before the files are moved.")
    if case.where_to.external_id in case.team.receiving:
        return failed("The files of another member are on their way to the same account. One transfer at a time.")
    return passed("No other files are on their way to the same account.")


def legal_hold(case: Case) -> GuardAnswer:
    """The vendor does not tell over its API; a person has to say that none is known."""
    version = case.candidate.rule_version
    by_rule = not case.by_hand and bool(version and version.settings.get(LEGAL_HOLD))
    if by_rule or (case.batch and case.batch.legal_hold_checked):
        return passed("Not known to the vendor’s API. A person said that there is none.")
    return unknown("Not known, and nobody said that there is none.")


def second_person(case: Case) -> GuardAnswer:
    batch = case.batch
    if batch and batch.state in (RemovalBatch.State.QUARANTINED, RemovalBatch.State.REJECTED):
        return failed("The batch waits for a second person.")
    if not case.rule.second_person:
        return passed("Nobody else has to agree.")
    if is_approved(batch) or case.approved_by - {batch.requested_by_id if batch else None}:
        return passed("A second person agreed.")
    return failed("A second person has to agree.")


def limit(case: Case) -> GuardAnswer:
    figures = case.team.figures.beside(case.attempt, now=case.team.now)
    enough = figures.let_through(approved=is_approved(case.batch))
    told = f"{figures.day} in 24 hours, {figures.week} in 7 days; {figures.quota} without a second person"
    told = f"{told}, {figures.ceiling} in 7 days at most."
    return passed(told) if enough else failed(f"The limit is reached: {told}", QUARANTINE)


def is_approved(batch: RemovalBatch | None) -> bool:
    """Whether a second person let the batch go on."""
    return bool(batch and batch.state == RemovalBatch.State.APPROVED and batch.decided_by_id)


def _judge_age(what: str, at: datetime | None, most: timedelta, now: datetime) -> GuardAnswer:
    if at is None:
        return unknown(f"{what} was never read.")
    hours = (now - at).total_seconds() / 3600
    if at <= now - most:
        return failed(f"{what} is {hours:.0f} hours old.")
    return passed(f"{what} is {max(hours, 0):.0f} hours old.")


def _day(at: datetime) -> str:
    return f"{timezone.localtime(at):%-d %b %Y}"


GUARDS = (
    GateGuard("directory", "Directory", directory),
    GateGuard("activity", "Activity", activity),
    GateGuard("settled", "Late events", settled),
    GateGuard("used_before", "Known use", used_before),
    GateGuard("leaver", "Leaver", leaver),
    GateGuard("exempt", "Exempt", exempt),
    GateGuard("keep", "Kept", keep),
    GateGuard("restored", "Restored", restored),
    GateGuard("excluded", "Excluded", excluded),
    GateGuard("notice", "Notice", notice),
    GateGuard("reviewed", "Reviewed", reviewed),
    GateGuard("receiving", "Receiving files", receiving),
    GateGuard(SLOT, "One transfer at a time", slot),
    GateGuard("legal_hold", "Legal hold", legal_hold),
    GateGuard("second_person", "Second person", second_person),
    GateGuard("limits", "Limits", limit),
)
