"""Go on with what people were asked. A task of the beat, every minute; doing a step twice changes nothing.

1. A question that was sent gets its deadline: the end of the local day so many days after the sending.
2. A question that is moot ends: exempt, kept, excluded or gone meanwhile, or another person now.
3. A question that reached nobody, or whose account has another address now, needs a person.
4. Silence: the user's time is over and a mail had been sent. On to the removal, or to a second person.
5. Users who have not answered are reminded.
6. Approvals that are overdue: silence keeps. Those about candidates that moved on end.
7. Links that lead nowhere any more are forgotten, and mails that would bring them are not sent.

Each candidate is a transaction of its own, and an odd one stops no other. Every move is conditional on the state that
was read, so of two workers, or of this and a user's press on *Keep*, one wins.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from reclamation import rules, workflow
from reclamation.asking import approve, concerns, go_on, notices, remind, seat_user, standing, tell
from reclamation.models import Approval, KeepAnswer, Notice, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from samsaas.lib import office_hours
from samsaas.models import Mail

AT_ONCE = 500
REMOVAL_ENDS_AFTER = timedelta(days=30)
SILENCE = "The user did not answer in time."
SECOND_PERSON = f"{SILENCE} The rule asks a second person."
SILENCE_KEEPS = "Nobody decided on the user’s request in time, so it is kept."
NOT_APPROVED = "Nobody approved the removal within 30 days, so it is kept."
RELATED = ("rule", "profile", "batch", "subscription__match__person")
log = logging.getLogger(__name__)
Step = Callable[[RemovalCandidate, datetime], bool]


def run(now: datetime) -> dict[str, int]:
    """One round. Returns how many candidates each step changed."""
    done: Counter[str] = Counter()
    done["dated"] = begin_notice_periods(now)
    waiting = RemovalCandidate.objects.filter(state=State.AWAITING_USER)
    done["ended"] = _each(_read(waiting.filter(standing.may_object(now))), end_moot, now)
    done["flagged"] = _each(_read(waiting.filter(_may_be_unreachable())), flag_unreachable, now)
    done["silent"] = _each(_read(waiting.filter(deadline__lt=now)), end_silence, now)
    if outbox.first_moment(now) == now:
        not_over = _read(remind.with_last_mail(waiting.filter(deadline__gt=now)))
        done["reminded"] = _each((one for one in not_over if remind.is_due(one, now)), remind_user, now)
    done["approvals"] = settle_approvals(now)
    done["links"] = forget_links(now)
    return dict(done)


def _each(candidates: Iterable[RemovalCandidate], step: Step, now: datetime) -> int:
    """Do a step for each candidate, each in its own transaction. Returns for how many there was something to do."""
    done = 0
    for candidate in candidates:
        try:
            with transaction.atomic():
                done += step(candidate, now)
        except workflow.NotAllowed:  # somebody else was faster
            continue
        except Exception:
            log.exception("%s could not be gone on with.", candidate.number)
    return done


def _read(candidates: QuerySet[RemovalCandidate]) -> Iterable[RemovalCandidate]:
    """All of them, in portions, so that one that stays where it is keeps no other from its turn."""
    last = 0
    while True:
        portion = list(candidates.filter(pk__gt=last).select_related(*RELATED).order_by("pk")[:AT_ONCE])
        yield from portion
        if len(portion) < AT_ONCE:
            return
        last = portion[-1].pk


def begin_notice_periods(now: datetime) -> int:
    """Give every question that was sent its end, and its candidate the deadline."""
    sent = Notice.objects.filter(
        kind=Notice.Kind.ASK,
        expires_at=None,
        token_hash__isnull=False,
        answer_days__isnull=False,
        mail__state=Mail.State.SENT,
        candidate__state=State.AWAITING_USER,
    )
    found = list(sent.select_related("mail")[:AT_ONCE])
    for notice in found:
        last_day = timezone.localtime(notice.mail.sent_at).date() + timedelta(days=notice.answer_days or 0)
        end = office_hours.end_of_day(last_day)
        with transaction.atomic():
            waiting = RemovalCandidate.objects.filter(pk=notice.candidate_id, state=State.AWAITING_USER)
            waiting.update(deadline=end)
            Notice.objects.filter(pk=notice.pk).update(expires_at=end)
    return len(found)


def end_moot(candidate: RemovalCandidate, now: datetime) -> bool:
    """Skip a candidate that must not be removed any more: its user need not answer."""
    objection = standing.objection(candidate, now)
    if objection:
        workflow.apply(candidate, State.CLOSED_SKIPPED, reason=objection, now=now)
    return bool(objection)


def _may_be_unreachable() -> Q:
    """For candidates: whether `flag_unreachable` has to look. Most need no look of their own."""
    alive = Notice.objects.filter(
        candidate=OuterRef("pk"),
        kind__in=notices.ASKING,
        token_hash__isnull=False,
        mail__state__in=(Mail.State.QUEUED, Mail.State.SENT),
    )
    return ~Q(subscription__email=F("email")) | ~Q(Exists(alive))


def flag_unreachable(candidate: RemovalCandidate, now: datetime) -> bool:
    """Let a person look where every mail failed, or the account's address is another one than when it was asked."""
    if standing.address_changed(candidate):
        workflow.apply(candidate, State.ATTENTION_REQUIRED, reason=concerns.ADDRESS_CHANGED, now=now)
        return True
    asked = candidate.notices.filter(notices.asking())
    if asked.filter(mail__state__in=(Mail.State.QUEUED, Mail.State.SENT)).exists():
        return False
    error = asked.order_by("-pk").values_list("mail__error", flat=True).first() or ""
    workflow.apply(candidate, State.ATTENTION_REQUIRED, reason=concerns.not_sent(error), now=now)
    return True


