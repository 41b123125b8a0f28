"""What the benchmark of home adds to that of lists: what is owned, use by day, rules, and a position."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from profiles import tasks
from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule, RemovalCandidate
from reclamation.rules import make_rules
from samsaas import schedule
from subscriptions import recompute, seats_changed
from subscriptions.models import (
    Entitlement,
    ProductResult,
    SeatCounting,
    SoftwareModel,
    Subscription,
    SubscriptionIdentifier,
    UseDay,
)
from subscriptions.question import ask
from subscriptions.seat_counts import count

MODELS, BLOCKS, DAYS = 48, 10, 365


def prepare() -> None:
    """Entitlements, use of a year, rules with their candidates, the counts and a whole position."""
    now = timezone.now()
    if ProductResult.objects.current().exists():
        return
    models = [
        SoftwareModel.objects.find_or_make("Large Vendor", f"Product {number:02}", "") for number in range(MODELS)
    ]
    models += SoftwareModel.objects.filter(identifiers__isnull=False)
    Entitlement.objects.bulk_create(
        Entitlement(
            software_model=model,
            state=Entitlement.State.IN_USE,
            purchased_rights=1000 * (block + 1),
            start=now.date() - timedelta(days=300),
            end=now.date() + timedelta(days=30 * block + 10),
            unit_cost=Decimal(100 + block),
            currency="EUR" if block % 2 else "USD",
        )
        for model in models
        for block in range(BLOCKS)
    )
    kinds = list(SubscriptionIdentifier.objects.values_list("pk", flat=True))
    kinds += [
        SubscriptionIdentifier.objects.create(vendor="dropbox", identifier=f"kind-{one.pk}", software_model=one).pk
        for one in models[:MODELS]
    ]
    today = timezone.localdate(now)
    UseDay.objects.bulk_create(
        UseDay(day=today - timedelta(days=ago), identifier_id=kind, in_use=900 + ago % 90)
        for ago in range(1, DAYS)
        for kind in kinds
    )
    make_rules.run(now)
    rules = list(ReclamationRule.objects.filter(software_model__in=models[MODELS:]))
    RemovalCandidate.objects.open().filter(rule=None).update(rule=rules[0], reason="idle")
    seats_changed.note(*IntegrationProfile.objects.values_list("pk", flat=True))
    schedule.count_seats()
    asked, _ = recompute.request(ask(now=now), by=None, now=now)
    if asked and asked.run_id:
        tasks.execute(asked.run_id)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def by_hand() -> tuple[str, ...]:
    """The figures of the page over the stored rows, one statement for each kind."""
    return (
        "SELECT c.profile_id, i.software_model_id, c.counts FROM subscriptions_seatcount c "
        "JOIN subscriptions_subscriptionidentifier i ON i.id = c.identifier_id",
        "SELECT m.*, r.* FROM subscriptions_metricresult m "
        "JOIN subscriptions_modelresult r ON r.id = m.model_result_id WHERE r.current",
        "SELECT reason, rule_id, state, count(*) FROM reclamation_removalcandidate WHERE closed_at IS NULL "
        "GROUP BY reason, rule_id, state",
        "SELECT d.day, sum(d.in_use) FROM subscriptions_useday d "
        "JOIN subscriptions_subscriptionidentifier i ON i.id = d.identifier_id "
        "WHERE i.software_model_id IS NOT NULL GROUP BY d.day",
        "SELECT * FROM subscriptions_entitlement WHERE state <> 'build' ORDER BY \"start\"",
        'SELECT kind, "on", count(*) FROM reclamation_savingsentry GROUP BY kind, "on"',
        "SELECT * FROM profiles_integrationprofile",
        "SELECT * FROM profiles_jobrun ORDER BY id DESC LIMIT 6",
    )


def count_one_profile() -> int:
    """Count the subscriptions of one profile, as after its refresh. Returns how many it has."""
    profile = IntegrationProfile.objects.order_by("pk")[0]
    seats_changed.note(profile.pk)
    count.run_due(timezone.now())
    if SeatCounting.objects.get(profile=profile).counted_at is None:
        raise SystemExit("Nothing was counted.")
    return Subscription.objects.filter(profile=profile).listed().count()
