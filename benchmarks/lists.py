"""How long the subscription list takes over a million seats, against the same SQL written by hand. Prints Markdown.

    python benchmarks/lists.py --seats 1000000 --database postgresql://user@host/benchmark_lists

A page is asked for through the whole application (middleware, permissions, filter, table, template), in process; by
hand means the count and the rows of the page, and nothing else. Both in turn, so that they share the machine's mood.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

PAGE = 50
CURRENT = "t.ended_at IS NULL AND NOT t.excluded"
ROWS = (
    "SELECT t.*, p.display_name, i.identifier, s.product, a.at FROM subscriptions_subscription t "
    "JOIN profiles_integrationprofile p ON p.id = t.profile_id "
    "JOIN subscriptions_subscriptionidentifier i ON i.id = t.identifier_id "
    "LEFT JOIN subscriptions_softwaremodel s ON s.id = i.software_model_id "
    "LEFT JOIN subscriptions_lastactivity a ON a.subscription_id = t.id "
    "WHERE {where} ORDER BY t.display_name, t.id LIMIT {page} OFFSET {offset}"
)
COUNT = "SELECT count(*) FROM subscriptions_subscription t {join} WHERE {where}"

# What is asked for -> the query string, the condition by hand, the offset.
LISTS: dict[str, tuple[str, str, int]] = {
    "first page": ("", CURRENT, 0),
    "page 200": ("page=200", CURRENT, 199 * PAGE),
    "one profile": ("profile={profile}", CURRENT + " AND t.profile_id = {profile}", 0),
    "one model": ("model={model}", CURRENT + " AND t.identifier_id = {identifier}", 0),
    "suspended": ("status=suspended", CURRENT + " AND t.status = 'suspended'", 0),
    "no licence used": ("licence=no", CURRENT + " AND NOT t.consumes_licence", 0),
    "ended": ("seats=ended", "t.ended_at IS NOT NULL", 0),
    "one person's address": (
        "address=person.123456@large.example",
        CURRENT + " AND UPPER(t.email) = UPPER('person.123456@large.example')",
        0,
    ),
    "search, few found": (
        "q=person.12345",
        CURRENT + " AND (UPPER(t.display_name) LIKE UPPER('%%person.12345%%') OR UPPER(t.email) LIKE "
        "UPPER('%%person.12345%%') OR UPPER(t.employee_id) LIKE UPPER('%%person.12345%%') OR UPPER(t.external_id) LIKE "
        "UPPER('%%person.12345%%'))",
        0,
    ),
}


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        os.environ.update(environment(database(options.database, Path(scratch))), DEBUG="false")
        os.environ["ALLOWED_HOSTS"] = "testserver"
        os.environ["SERVE_UNCOLLECTED_STATIC"] = "true"
        import django  # noqa: PLC0415 - the environment comes first

        django.setup()
        known = prepare(options.seats)
        print(f"\n{options.seats:,} seats; p50 and p95 of {options.rounds}, in milliseconds\n")
        print("| list | page p50 | page p95 | by hand p50 | by hand p95 | page / by hand (p50) |")
        print("|---|---:|---:|---:|---:|---:|")
        client = reader()
        for label, (query, where, offset) in LISTS.items():
            _print_row(label, client, query.format(**known), where.format(**known), offset, options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seats", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    return parser.parse_args()


def prepare(seats: int) -> dict[str, int]:
    """Four profiles of seats with their activity, once."""
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from profiles import aliases  # noqa: PLC0415
    from profiles.models import IntegrationProfile  # noqa: PLC0415
    from samsaas.lib import bulk  # noqa: PLC0415
    from subscriptions import recognise  # noqa: PLC0415
    from subscriptions.models import LastActivity, Subscription  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    if Subscription.objects.count() != seats:
        Subscription.objects.all()._raw_delete("default")
        LastActivity.objects.all()._raw_delete("default")
        IntegrationProfile.objects.all().delete()
        profiles = [
            IntegrationProfile.objects.create(
                vendor="dropbox",
                display_name=f"Region {number}",
                alias=aliases.free_alias("dropbox", f"Region {number}"),
                analyze_activity_from=timezone.now(),
            )
            for number in range(4)
        ]
        kinds = recognise.run(profiles[0].vendor_info, ["full", "limited"])
        bulk.load(connection, Subscription._meta.db_table, COLUMNS, _seats(seats, profiles, kinds, now))
        keys = Subscription.objects.filter(status="active").values_list("pk", flat=True).iterator(chunk_size=10_000)
        columns = ("subscription_id", "at", "kind", "signal")
        bulk.load(connection, LastActivity._meta.db_table, columns, ((key, now, "file_edit", "event") for key in keys))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    seat = Subscription.objects.select_related("identifier").first()
    assert seat
    return {
        "profile": seat.profile_id,
        "identifier": seat.identifier_id,
        "model": seat.identifier.software_model_id or 0,
    }


TEXTS = ("email", "display_name", "given_name", "surname", "account_id", "employee_id", "secondary_emails", "roles")
COLUMNS = ("profile_id", "external_id", "identifier_id", "status", "vendor_status", "email_verified", "is_admin")
COLUMNS += ("consumes_licence", "excluded", "first_seen_at", "changed_at", "ended_at", *TEXTS)


def _seats(seats: int, profiles: list[Any], kinds: list[Any], now: Any) -> Any:
    for index in range(seats):
        status = "suspended" if index % 19 == 11 else "invited" if index % 19 == 3 else "active"
        limited = index % 41 == 40
        ended = now if index % 50 == 7 else None
        name = f"Person {index * 7919 % seats:07d}"
        yield (
            profiles[index % 4].pk,
            f"dbmid:AAC{index:032d}",
            kinds[limited].pk,
            status,
            status,
            True,
            False,
            not limited,
            False,
            now,
            now,
            ended,
            f"person.{index}@large.example",
            name,
            "Person",
            str(index),
            f"dbid:AAB{index:032d}",
            f"emp-{index:07d}",
            "",
            "",
        )


def reader() -> Any:
    from django.contrib.auth.models import Group, User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    user, _ = User.objects.get_or_create(username="benchmark-reader")
    user.groups.add(Group.objects.get(name="sam_user"))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _print_row(label: str, client: Any, query: str, where: str, offset: int, rounds: int) -> None:
    from django.db import connection  # noqa: PLC0415

    def page() -> None:
        answer = client.get(f"/subscriptions/?{query}", secure=True)
        if answer.status_code != 200:
            raise SystemExit(f"{label}: {answer.status_code}")

    def by_hand() -> None:
        with connection.cursor() as cursor:
            cursor.execute(COUNT.format(join="", where=where), [])
            cursor.fetchone()
            cursor.execute(ROWS.format(where=where, page=PAGE, offset=offset), [])
            cursor.fetchall()

    page(), by_hand()
    timings: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, found in zip((page, by_hand), timings, strict=True):
            began = time.perf_counter()
            work()
            found.append(1000 * (time.perf_counter() - began))
    (p50, p95), (h50, h95) = (_percentiles(found) for found in timings)
    print(f"| {label} | {p50:.0f} | {p95:.0f} | {h50:.0f} | {h95:.0f} | {p50 / h50:.2f} |", flush=True)


def _percentiles(found: list[float]) -> tuple[float, float]:
    ordered = sorted(found)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]


if __name__ == "__main__":
    main()
