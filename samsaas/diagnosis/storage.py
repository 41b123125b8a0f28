"""Checks of the database and its contents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from samsaas import audit, health, roles, stored_secrets
from samsaas.diagnosis.findings import Check, Finding, error_line, fail, ok, warn
from samsaas.lib import append_only, encryption, signatures
from samsaas.models import Heartbeat
from samsaas.sealing import seals, state

MOST_DRIFT = timedelta(seconds=5)
REFRESH_OVERDUE = timedelta(hours=48)
NAMES_SHOWN = 5
LOST_KEY = (
    "Add the key they were written with to FIELD_ENCRYPTION_KEYS. If it is lost for good, or somebody changed them in "
    "the database, run manage.py rotate_field_keys --forget-lost and enter the secrets again."
)
VERIFY = "Run manage.py verify_audit, and put the public key of every earlier key into AUDIT_PUBLIC_KEYS."
ICU = "und-x-icu"
WITHOUT_ICU = "Use a PostgreSQL that was built --with-icu, such as Debian's or the official image: docs/deploying.md."
NOT_BOUND = (
    "They are not used. If they came back with a backup, run manage.py rotate_field_keys --bind-unbound. If not, "
    "somebody wrote to the database: enter them again."
)


def database() -> Iterator[Finding]:
    """The database answers. The finding names it, so that a wrong one is noticed."""
    where = connection.settings_dict
    if connection.vendor == "sqlite" and _file_is_missing(str(where["NAME"])):
        yield fail("database", f"There is no file {where['NAME']}.", "Run manage.py migrate, or correct DATABASE_URL.")
        return
    try:
        connection.ensure_connection()
        version = ".".join(str(part) for part in connection.get_database_version())
    except Error as error:
        yield fail("database", f"Unreachable ({error_line(error)}).", "Start the database, or correct DATABASE_URL.")
        return
    if connection.vendor == "postgresql" and not _has_icu():
        yield fail("database", f"PostgreSQL {version} has no collation {ICU}, which searching needs.", WITHOUT_ICU)
        return
    place = f"{where['HOST']}/{where['NAME']}" if where["HOST"] else str(where["NAME"])
    yield ok("database", f"{connection.display_name} {version} at {place}.")


def _has_icu() -> bool:
    """Whether this PostgreSQL was built with ICU."""
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_collation where collname = %s", [ICU])
        return cursor.fetchone() is not None


def _file_is_missing(name: str) -> bool:
    """Whether the SQLite file is missing. Connecting would create an empty one. Databases in memory have no file."""
    return not name.startswith((":memory:", "file:")) and not Path(name).exists()


def migrations() -> Iterator[Finding]:
    """The database has every migration of this code."""
    pending = health.pending_migrations()
    if pending:
        yield fail("migrations", f"{pending} pending.", "Run manage.py migrate.")
    else:
        yield ok("migrations", "None pending.")


def writable_and_on_time() -> Iterator[Finding]:
    """The database accepts writes, and its clock agrees with this machine's.

    Leases and due times use the database's clock, tokens use the process's clock.
    """
    before = timezone.now()
    try:
        theirs = _write_and_undo()
    except Error as error:
        remedy = "Check permissions and free space, and that this is not a read-only replica."
        yield fail("database writes", f"Writing failed ({error_line(error)}).", remedy)
        return
    yield ok("database writes", "A row was written and rolled back.")
    after = timezone.now()
    drift = max(before - theirs, theirs - after, timedelta())
    if drift > MOST_DRIFT:
        remedy = "Synchronize the clocks of both machines (NTP)."
        yield fail("clock", f"This machine and the database differ by {drift.total_seconds():.0f} s.", remedy)
    else:
        yield ok("clock", "This machine and the database agree.")


def _write_and_undo() -> datetime:
    """Write a row and roll it back. Returns the database's time. Raises `django.db.Error`."""
    with transaction.atomic():
        probe = Heartbeat.objects.create(name="doctor", at=Now())
        probe.refresh_from_db()
        transaction.set_rollback(True)
    return probe.at


