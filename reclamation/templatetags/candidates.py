"""The removal candidates of a seat, what is true of one of them now, and its evidence in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html

from reclamation import assess, evidence, guards, propose, reexamine, sentences
from reclamation.evidence_band import EvidenceBand, draw
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.states import State
from reclamation.why.figures import latest_finds
from samsaas.lib.markup import number
from samsaas.lib.person_zone import describe_moment
from subscriptions.models import SoftwareModel, Subscription
from subscriptions.templatetags.idle import NO_FILE_EVENTS

register = template.Library()
LATEST = 5
CLOSES = "The next daily refresh closes this candidate."
BEING_REMOVED = {
    "tone": "info",
    "title": "Its removal has begun",
    "text": "The card Removal says how far it is, what can still be undone, and what needs a person.",
}
KEEPS = "The account keeps its subscription."
PROPOSED = {"tone": "info", "title": "Nothing has been removed", "text": f"A candidate is a proposal. {KEEPS}"}
STANDING = {
    State.AWAITING_USER: {**PROPOSED, "text": f"Its user is asked. {KEEPS[:-1]} as long as they may answer."},
    State.AWAITING_APPROVAL: {**PROPOSED, "text": f"An approver is asked. {KEEPS[:-1]} until they have answered."},
    State.AWAITING_REVOCATION: {
        "tone": "warn",
        "title": "It is about to be removed",
        "text": "The account is removed as soon as every guard agrees. Close Skipped keeps its subscription.",
    },
}


@register.simple_tag
def candidates_of(seat: Subscription) -> dict[str, Any]:
    """The latest candidates of a seat, newest first, and whether that one is open.

    If not: why the next find proposes the seat or not, and why nobody can propose it by hand.
    """
    found = list(seat.removal_candidates.all()[:LATEST])
    is_open = bool(found) and found[0].is_open
    now = timezone.now()
    why = "" if is_open else sentences.explain_in_words(assess.explain(seat.pk, now), now)
    refusal = "" if is_open else propose.refusal_reason(seat)
    return {"rows": found, "is_open": is_open, "refusal": refusal, "why": why}


@register.filter
def evidence_days(candidate: RemovalCandidate) -> str:
    """The inactive days of the evidence: a number, or at least a number."""
    least = "≥ " if evidence.exactness(candidate) == "at least" else ""
    return format_html("{}{}", least, number(candidate.evidence.get("inactive_days")))


@register.filter
def evidence_sentence(candidate: RemovalCandidate) -> str:
    """How far the time was read that the evidence is about."""
    known = candidate.evidence
    if not known["covered"]:
        return "Not all the time was read, so inactive days cannot be counted."
    if evidence.exactness(candidate) == "at least":
        since = datetime.fromisoformat(known["covered_since"])
        return (
            f"Nothing was seen since {timezone.localtime(since):%-d %b %Y}; before that day not all the time was read."
        )
    if known["last_activity"]:
        return "All the time since was read."
    return "Nothing was seen in all the time that was read."


@register.filter
def evidence_band(candidate: RemovalCandidate) -> EvidenceBand:
    """The time that the evidence is about, to be drawn."""
    return draw(candidate)


@register.filter
def evidence_file_events(candidate: RemovalCandidate) -> str:
    """The warning for a plan that recorded no file events; empty for any other."""
    return NO_FILE_EVENTS if candidate.evidence.get("file_events") is False else ""


@register.filter
def standing(candidate: RemovalCandidate) -> dict[str, str]:
    """A banner for an open candidate: what is true of its account now, and what will become of the candidate."""
    if RemovalCandidate.objects.filter(guards.is_being_removed(), pk=candidate.pk).exists():
        return BEING_REMOVED
    code = guards.code_for(candidate.subscription) if candidate.subscription else guards.ENDED
    if code == guards.ENDED:
        gone = guards.SENTENCES[guards.ENDED] if candidate.subscription else reexamine.NOT_KEPT
        return {"tone": "warn", "title": "There is nothing to remove any more", "text": f"{gone} {CLOSES}"}
    if code:
        return {"tone": "warn", "title": "Nothing has been removed", "text": f"{guards.SENTENCES[code]} {CLOSES}"}
    if candidate.attention:
        return {"tone": "warn", "title": "A person has to look at this", "text": f"{candidate.attention} {KEEPS}"}
    return STANDING.get(State(candidate.state), PROPOSED)


@register.filter
def after_skipping(candidate: RemovalCandidate) -> str:
    """What closing a candidate as skipped means for its account."""
    gone = candidate.subscription is None or candidate.subscription.ended_at is not None
    return "no longer has the subscription" if gone else "keeps the subscription"


@register.filter
def reason_label(candidate: RemovalCandidate) -> str:
    """Why the candidate was proposed, in a few words."""
    return evidence.reason_label(candidate)


@register.filter
def evidence_notes(candidate: RemovalCandidate) -> list[str]:
    """What a person should know of the candidate besides its reason."""
    return evidence.notes(candidate)


@register.filter
def evidence_terms(candidate: RemovalCandidate) -> str:
    """What its rule went by; empty for a candidate that no rule found."""
    known = candidate.evidence
    if not known.get("used_since"):
        return ""
    since = timezone.localtime(datetime.fromisoformat(known["used_since"]))
    until = known["covered_until"]
    read = f" Read until {describe_moment(datetime.fromisoformat(until))}." if until else ""
    return f"No use since {since:%-d %b %Y}, which is {known['threshold_days']:,} days.{read}"


@register.filter
def judged_now(candidate: RemovalCandidate) -> str:
    """What the rule says of the candidate's seat at this moment; empty where there is nothing to judge any more."""
    seat = candidate.subscription
    if seat is None or not candidate.is_open:
        return ""
    now = timezone.now()
    known = assess.explain(seat.pk, now, ignore_candidate=True)
    return sentences.explain_in_words(known, now).replace("The next find proposes it", "A find would propose it")


@register.filter
def potential_savings(candidate: RemovalCandidate) -> str:
    """What the license costs a year, where the cost of its software model is known."""
    model = candidate.subscription.identifier.software_model if candidate.subscription else None
    if model is None or model.cost_override is None:
        return number(None)
    return f"{model.yearly_cost:,} {model.currency}"


@register.simple_tag(takes_context=True)
def last_finds(context: Context) -> list[dict[str, Any]]:
    """Every profile that the person may see, with what its last find counted."""
    return latest_finds(context.get("request"))


@register.simple_tag
def rule_of(model: SoftwareModel) -> ReclamationRule | None:
    """The reclamation rule of a software model; None until the next find has made it."""
    return ReclamationRule.objects.filter(software_model=model).first()


@register.filter
def rule_sentence(rule: ReclamationRule) -> str:
    """What a rule does, and what it waits for."""
    if not rule.active:
        return "It is off: no candidate is opened."
    does = {
        rule.Mode.OBSERVE: "only notes what it would propose",
        rule.Mode.PROPOSE: "proposes subscriptions",
        rule.Mode.AUTOMATIC: "proposes subscriptions, asks their users, and reclaims them",
    }[rule.Mode(rule.mode)]
    after = f"It {does} without use for {rule.threshold_days:,} days."
    return after if rule.reviewed_at else f"{after} Nobody is asked and nothing is removed before a person reviews it."


@register.filter
def can_be_skipped(candidate: RemovalCandidate) -> bool:
    """Whether a person may close it as skipped: not while its removal has begun at the vendor."""
    begun = RemovalCandidate.objects.filter(guards.is_being_removed(), pk=candidate.pk)
    return candidate.is_open and not begun.exists()
