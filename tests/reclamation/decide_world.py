"""The world of a worked case: its rule, profile and seat as rows, and what SQL and Python say of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from profiles.connectors import base
from profiles.models import IntegrationProfile
from reclamation import terms, verdicts
from reclamation.assess import explain
from reclamation.models import Exemption, ReclamationRule
from reclamation.reasons import split_verdict
from reclamation.terms import Standing
from subscriptions.activity import last_used
from subscriptions.models import Subscription, SubscriptionIdentifier
from tests import factories

PROFILE = "p1"


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def make_profile(facts: dict[str, Any]) -> IntegrationProfile:
    profile = factories.profile(
        team_id="t1",
        refreshed_at=moment(facts.get("refreshed_at")),
        analyze_activity_from=moment(facts.get("analyze_activity_from")) or datetime.fromisoformat("2020-01-01T00:00Z"),
        file_events=facts.get("file_events", True),
    )
    for since, until in facts.get("coverage", []):
        factories.coverage(profile, moment(since), moment(until), known_by=moment("2100-01-01T00:00:00+00:00"))
    if facts.get("session_signal"):
        session = {last_used.SESSION_FACT: facts.get("refreshed_at")}
        factories.run(profile=profile, process=base.ACTIVITY, facts=session)
    return profile


def make_rule(facts: dict[str, Any], profile: IntegrationProfile, now: datetime, **model: Any) -> ReclamationRule:
    """The rule as the case has it, with its software model."""
    known = {name: value for name, value in facts.items() if name not in ("manual", "observe_until", "conditions")}
    if known.get("mode") == "automatic":
        known["reviewed_at"] = now
    conditions = dict(facts.get("conditions", {}))
    if "profile" in conditions:
        conditions["profile"] = [profile.pk if value == PROFILE else 0 for value in conditions["profile"]]
    return ReclamationRule.objects.create(
        software_model=factories.software_model(**model),
        name="Rule",
        made_at=now,
        observe_until=moment(facts.get("observe_until")),
        conditions=conditions,
        **known,
    )


def make_seat(
    facts: dict[str, Any], profile: IntegrationProfile, identifier: SubscriptionIdentifier, now: datetime
) -> Subscription:
    """The seat of the case. Every seat of ours was first seen at some time; one to come stands for an unknown one."""
    ended = facts.get("ended")
    seat = factories.subscription(
        profile=profile,
        identifier=identifier,
        ended_at=now - timedelta(days=1) if ended else None,
        excluded=facts.get("excluded", False),
        status=facts.get("status", "active"),
        consumes_license=facts.get("consumes_license", True),
        is_admin=facts.get("is_admin", False),
        first_seen_at=moment(facts.get("first_seen_at")) or now + timedelta(days=1),
        keep_until=day(facts.get("keep_until")),
        **{name: moment(facts.get(name)) for name in ("assigned_at", "invited_at", "suspended_at", "restored_at")},
    )
    if facts.get("open_candidate"):
        factories.candidate(seat)
    if facts.get("authorized_connection"):
        factories.credential(alias=profile.alias, admin_external_id=seat.external_id)
    if person := facts.get("person"):
        person = dict(person)
        left_on = day(person.pop("left_on", None))
        factories.match(seat, factories.person(left_on=left_on, **person))
    if facts.get("exempt") or facts.get("exempt_until"):
        Exemption.objects.create(subscription=seat, reason="x", until=day(facts.get("exempt_until")), at=now)
    if used := moment(facts.get("last_activity")):
        factories.activity(seat, used)
    return seat


def make_case(case: dict[str, Any]) -> tuple[Subscription, datetime]:
    """Store the rule, the profile and the seat of a case."""
    now = datetime.fromisoformat(case["now"])
    facts = case["seat"]
    profile = make_profile(case["profile"])
    rule = make_rule(case["rule"], profile, now, under_management=facts.get("under_management", True))
    model = rule.software_model if facts.get("model", "m1") else None
    kind = factories.identifier(software_model=model, identifier=facts.get("identifier", "full"))
    return make_seat(facts, profile, kind, now), now


def ask_sql(profile: IntegrationProfile, now: datetime, *, by_hand: bool = False) -> dict[int, dict[str, Any]]:
    """What SQL says of every seat of the profile."""
    standing, rules = Standing.of_profile(profile, now), terms.read_rules(profile, now)
    seats = Subscription.objects.filter(profile=profile).select_related("last_activity")
    found = {}
    for seat in verdicts.with_notes(verdicts.with_verdicts(seats, standing, rules, by_hand=by_hand)):
        decision, reason = split_verdict(seat.verdict)
        idle = last_used.idle(seat, now)
        found[seat.pk] = {
            "decision": decision.value,
            "reason": reason.value,
            "inactive_days": idle.days if idle and idle.is_exact and not idle.never_used else None,
            "notes": verdicts.notes_for(seat, decision, reason),
        }
    return found


def ask_python(seat: Subscription, now: datetime, *, by_hand: bool = False) -> dict[str, Any]:
    """What the explanation of one seat says."""
    said = explain(seat.pk, now, by_hand=by_hand)
    return {
        "decision": said.decision.value,
        "reason": said.reason.value,
        "inactive_days": said.inactive_days,
        "notes": list(said.notes),
    }