def end_silence(candidate: RemovalCandidate, now: datetime) -> bool:
    """The user's time is over. Silence means something only where a mail had been sent."""
    if keeps_elsewhere(candidate):
        return False
    if not candidate.notices.filter(notices.asking(), notices.reached()).exists():
        workflow.end_silence(candidate, State.ATTENTION_REQUIRED, reason=concerns.ONLY_KEPT, now=now)
    elif rules.settings_of(candidate).second_person:
        workflow.end_silence(candidate, State.AWAITING_APPROVAL, reason=SECOND_PERSON, now=now)
        approve.open_question(candidate, Approval.Question.REMOVAL, now)
    else:
        go_on.after_silence(candidate, reason=SILENCE, now=now)
    return True


def keeps_elsewhere(candidate: RemovalCandidate) -> bool:
    """Whether the same member, asked for another profile of the team, wants to keep it, and nobody has decided yet."""
    profile = candidate.profile
    if profile is None or not profile.team_id:
        return False
    twins = RemovalCandidate.objects.open().filter(
        profile__vendor=profile.vendor, profile__team_id=profile.team_id, external_id=candidate.external_id
    )
    wanted = KeepAnswer.objects.filter(candidate=OuterRef("pk"), granted=None)
    return twins.exclude(pk=candidate.pk).filter(Exists(wanted)).exists()


def remind_user(candidate: RemovalCandidate, now: datetime) -> bool:
    """Queue the reminder, unless somebody was faster."""
    return remind.run(candidate, now) is not None


def settle_approvals(now: datetime) -> int:
    """End questions whose candidates moved on, and do what silence means for those that are overdue."""
    unanswered = Approval.objects.filter(at=None)
    moved_on = unanswered.exclude(candidate__state=State.AWAITING_APPROVAL).update(at=now)
    waiting = RemovalCandidate.objects.filter(
        state=State.AWAITING_APPROVAL, approvals__at=None, approvals__due_at__lt=now, approvals__isnull=False
    )
    return moved_on + _each(_read(waiting.distinct()), end_overdue, now)


def end_overdue(candidate: RemovalCandidate, now: datetime) -> bool:
    """A request to keep is granted by silence. A removal is asked for once more, and given up after 30 days."""
    approval = candidate.approvals.select_related("asked_of_user", "asked_of_group").filter(at=None).first()
    if approval is None:
        return False
    if approval.question == Approval.Question.KEEP_REQUEST:
        return _end_unanswered(approval, candidate, SILENCE_KEEPS, now)
    if approval.asked_at + REMOVAL_ENDS_AFTER < now:
        return _end_unanswered(approval, candidate, NOT_APPROVED, now)
    return _remind_approvers(approval, candidate, now)


def _end_unanswered(approval: Approval, candidate: RemovalCandidate, reason: str, now: datetime) -> bool:
    if not Approval.objects.filter(pk=approval.pk, at=None).update(at=now):
        return False
    workflow.apply(candidate, State.CLOSED_SKIPPED, reason=reason, now=now)
    wanted = approve.settle_request(candidate, granted=True)
    until = max(filter(None, (wanted, seat_user.cool_down_end(candidate, now))))
    workflow.keep_seat(candidate, until=until, by=None)
    if approval.question == Approval.Question.KEEP_REQUEST:
        tell.tell_kept(candidate, until=until, now=now)
    else:
        tell.tell_rejected(candidate, reason, now)
    return True


def _remind_approvers(approval: Approval, candidate: RemovalCandidate, now: datetime) -> bool:
    """Once, when the answer became overdue."""
    since = candidate.notices.filter(kind=Notice.Kind.APPROVAL, mail__queued_at__gte=approval.due_at)
    if since.exists():
        return False
    approval.candidate = candidate
    return bool(approve.write_to_approvers(approval, now, prefix="Reminder: "))


def forget_links(now: datetime) -> int:
    """Withdraw queued mails whose question is over, and drop the links of mails that were only kept or failed."""
    of_user, of_approver = Q(kind__in=notices.ASKING), Q(kind=Notice.Kind.APPROVAL)
    over = of_user & (~Q(candidate__state=State.AWAITING_USER) | Q(token_hash=None))
    over |= of_approver & ~Q(candidate__state=State.AWAITING_APPROVAL)
    gone = Notice.objects.filter(over)
    withdrawn = outbox.withdraw(Mail.objects.filter(state=Mail.State.QUEUED, notice__in=gone))
    expired = Notice.objects.filter(over | Q(expires_at__lt=now))
    with_links = Mail.objects.filter(Q(kept=True) | Q(state=Mail.State.FAILED), notice__in=expired)
    return withdrawn + outbox.drop_secrets(with_links)
