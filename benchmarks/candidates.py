"""How long it takes to find candidates among a million seats with four rules, against the same SQL by hand.

    python benchmarks/candidates.py --seats 1000000 --database postgresql://user@host/benchmark_candidates

One profile holds the seats, of four software models with a rule each. A few seats in a hundred are proposed. By hand
means one statement for the sums per reason and one for the keys of what is proposed, written for this data; the
product's own is the whole find without its writing, and then the whole find. Memory is by how much that grew. The
slider of a rule is drawn from what the find counted, and counted as if one rule judged all of these seats.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

RULES = 4


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        os.environ.update(environment(database(options.database, Path(scratch))), DEBUG="false")
        import django  # noqa: PLC0415 - the environment comes first

        django.setup()
        profile, now = _prepare(options.seats)
        _print_figures(profile, now, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seats", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    return parser.parse_args()


def _prepare(seats: int) -> tuple[Any, Any]:
    """A profile with so many seats: most are active, some idle, never active, excluded, admins or leavers."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from benchmarks import lists_data  # noqa: PLC0415
    from reclamation.rules import make_rules  # noqa: PLC0415
    from subscriptions.models import (  # noqa: PLC0415
        ActivityCoverage,
        LastActivity,
        Match,
        Person,
        ResolutionRule,
        SoftwareModel,
        Subscription,
        SubscriptionIdentifier,
    )

    call_command("migrate", verbosity=0)
    now = timezone.now()
    _empty()
    profile = lists_data._profile(0, now)
    type(profile).objects.filter(pk=profile.pk).update(refreshed_at=now, team_id="t1")
    profile.refresh_from_db()
    since = now - timedelta(days=lists_data.OLDEST_DAY)
    ActivityCoverage.objects.create(profile=profile, team_id="t1", since=since, until=now, known_by=now)
    kinds = []
    for number in range(RULES):
        model = SoftwareModel.objects.create(publisher="P", product=f"Product {number}")
        kinds.append(
            SubscriptionIdentifier.objects.create(vendor="dropbox", identifier=f"k{number}", software_model=model)
        )
    make_rules.run(now)
    lists_data._load(Subscription, (_seat(number, profile, kinds, now) for number in range(seats)))
    lists_data._load(Person, lists_data._people(max(seats // 5, 1), now))
    Person.objects.filter(pk__in=Person.objects.order_by("pk").values("pk")[: seats // 500]).update(
        left_on=now.date() - timedelta(days=9)
    )
    seat_keys = list(Subscription.objects.order_by("pk").values_list("pk", flat=True))
    people = list(Person.objects.order_by("pk").values_list("pk", flat=True))
    lists_data._load(LastActivity, _uses(seat_keys, now))
    lists_data._load(Match, lists_data._matches(seat_keys, people, ResolutionRule.objects.all()[0], now))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return profile, now


def _empty() -> None:
    from benchmarks import lists_data  # noqa: PLC0415
    from profiles.models import IntegrationProfile, JobRun  # noqa: PLC0415
    from reclamation.models import RemovalCandidate, StateChange  # noqa: PLC0415
    from subscriptions.models import SoftwareModel, SubscriptionIdentifier  # noqa: PLC0415

    for model in (StateChange, RemovalCandidate):
        model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
    for model in lists_data.MADE:
        if model.__name__ != "AuditEntry":
            model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
    for model in (IntegrationProfile, SubscriptionIdentifier, SoftwareModel, JobRun):
        model._base_manager.all().delete()


def _seat(number: int, profile: Any, kinds: list[Any], now: Any) -> dict[str, Any]:
    old = now - timedelta(days=400)
    return {
        "profile_id": profile.pk,
        "external_id": f"dbmid:{number:08}",
        "identifier_id": kinds[number % RULES].pk,
        "display_name": f"Person {number:07}",
        "email": f"person{number}@large.example",
        "status": "suspended" if number % 97 == 0 else "active",
        "is_admin": number % 211 == 0,
        "excluded": number % 103 == 0,
        "assigned_at": old,
        "first_seen_at": old,
        "known_since": old,
        "changed_at": old,
        "valid_since": old,
    }


def _uses(keys: list[int], now: Any) -> Any:
    """One seat in a hundred was never used, and one in a hundred not for the last 60 days."""
    for place, key in enumerate(keys):
        if place % 100 != 1:
            days = 70 + place % 40 if place % 100 == 2 else place % 50
            yield {"subscription_id": key, "at": now - timedelta(days=days), "kind": "login", "signal": "event"}


def _print_figures(profile: Any, now: Any, options: argparse.Namespace) -> None:
    from django.db import connection  # noqa: PLC0415

    from benchmarks import job  # noqa: PLC0415
    from reclamation import find_candidates, sums, terms  # noqa: PLC0415
    from reclamation.models import RemovalCandidate  # noqa: PLC0415
    from reclamation.terms import Standing  # noqa: PLC0415
    from reclamation.verdicts import with_verdicts  # noqa: PLC0415
    from subscriptions.models import Subscription  # noqa: PLC0415

    standing, rules = Standing.of_profile(profile, now), terms.read_rules(profile, now)

    def by_product() -> int:
        sums.count_reasons(standing, rules)
        current = Subscription.objects.current().filter(profile=profile)
        found = with_verdicts(current.order_by("pk"), standing, rules).filter(verdict__in=find_candidates.FOUND)
        return len(found.values_list("pk", flat=True))

    def by_hand() -> int:
        reasons, keys = _statements(profile.pk, rules, now)
        with connection.cursor() as cursor:
            cursor.execute(*reasons)
            cursor.fetchall()
            cursor.execute(*keys)
            return len(cursor.fetchall())

    hand, product = _fastest(by_hand, options.rounds), _fastest(by_product, options.rounds)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    job.run(profile, find_candidates.FIND, find_candidates.run)
    whole = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown
    print(f"\n{options.seats:,} seats, {RULES} rules, {RemovalCandidate.objects.count():,} candidates opened\n")
    print("| what | seconds | against by hand |\n|---|---:|---:|")
    print(f"| SQL by hand | {hand:.2f} | 1.0 |")
    slider = _fastest(_draw_slider, options.rounds)
    counting = _fastest(lambda: _count_for_slider(now), options.rounds)
    print(f"| judged by the product | {product:.2f} | {product / hand:.1f} |")
    print(f"| the whole find, with opening | {whole:.2f} | {whole / hand:.1f} |")
    print(f"| the slider of a rule, with its chart | {slider:.2f} | {slider / hand:.1f} |")
    print(f"| counting for it, if one rule judged all seats | {counting:.2f} | {counting / hand:.1f} |")
    print(f"\nThe find grew the process by {grown / 1024:.0f} MB.")


def _draw_slider() -> int:
    """Draw the slider of a rule right after the find."""
    from django.utils import timezone  # noqa: PLC0415

    from reclamation.models import ReclamationRule  # noqa: PLC0415
    from reclamation.rules import scope, slider  # noqa: PLC0415

    rule = ReclamationRule.objects.order_by("pk")[0]
    return slider.draw(rule, scope.read_scope(rule, timezone.now())).count


def _count_for_slider(now: Any) -> int:
    """Count for the slider of a rule whose software model has all seat types."""
    from dataclasses import replace  # noqa: PLC0415

    from reclamation.models import ReclamationRule  # noqa: PLC0415
    from reclamation.rules import scope, thresholds  # noqa: PLC0415
    from subscriptions.models import SubscriptionIdentifier  # noqa: PLC0415

    rule = ReclamationRule.objects.order_by("pk")[0]
    kinds = tuple(SubscriptionIdentifier.objects.order_by("pk").values_list("pk", flat=True))
    of_all = replace(scope.read_scope(rule, now), kinds=kinds)
    return thresholds.count_by_threshold(rule, of_all).at(rule.threshold_days)


def _fastest(ask: Callable[[], int], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return min(times)


def _statements(profile: int, rules: Any, now: Any) -> tuple[tuple[str, list[Any]], tuple[str, list[Any]]]:
    """The sums and the keys, by somebody who knows the data and the defaults of the rules."""
    from django.db import connection  # noqa: PLC0415

    adapt = connection.ops.adapt_datetimefield_value
    terms = rules.unwritten
    reason = """
        CASE
          WHEN EXISTS (SELECT 1 FROM reclamation_removalcandidate c
                       WHERE c.subscription_id = s.id AND c.closed_at IS NULL) THEN 'open'
          WHEN s.excluded THEN 'excluded'
          WHEN NOT m.under_management THEN 'not_managed'
          WHEN EXISTS (SELECT 1 FROM profiles_credential k
                       WHERE k.alias_id = p.alias_id AND k.admin_external_id = s.external_id) THEN 'authorized'
          WHEN s.status IN ('unknown', 'removed') THEN 'status'
          WHEN NOT s.consumes_license THEN 'license'
          WHEN EXISTS (SELECT 1 FROM reclamation_exemption e WHERE e.ended_at IS NULL AND e.subscription_id = s.id)
            OR EXISTS (SELECT 1 FROM reclamation_exemption e WHERE e.ended_at IS NULL AND e.person_id = h.person_id)
            THEN 'exempt'
          WHEN s.is_admin THEN 'admin'
          WHEN s.keep_until >= %s THEN 'kept'
          WHEN w.left_on < %s THEN 'leaver'
          WHEN s.status = 'invited' THEN 'invited'
          WHEN a.at >= %s THEN 'active'
          WHEN s.restored_at >= %s OR s.returned_at >= %s THEN 'restored'
          WHEN s.status = 'suspended' AND s.suspended_at >= %s THEN 'suspended'
          WHEN coalesce(s.assigned_at, s.invited_at, s.first_seen_at) >= %s THEN 'too_new'
          ELSE 'idle' END
    """
    tables = """
        FROM subscriptions_subscription s
        JOIN subscriptions_subscriptionidentifier i ON i.id = s.identifier_id
        JOIN subscriptions_softwaremodel m ON m.id = i.software_model_id
        JOIN profiles_integrationprofile p ON p.id = s.profile_id
        LEFT JOIN subscriptions_lastactivity a ON a.subscription_id = s.id
        LEFT JOIN subscriptions_match h ON h.subscription_id = s.id
        LEFT JOIN subscriptions_person w ON w.id = h.person_id
        WHERE s.profile_id = %s AND s.ended_at IS NULL
    """
    since = adapt(terms.used_since)
    values = [terms.today, terms.today, *[since] * 4, adapt(terms.too_new_since)]
    sums = f"SELECT s.identifier_id, {reason} AS r, count(*) {tables} GROUP BY 1, 2"
    keys = f"SELECT s.id {tables} AND {reason} IN ('idle', 'leaver') ORDER BY s.id"
    return (sums, [*values, profile]), (keys, [profile, *values])


if __name__ == "__main__":
    main()
