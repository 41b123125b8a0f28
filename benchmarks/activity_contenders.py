"""One measurement of the activity benchmark, in a process of its own so that its peak memory is its own."""

from __future__ import annotations

import json
import resource
import time
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

# Django has to be ready before its models are imported.
import requests  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import job, tenant  # noqa: E402
from benchmarks.activity_log import member_id  # noqa: E402
from profiles import connectors  # noqa: E402
from profiles.connection import credentials  # noqa: E402
from profiles.connectors import base  # noqa: E402
from profiles.connectors.dropbox import events  # noqa: E402
from profiles.models import ConnectionAlias, IntegrationProfile  # noqa: E402
from samsaas.lib import bulk  # noqa: E402
from subscriptions.activity import pull as pull_activity  # noqa: E402
from subscriptions.models import ActivityCoverage, ActivityDay, LastActivity, Subscription, SubscriptionIdentifier  # noqa: E402

START = datetime(2026, 10, 1, tzinfo=UTC)


def bare(port: int) -> int:
    """Fetch and decode, page after page; nothing is folded and nothing stored."""
    session, number, argument = requests.Session(), 0, '{"limit":1000}'
    while True:
        answer = session.post(f"http://127.0.0.1:{port}/2/team_log/get_events", argument)
        log = events.decoder.decode(answer.content)
        number += len(log.events)
        if not log.has_more:
            return number
        argument = json.dumps({"cursor": log.cursor}, separators=(",", ":"))


def pull(port: int) -> int:
    """The product's own pull, from an empty table of activity."""
    profile = IntegrationProfile.objects.get(display_name="activity")
    for model in (LastActivity, ActivityDay, ActivityCoverage):
        model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    return _pull(profile, port)


def again(port: int) -> int:
    """The same log once more: everything is known, every day is counted anew."""
    profile = IntegrationProfile.objects.get(display_name="activity")
    profile.coverage.all().delete()
    return _pull(profile, port)


SIDES = {"bare": bare, "pull": pull, "again": again}


class _Token:
    """Dropbox's tokens run past 1,000 characters."""

    def access_token(self) -> str:
        return "sl.u." + "BenchmarkToken-" * 70

    def renew(self, stale: str) -> str:
        return stale


def _pull(profile: IntegrationProfile, port: int) -> int:
    url = f"http://127.0.0.1:{port}"
    where = connectors.vendor("dropbox").endpoints_from(lambda name, default: url)
    credentials.open_connector = lambda *args, **kwargs: connectors.open(  # type: ignore[assignment]
        "dropbox", endpoints=where, client_id="benchmark", token_source=_Token()
    )
    return int(job.run(profile, base.ACTIVITY, pull_activity.run).counters["read"])


def prepare(members: int) -> None:
    """A profile with its seats, once."""
    alias = ConnectionAlias.objects.get(vendor="dropbox", parent=None)
    told = {"vendor": "dropbox", "alias": alias, "analyze_activity_from": START, "team_id": tenant.TEAM_ID}
    profile, made = IntegrationProfile.objects.get_or_create(display_name="activity", defaults=told)
    if not made and profile.subscriptions.count() == members:
        return
    kind, _ = SubscriptionIdentifier.objects.get_or_create(vendor="dropbox", identifier="full")
    Subscription.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    texts = ("email", "display_name", "given_name", "surname", "account_id", "employee_id", "secondary_emails", "roles")
    columns = ("profile_id", "external_id", "identifier_id", "status", "vendor_status", "email_verified", "is_admin")
    columns += ("consumes_license", "first_seen_at", "known_since", "changed_at", "valid_since", *texts)
    fixed = (kind.pk, "active", "active", True, False, True, now, now, now, now)
    rows = ((profile.pk, member_id(index), *fixed, *[f"person {index}"] * len(texts)) for index in range(members))
    bulk.load(connection, Subscription._meta.db_table, columns, rows)


def main(side: str, port: int, members: int) -> None:
    call_command("migrate", verbosity=0)
    prepare(members)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    began = time.perf_counter()
    number = SIDES[side](port)
    told: dict[str, Any] = {"events": number, "seconds": time.perf_counter() - began}
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told["stored"] = [LastActivity.objects.count(), ActivityDay.objects.count()]
    print(json.dumps(told))
