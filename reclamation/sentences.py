"""Why a seat is proposed or not, in a sentence for people, and the words of a verdict for lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.utils import timezone

from reclamation.assess import Explanation
from reclamation.reasons import Decision, Reason, split_verdict
from subscriptions.activity import last_used

# What a reason means, for the page that counts them.
MEANINGS = {
    Reason.OPEN_CANDIDATE: "have an open removal candidate",
    Reason.ENDED: "the vendor no longer lists them",
    Reason.EXCLUDED: "an exclusion rule excludes them",
    Reason.OTHER_TEAM: "they belong to the team to which their profile was connected before",
    Reason.NOT_MANAGED: "their software model is not under management",
    Reason.AUTHORIZED_CONNECTION: "the account authorized the connection; files of removed members go to it",
    Reason.AUTHORIZER_UNKNOWN: "they are administrators, and nobody knows which one authorized the connection",
    Reason.MANUAL: "a person proposed them",
    Reason.UNRECOGNIZED: "no software model, so no rule",
    Reason.RULE_OFF: "the rule of their software model is off",
    Reason.STALE_DIRECTORY: "the last complete download is older than 24 hours",
    Reason.STATUS_UNKNOWN: "the vendor gives a status that this version does not know",
    Reason.NO_LICENSE: "they use no license, so removing them saves nothing",
    Reason.EXEMPT: "an exemption of the subscription or of its user",
    Reason.ADMIN: "the account has an administrative role at the vendor",
    Reason.KEPT: "a person decided to keep them for now",
    Reason.LEAVER: "their user has left the company",
    Reason.CONDITIONS: "the conditions of the rule do not match",
    Reason.INVITED: "the invitation was not accepted",
    Reason.INVITATION_RECENT: "invited, and not long enough ago",
    Reason.ACTIVE: "used within the threshold",
    Reason.RESTORED: "restored, or listed again, within the threshold",
    Reason.SUSPENDED: "suspended at the vendor",
    Reason.SUSPENDED_RECENTLY: "suspended within the threshold: somebody has just decided on them",
    Reason.TOO_NEW: "assigned too recently",
    Reason.NEVER_ACTIVE: "never used in all the time that was read",
    Reason.STALE_ACTIVITY: "activity was not read for them until at most 24 hours ago",
    Reason.GAP: "not all the time of the threshold was read, so nobody knows whether they were used",
    Reason.WEAK_SIGNAL: "the plan records no file events and no device session was read, so silence proves little",
    Reason.IDLE: "not used within the threshold",
}


def label_verdict(verdict: str) -> str:
    """A verdict of `verdicts.with_verdicts` in a few words."""
    decision, reason = split_verdict(verdict)
    return reason.label if decision == Decision.NO else f"{decision.label}: {reason.label.lower()}"


def explain_in_words(known: Explanation, now: datetime) -> str:
    """Why the seat is proposed now, or why not, and from which day that would change."""
    if known.decision == Decision.NO:
        return f"Not proposed. {REFUSED[known.reason](known, now)}"
    text = PROPOSED[known.reason](known, now)
    if known.decision == Decision.OBSERVE:
        return f"Its rule only observes at present. It would be proposed: {text}"
    return f"The next find proposes it: {text}"


def _day(moment: datetime | date | None) -> str:
    shown = timezone.localtime(moment) if isinstance(moment, datetime) else moment
    return f"{shown:%-d %b %Y}" if shown else "an unknown day"


def _days(number: int) -> str:
    return f"{number:,} day{'' if number == 1 else 's'}"


def _day_after(moment: datetime | None, days: int) -> str:
    """The day on which the moment's day is so many days ago."""
    return _day(timezone.localtime(moment).date() + timedelta(days=days)) if moment else "an unknown day"


def _used(known: Explanation, now: datetime) -> str:
    if known.last_use is None:
        return "never used in all the time that was read."
    ago = last_used.inactive_days(known.last_use, now)
    return (
        f"last used on {_day(known.last_use)}, {_days(ago)} ago; its rule proposes after "
        f"{_days(known.rule.threshold_days)}."
        if known.inactive_days is not None
        else f"no use since {_day(known.covered_since)}, and before that not all the time was read."
    )


def _because_kept(known: Explanation, now: datetime) -> str:
    return f"A person decided to keep it until {_day(known.seat.keep_until)}."


def _because_recent_invitation(known: Explanation, now: datetime) -> str:
    until = _day_after(known.began, known.rule.invited_days)
    return f"It was invited on {_day(known.began)}; the rule proposes it from {until} on."