def secrets_readable() -> Iterator[Finding]:
    """Every stored secret can be decrypted. None is shown."""
    try:
        encryption.installation_keys()
    except ImproperlyConfigured:
        yield warn("stored secrets", "Not checked, because there are no keys.", "Set FIELD_ENCRYPTION_KEYS first.")
        return
    tallies = [stored_secrets.inspect(column) for column in stored_secrets.encrypted_columns()]
    older = sum(tally.older for tally in tallies)
    for tally in tallies:
        if tally.lost:
            yield fail("stored secrets", f"{len(tally.lost)} of {tally.column} cannot be decrypted.", LOST_KEY)
        if tally.unbound:
            message = f"{len(tally.unbound)} of {tally.column} are in the old format, not bound to their row."
            yield fail("stored secrets", message, NOT_BOUND)
    if older:
        yield warn("stored secrets", f"{older} under an older key.", "Run manage.py rotate_field_keys.")
    if not (older or any(tally.lost or tally.unbound for tally in tallies)):
        yield ok("stored secrets", f"{sum(tally.current for tally in tallies)} can be decrypted.")


def audit_trail() -> Iterator[Finding]:
    """The database refuses to change or delete entries of the audit trail, and their seals."""
    found = [problem for table in (audit.TABLE, audit.SEALS) for problem in append_only.find_problems(table)]
    problems = dict.fromkeys(found)
    if problems:
        remedy = "Run manage.py migrate --noinput, which puts the table right, and find out who changed it."
        yield fail("audit trail", f"Entries can be changed, dropped or hidden: {', '.join(problems)}.", remedy)
    else:
        yield ok("audit trail", "The database refuses to change or delete entries.")


def audit_seals() -> Iterator[Finding]:
    """The entries are sealed in time, and the last seal is genuine. `verify_audit` checks all of them."""
    chain, keys = state.describe_chain(now=timezone.now()), signatures.known_keys()
    last = chain.last
    if last and (last.key_id not in keys or not seals.is_genuine(last, keys[last.key_id])):
        yield fail("audit seals", f"Seal {last.number} is not signed with a key of yours.", VERIFY)
    elif chain.problem:
        yield warn("audit seals", chain.problem, "Set AUDIT_SIGNING_KEY, or check worker and beat.")
    elif last:
        yield ok("audit seals", f"The last one is {chain.to_keep} of {last.at:%Y-%m-%d %H:%M} UTC.")
    else:
        yield ok("audit seals", "Nothing had to be sealed yet.")


def administrators() -> Iterator[Finding]:
    """At least one active account can give roles."""
    able = User.objects.filter(Q(is_superuser=True) | Q(groups__name=roles.ADMIN), is_active=True)
    count = able.distinct().count()
    if count:
        yield ok("administrators", f"{count} active.")
    else:
        yield fail("administrators", "No active account has the role admin.", "Run manage.py createsuperuser.")


def integration_profiles() -> Iterator[Finding]:
    """No profile waits for a person, and every published one was refreshed lately."""
    asking = IntegrationProfile.Attention.NEEDS_AUTHORIZATION
    if waiting := _profile_names(Q(attention=asking)):
        yield warn("integration profiles", f"Need authorization: {waiting}.", "Press Get OAuth Token on each of them.")
    refused = IntegrationProfile.Attention.CLIENT_REFUSED
    if wrong := _profile_names(Q(attention=refused)):
        yield warn("integration profiles", f"Client secret refused: {wrong}.", "Enter the right one on each form.")
    if troubled := _profile_names(~Q(attention__in=("", asking, refused))):
        yield warn("integration profiles", f"Last refresh failed or is held: {troubled}.", "Open their job results.")
    old = Q(refreshed_at=None) | Q(refreshed_at__lt=timezone.now() - REFRESH_OVERDUE)
    idle = Q(attention="", status=IntegrationProfile.Status.PUBLISHED) & ~Q(runs__state__in=JobRun.ACTIVE)
    if stale := _profile_names(old & idle):
        yield warn("integration profiles", f"Not refreshed for two days: {stale}.", "Check worker and beat.")
    if not (waiting or wrong or troubled or stale):
        yield ok("integration profiles", f"{IntegrationProfile.objects.count()}, none needs attention.")


def _profile_names(condition: Q) -> str:
    names = list(IntegrationProfile.objects.filter(condition).values_list("display_name", flat=True)[: NAMES_SHOWN + 1])
    return ", ".join(names[:NAMES_SHOWN]) + (" and others" if len(names) > NAMES_SHOWN else "")


CHECKS: tuple[Check, ...] = (
    writable_and_on_time,
    secrets_readable,
    audit_trail,
    audit_seals,
    administrators,
    integration_profiles,
)
