"""One measurement of the download benchmark, in a process of its own so that its peak memory is its own."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import islice
from pathlib import Path
from typing import Any

import django

django.setup()

# Django has to be ready before its models are imported.
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402
from dropbox import stone_serializers  # noqa: E402
from dropbox.team import MembersListV2Result_validator  # noqa: E402

from benchmarks import job, tenant  # noqa: E402
from profiles.connection import credentials  # noqa: E402
from profiles.connectors import base  # noqa: E402
from profiles.connectors.dropbox import members  # noqa: E402
from profiles.models import ConnectionAlias, IntegrationProfile  # noqa: E402
from samsaas.lib import bulk  # noqa: E402
from subscriptions.download import download, staging  # noqa: E402
from subscriptions.models import Subscription, SubscriptionIdentifier  # noqa: E402

SEATS = Subscription._meta.db_table


def prepare(name: str) -> IntegrationProfile:
    """An empty table of seats, and a profile."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {SEATS} CASCADE" if _postgresql() else f"DELETE FROM {SEATS}")
    alias, _ = ConnectionAlias.objects.get_or_create(
        name=f"bench_{name}", vendor="dropbox", defaults={"parent": ConnectionAlias.objects.filter(parent=None).first()}
    )
    profile, _ = IntegrationProfile.objects.get_or_create(
        display_name=name,
        vendor="dropbox",
        alias=alias,
        defaults={"team_id": tenant.TEAM_ID, "analyze_activity_from": timezone.now()},
    )
    for kind in profile.vendor_info.seat_types:
        SubscriptionIdentifier.objects.get_or_create(vendor="dropbox", identifier=kind.identifier)
    return profile


def source(folder: Path) -> int:
    """The row source alone: read, decode, make tuples."""
    return sum(1 for _ in _tuples(folder))


def floor(folder: Path) -> int:
    """The same rows by plain COPY, or insert, into the same indexed table, in one transaction."""
    profile = prepare("floor")
    ids = dict(SubscriptionIdentifier.objects.values_list("identifier", "pk"))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    columns = (
        "profile_id",
        "external_id",
        "identifier_id",
        *staging.WRITTEN,
        "first_seen_at",
        "known_since",
        "changed_at",
        "valid_since",
    )
    rows = ((profile.pk, row[1], ids[row[2]], *row[3:], now, now, now, now) for row in _tuples(folder))
    return timed(lambda: _in_one_transaction(columns, rows))


def first(folder: Path) -> int:
    profile = prepare("download")
    return timed(lambda: _download(profile, folder, tenant.FIRST))


def again(folder: Path) -> int:
    profile = IntegrationProfile.objects.get(display_name="download")
    return timed(lambda: _download(profile, folder, tenant.FIRST))


def day2(folder: Path) -> int:
    profile = IntegrationProfile.objects.get(display_name="download")
    return timed(lambda: _download(profile, folder, tenant.SECOND))


def sdk(folder: Path, sample: int = 2000) -> int:
    """The official SDK's decoder and `update_or_create` per member, over known rows, on a bounded sample."""
    profile = IntegrationProfile.objects.get(display_name="download")
    ids = dict(SubscriptionIdentifier.objects.values_list("identifier", "pk"))
    return timed(lambda: sum(1 for _ in islice(_update_or_create(profile, folder, ids), sample)))


SIDES: dict[str, Callable[[Path], int]] = {
    "source": lambda folder: timed(lambda: source(folder)),
    "floor": floor,
    "first": first,
    "again": again,
    "day2": day2,
    "sdk": sdk,
}
_measured: dict[str, Any] = {}


def timed(work: Callable[[], int]) -> int:
    before = _written()
    began = time.perf_counter()
    rows = work()
    _measured.update(seconds=time.perf_counter() - began, written=_written() - before)
    return rows


def main(side: str, folder: Path) -> None:
    call_command("migrate", verbosity=0)
    rows = SIDES[side](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if _postgresql():
        with connection.cursor() as cursor:  # what autovacuum does between two nights
            cursor.execute(f"VACUUM ANALYZE {SEATS}")
    print(json.dumps({"rows": rows, "peak_mb": peak, **_measured}))


def _tuples(folder: Path) -> Iterator[tuple]:
    for body in tenant.bodies(folder, tenant.FIRST):
        yield from staging.driver_rows(members.page(body).items)


def _in_one_transaction(columns: tuple[str, ...], rows: Iterator[tuple]) -> int:
    with transaction.atomic():
        return bulk.load(connection, SEATS, columns, rows)


def _download(profile: IntegrationProfile, folder: Path, day: str) -> int:
    credentials.open_connector = lambda *args, **kwargs: tenant.Tenant(folder, day)
    counters = job.run(profile, base.DOWNLOAD, download.run).counters
    _measured["counters"] = counters
    return counters["seen"]


def _update_or_create(profile: IntegrationProfile, folder: Path, ids: dict[str, int]) -> Iterator[bool]:
    for body in tenant.bodies(folder, tenant.FIRST):
        listing = stone_serializers.json_decode(MembersListV2Result_validator, body.decode())
        for member in listing.members:
            yield _store(profile, member, ids)


def _store(profile: IntegrationProfile, member: Any, ids: dict[str, int]) -> bool:
    said, now = member.profile, timezone.now()
    _, created = Subscription.objects.update_or_create(
        profile=profile,
        external_id=said.team_member_id,
        defaults={
            "identifier_id": ids[said.membership_type._tag],
            "email": said.email,
            "email_verified": said.email_verified,
            "display_name": said.name.display_name,
            "given_name": said.name.given_name,
            "surname": said.name.surname,
            "account_id": said.account_id or "",
            "employee_id": said.external_id or "",
            "secondary_emails": "\n".join(mail.email for mail in said.secondary_emails or ()),
            "roles": "\n".join(role.name for role in member.roles or ()),
            "is_admin": bool(member.roles),
            "status": said.status._tag,
            "vendor_status": said.status._tag,
            "consumes_license": True,
            "assigned_at": said.joined_on and said.joined_on.replace(tzinfo=UTC),
        },
        create_defaults={"first_seen_at": now, "known_since": now, "changed_at": now},
    )
    return created


def _written() -> int:
    """Bytes of write-ahead log so far; 0 where the database does not tell."""
    if not _postgresql():
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return int(cursor.fetchone()[0])


def _postgresql() -> bool:
    return connection.vendor == "postgresql"