def _because_active(known: Explanation, now: datetime) -> str:
    until = _day_after(known.last_use, known.rule.threshold_days)
    return f"It was last used on {_day(known.last_use)}. Without further use it is idle on {until}."


def _because_restored(known: Explanation, now: datetime) -> str:
    came = max(filter(None, (known.seat.restored_at, known.seat.returned_at)))
    until = _day_after(came, known.rule.threshold_days)
    return f"It was restored or listed again on {_day(came)}, which starts a fresh clock that ends on {until}."


def _because_suspended_recently(known: Explanation, now: datetime) -> str:
    until = _day_after(known.seat.suspended_at, known.rule.threshold_days)
    return f"It was suspended on {_day(known.seat.suspended_at)}; its rule waits until {until}."


def _because_new(known: Explanation, now: datetime) -> str:
    days = known.rule.minimum_age_days
    if known.last_use is None:
        days = max(days, known.rule.threshold_days)
    until = _day_after(known.began, days)
    return f"It began on {_day(known.began)}; its rule looks at it from {until} on, after {_days(days)}."


def _because_stale_activity(known: Explanation, now: datetime) -> str:
    if known.covered_until is None:
        return "Activity has not been read for it until now, so nobody knows whether it is used."
    return f"Activity was last read until {_day(known.covered_until)}, more than 24 hours ago."


def _because_gap(known: Explanation, now: datetime) -> str:
    since = timezone.localtime(known.covered_since) if known.covered_since else None
    at_midnight = since is not None and since == last_used.midnight(since)
    days = known.rule.threshold_days - at_midnight
    return (
        f"Its activity is known without a gap only since {_day(since)}, and its rule needs it since "
        f"{_day(known.used_since)}. If no gap follows, that is so on {_day_after(since, days)}."
    )


def _plain(text: str) -> Callable[[Explanation, datetime], str]:
    return lambda known, now: text


REFUSED: dict[Reason, Callable[[Explanation, datetime], str]] = {
    Reason.OPEN_CANDIDATE: _plain("It has an open removal candidate already."),
    Reason.ENDED: _plain("It has ended, so there is nothing to reclaim."),
    Reason.EXCLUDED: _plain("An exclusion rule excludes it."),
    Reason.OTHER_TEAM: _plain("It belongs to the team to which its profile was connected before."),
    Reason.NOT_MANAGED: _plain("Its software model is not under management."),
    Reason.AUTHORIZED_CONNECTION: _plain("Its account authorized the connection; files of removed members go to it."),
    Reason.AUTHORIZER_UNKNOWN: _plain("It is an administrator, and nobody knows which one authorized the connection."),
    Reason.UNRECOGNIZED: _plain("It belongs to no software model, so no rule applies to it."),
    Reason.RULE_OFF: _plain("The rule of its software model is off."),
    Reason.STALE_DIRECTORY: _plain("The last complete download of its profile is older than 24 hours."),
    Reason.STATUS_UNKNOWN: _plain("The vendor gives it a status that this version does not know."),
    Reason.NO_LICENSE: _plain("It uses no license, so removing it would save nothing."),
    Reason.EXEMPT: _plain("An exemption protects it or its user."),
    Reason.ADMIN: _plain("Its account has an administrative role at the vendor."),
    Reason.KEPT: _because_kept,
    Reason.CONDITIONS: _plain("The conditions of its rule do not match it."),
    Reason.INVITED: _plain("It is invited, and its rule leaves invitations alone."),
    Reason.INVITATION_RECENT: _because_recent_invitation,
    Reason.ACTIVE: _because_active,
    Reason.RESTORED: _because_restored,
    Reason.SUSPENDED: _plain("It is suspended, and its rule leaves suspended accounts alone."),
    Reason.SUSPENDED_RECENTLY: _because_suspended_recently,
    Reason.TOO_NEW: _because_new,
    Reason.NEVER_ACTIVE: _plain("It was never used, and its rule leaves such subscriptions alone."),
    Reason.STALE_ACTIVITY: _because_stale_activity,
    Reason.GAP: _because_gap,
    Reason.WEAK_SIGNAL: _plain(
        "The plan of its team records no file events, and no device session was read, so silence proves too little."
    ),
}
PROPOSED: dict[Reason, Callable[[Explanation, datetime], str]] = {
    Reason.MANUAL: _plain("a person proposed it."),
    Reason.LEAVER: lambda known, now: f"its user left the company on {_day(known.seat.match.person.left_on)}.",
    Reason.INVITED: lambda known, now: f"invited on {_day(known.began)}, and never accepted.",
    Reason.SUSPENDED: lambda known, now: f"suspended, and {_used(known, now)}",
    Reason.NEVER_ACTIVE: _used,
    Reason.IDLE: _used,
}
