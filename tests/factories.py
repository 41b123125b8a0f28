"""One dull factory per model: a valid row, made different by what a test cares about."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from profiles.aliases import choose as aliases
from profiles.connectors import base
from profiles.models import Credential, IntegrationProfile, JobRun
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.rules import versions
from reclamation.states import CLOSED, State
from samsaas.models import AuditEntry
from subscriptions.models import (
    ActivityCoverage,
    LastActivity,
    Match,
    Person,
    PersonAddress,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
)

numbers = count(1)


def profile(**fields: Any) -> IntegrationProfile:
    """A published profile, as it is after its first refresh."""
    name = fields.pop("display_name", f"Dropbox {next(numbers)}")
    fields.setdefault("alias", aliases.free_alias("dropbox", name))
    fields.setdefault("status", IntegrationProfile.Status.PUBLISHED)
    fields.setdefault("analyze_activity_from", timezone.now())
    return IntegrationProfile.objects.create(vendor="dropbox", display_name=name, **fields)


def credential(**fields: Any) -> Credential:
    if "alias" not in fields:
        fields["alias"] = profile().alias
    defaults = {
        "purpose": Credential.Purpose.SUBSCRIPTIONS,
        "client_id": "key",
        "client_secret": "secret",
        "client_changed_at": timezone.now(),
    }
    return Credential.objects.create(**{**defaults, **fields})


def run(**fields: Any) -> JobRun:
    """A run that ended well."""
    of = fields.pop("profile", None) or profile()
    defaults = {
        "profile_name": of.display_name,
        "process": base.DOWNLOAD,
        "trigger": JobRun.Trigger.SCHEDULE,
        "state": JobRun.State.SUCCEEDED,
        "created_at": timezone.now(),
    }
    return JobRun.objects.create(profile=of, **{**defaults, **fields})


def software_model(**fields: Any) -> SoftwareModel:
    defaults = {"publisher": "Dropbox", "product": "Dropbox Business", "edition": f"Edition {next(numbers)}"}
    return SoftwareModel.objects.create(**{**defaults, **fields})


def identifier(**fields: Any) -> SubscriptionIdentifier:
    """A seat type that is recognized; pass `software_model=None` for one that is not."""
    if "software_model" not in fields:
        fields["software_model"] = software_model()
    return SubscriptionIdentifier.objects.create(
        **{"vendor": "dropbox", "identifier": f"seat-{next(numbers)}", **fields}
    )


def subscription_row(**fields: Any) -> Subscription:
    """An active seat, not yet stored: for `bulk_create` and for `subscription`."""
    number, now = next(numbers), fields.get("first_seen_at") or timezone.now()
    defaults: dict[str, Any] = {
        "external_id": f"dbmid:{number:06}",
        "display_name": f"Person {number:04}",
        "email": f"person{number}@example.com",
        "status": Subscription.Status.ACTIVE,
        "first_seen_at": now,
        "known_since": now,
        "changed_at": now,
    }
    return Subscription(**{**defaults, **fields})


def subscription(**fields: Any) -> Subscription:
    fields.setdefault("profile", None)
    row = subscription_row(
        **{
            **fields,
            "profile": fields["profile"] or profile(),
            "identifier": fields.get("identifier") or identifier(),
        }
    )
    row.save()
    return row


def person(*addresses: str, **fields: Any) -> Person:
    """Somebody in the directory, with these addresses as they are stored."""
    number = next(numbers)
    made = Person.objects.create(**{"key": f"E{number:06}", "name": f"Employee {number:04}", **fields})
    PersonAddress.objects.bulk_create([PersonAddress(person=made, address=address) for address in addresses])
    return made


def match(seat: Subscription, of: Person, **fields: Any) -> Match:
    """A match made by hand, unless a rule is given."""
    return Match.objects.create(subscription=seat, person=of, **{"at": timezone.now(), **fields})


def activity(seat: Subscription, at: datetime, **fields: Any) -> LastActivity:
    """The latest activity of a seat."""
    return LastActivity.objects.create(subscription=seat, at=at, **{"kind": "login_success", **fields})


def coverage(of: IntegrationProfile, since: datetime, until: datetime, **fields: Any) -> ActivityCoverage:
    """Time of a profile whose activity was read to the end, for every seat of it that there will be."""
    fields = {"team_id": of.team_id, "known_by": timezone.now() + timedelta(days=365), **fields}
    return ActivityCoverage.objects.create(profile=of, since=since, until=until, **fields)


def candidate(seat: Subscription | None = None, **fields: Any) -> RemovalCandidate:
    """An open candidate of a seat, as if proposed just now; a closed one with `state`."""
    of, now = seat or subscription(), timezone.now()
    defaults: dict[str, Any] = {
        "subscription": of,
        "profile": of.profile,
        "profile_name": of.profile.display_name,
        "display_name": of.display_name,
        "email": of.email,
        "external_id": of.external_id,
        "state": State.READY,
        "evidence": {"last_activity": None, "kind": "", "covered": True, "inactive_days": None},
        "opened_at": now,
        "closed_at": now if fields.get("state") in CLOSED else None,
    }
    return RemovalCandidate.objects.create(**{**defaults, **fields})


def rule(model: SoftwareModel | None = None, **fields: Any) -> ReclamationRule:
    """The rule of a software model as it is made, in its first version."""
    made = ReclamationRule.objects.create(
        software_model=model or software_model(),
        **{"name": f"Rule {next(numbers)}", "made_at": timezone.now(), **fields},
    )
    versions.add_version(made, by=None, now=timezone.now())
    return made


def audit_entry(**fields: Any) -> AuditEntry:
    at: datetime = fields.pop("at", None) or timezone.now()
    defaults = {"verb": "changed profile", "object_type": "Integration Profile", "object_name": "Dropbox"}
    return AuditEntry.objects.create(at=at, **{**defaults, **fields})
