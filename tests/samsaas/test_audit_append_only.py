"""The audit trail is kept by the database: the application's own role can neither change nor delete an entry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from samsaas import audit, diagnosis
from samsaas.lib import append_only
from samsaas.models import AuditEntry
from tests import factories, trail

pytestmark = pytest.mark.django_db
TABLE = "samsaas_auditentry"


@pytest.fixture
def entries(db: None, account: Any) -> list[AuditEntry]:
    return [audit.record(account("sam_user", username=name), "looked", None, number=1) for name in ("ann", "bob")]


def stored() -> list[Any]:
    return list(AuditEntry.objects.order_by("pk").values())


def sql(statement: str) -> Callable[[], Any]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def overwrite() -> None:
    """An insert that would replace the row of the same number."""
    AuditEntry.objects.bulk_create(
        [AuditEntry(pk=AuditEntry.objects.latest("pk").pk, at=timezone.now(), verb="nothing happened")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["verb"],
    )


def save_changed(**fields: Any) -> None:
    entry = AuditEntry.objects.latest("pk")
    for name, value in fields.items():
        setattr(entry, name, value)
    super(AuditEntry, entry).save()


def change_many() -> None:
    rows = list(AuditEntry.objects.all())
    for row in rows:
        row.actor_name = "somebody else"
    AuditEntry.objects.bulk_update(rows, ["actor_name"])


ATTACKS: dict[str, Callable[[], Any]] = {
    "update of a queryset": lambda: AuditEntry.objects.update(actor_name="nobody"),
    "update of one field to itself": lambda: AuditEntry.objects.filter(actor_name="ann").update(verb="looked"),
    "update_or_create": lambda: AuditEntry.objects.update_or_create(
        pk=AuditEntry.objects.latest("pk").pk, defaults={"verb": "x"}
    ),
    "bulk_update": change_many,
    "bulk_create over a row": overwrite,
    "save past the model": lambda: save_changed(at=datetime(2001, 1, 1, tzinfo=UTC)),
    "delete of a queryset": lambda: AuditEntry.objects.filter(actor_name="ann").delete(),
    "delete in the base manager": lambda: AuditEntry._base_manager.all().delete(),
    "raw delete": lambda: AuditEntry.objects.all()._raw_delete("default"),
    "UPDATE": sql(f"UPDATE {TABLE} SET detail = '{{}}'"),
    "UPDATE of the number": sql(f"UPDATE {TABLE} SET id = id + 1000"),
    "DELETE": sql(f"DELETE FROM {TABLE}"),
    "DELETE of old ones": sql(f"DELETE FROM {TABLE} WHERE at < '2100-01-01'"),
}
ON_POSTGRESQL = {
    "TRUNCATE": sql(f"TRUNCATE {TABLE}"),
    "TRUNCATE of several": sql(f"TRUNCATE samsaas_heartbeat, {TABLE} RESTART IDENTITY CASCADE"),
    "upsert": sql(
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} ON CONFLICT (id) DO UPDATE SET verb = 'x'"  # noqa: S608
    ),
    "as a replica": sql(f"SET LOCAL session_replication_role = 'replica'; DELETE FROM {TABLE}"),
    "a setting without a moment": sql(f"SET LOCAL samsaas.delete_before = ''; DELETE FROM {TABLE}"),
}
ON_SQLITE = {
    "INSERT OR REPLACE": sql(f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE}"),
    "REPLACE": sql(f"REPLACE INTO {TABLE} SELECT * FROM {TABLE} LIMIT 1"),
    "UPDATE OR REPLACE": sql(f"UPDATE OR REPLACE {TABLE} SET id = (SELECT max(id) FROM {TABLE})"),
    "UPDATE OR IGNORE": sql(f"UPDATE OR IGNORE {TABLE} SET verb = 'x'"),
    "upsert": sql(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE true ON CONFLICT (id) DO UPDATE SET verb = 'x'"),
}


def refuse(attack: Callable[[], Any]) -> None:
    before = stored()
    with pytest.raises((IntegrityError, TypeError), match="append-only"), transaction.atomic():
        attack()
    assert stored() == before


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_statement_changes_or_deletes_an_entry(entries: list[AuditEntry], attack: str) -> None:
    refuse(ATTACKS[attack])


def test_no_statement_that_only_this_database_knows_does_either(entries: list[AuditEntry]) -> None:
    for attack in (ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE).values():
        refuse(attack)


@pytest.mark.django_db(transaction=True)
def test_emptying_the_whole_database_with_flush_is_refused(entries: list[AuditEntry]) -> None:
    before = stored()
    with pytest.raises((CommandError, DatabaseError)):
        call_command("flush", interactive=False, verbosity=0)
    assert stored() == before


def test_new_entries_are_welcome_one_by_one_and_in_bulk(entries: list[AuditEntry]) -> None:
    AuditEntry.objects.bulk_create([AuditEntry(at=timezone.now(), verb=f"did {number}") for number in range(3)])
    audit.record(None, "did more", None)
    assert len(stored()) == 6


def test_deleting_an_account_leaves_its_entries_as_they_were(entries: list[AuditEntry], django_user_model: Any) -> None:
    before, ann = stored(), django_user_model.objects.get(username="ann")
    number = ann.pk
    with CaptureQueriesContext(connection) as asked:
        ann.delete()
    assert stored() == before and stored()[0]["actor_id"] == number and stored()[0]["actor_name"] == "ann"
    assert not [query for query in asked if TABLE in query["sql"]], "no foreign key leads to the account"


def test_no_table_refers_to_the_trail_and_it_refers_to_none() -> None:
    assert not [field for field in AuditEntry._meta.get_fields() if field.is_relation]
    assert not [model for model in apps.get_models() if AuditEntry in {f.related_model for f in model._meta.fields}]


def table_made_anew() -> None:
    """What a migration that alters the table does: SQLite makes a new table and drops the old one with its triggers."""
    old, new = AuditEntry._meta.get_field("verb"), AuditEntry._meta.get_field("verb").clone()
    new.max_length = 61
    new.set_attributes_from_name("verb")
    with connection.schema_editor() as editor:
        editor.alter_field(AuditEntry, old, new)
        editor.alter_field(AuditEntry, new, old)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("loss", [table_made_anew, trail.drop_triggers], ids=["made anew", "dropped"])
def test_lost_triggers_are_a_fault_for_the_doctor_and_migrate_creates_them_again(loss: Callable[[], None]) -> None:
    entry, whole = factories.audit_entry(), trail.triggers()
    assert whole and [one.level for one in doctor()] == ["OK"]
    loss()
    if trail.triggers() != whole:
        (fault,) = doctor()
        assert fault.level == "FAIL" and "manage.py migrate" in fault.remedy and "is missing" in fault.message
        if connection.vendor == "sqlite":
            with transaction.atomic():
                AuditEntry.objects.all().delete()
                transaction.set_rollback(True)
    call_command("migrate", verbosity=0)
    assert trail.triggers() == whole and [one.level for one in doctor()] == ["OK"]
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).delete()


def doctor() -> list[Any]:
    return [one for one in diagnosis.run(vendor=False) if one.check == "audit trail"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sqlite", "postgresql"),
    [
        (
            f"DROP TRIGGER {TABLE}_append_only_update;"
            f"CREATE TRIGGER {TABLE}_append_only_update BEFORE UPDATE ON {TABLE} BEGIN SELECT 1; END",
            "CREATE OR REPLACE FUNCTION samsaas_append_only() RETURNS trigger LANGUAGE plpgsql"
            " AS $$BEGIN RETURN NULL; END$$",
        ),
        (
            f"CREATE TRIGGER more AFTER INSERT ON {TABLE} BEGIN SELECT RAISE(IGNORE); END",
            f"ALTER TABLE {TABLE} DISABLE TRIGGER append_only_rows",
        ),
        (f"DROP TRIGGER {TABLE}_append_only_insert", f"DROP TRIGGER append_only_all ON {TABLE}"),
    ],
    ids=["hollowed out", "switched off or joined by another", "one of them dropped"],
)
def test_triggers_that_only_look_right_are_a_fault_too(sqlite: str, postgresql: str) -> None:
    statements = [postgresql] if connection.vendor == "postgresql" else sqlite.split(";CREATE")
    with connection.cursor() as cursor:
        for number, statement in enumerate(statements):
            cursor.execute(f"CREATE{statement}" if number else statement)
    assert [one.level for one in doctor()] == ["FAIL"]
    call_command("migrate", verbosity=0)
    assert [one.level for one in doctor()] == ["OK"]


ADDED_ON_POSTGRESQL = {
    "a rule that drops inserts": (f"CREATE RULE quiet AS ON INSERT TO {TABLE} DO INSTEAD NOTHING", "rule quiet"),
    "a rule that drops some": (
        f"CREATE RULE \"odd name\" AS ON INSERT TO {TABLE} WHERE NEW.verb = 'x' DO INSTEAD NOTHING",
        "rule odd name",
    ),
    "a rule on updates": (f"CREATE RULE up AS ON UPDATE TO {TABLE} DO INSTEAD NOTHING", "rule up"),
    "a rule on deletes": (f"CREATE RULE gone AS ON DELETE TO {TABLE} DO INSTEAD NOTHING", "rule gone"),
    "a rule that does more": (f"CREATE RULE more AS ON INSERT TO {TABLE} DO ALSO NOTIFY entries", "rule more"),
    "a rule that is switched off": (
        f"CREATE RULE quiet AS ON INSERT TO {TABLE} DO INSTEAD NOTHING; ALTER TABLE {TABLE} DISABLE RULE quiet",
        "rule quiet",
    ),
    "row security": (
        f"CREATE POLICY few ON {TABLE} USING (verb <> 'x');"
        f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY; ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY",
        "row security policy few",
    ),
    "row security without a policy": (f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY", "row security"),
    "a policy in waiting": (f"CREATE POLICY few ON {TABLE} USING (verb <> 'x')", "row security policy few"),
    "no log": (f"ALTER TABLE {TABLE} SET UNLOGGED", "storage that a crash empties"),
    "an heir": (f"CREATE TABLE made_up () INHERITS ({TABLE})", "table made_up, which inherits"),
    "a trigger": (
        "CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
        f"CREATE TRIGGER quiet BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION drop_row()",
        "quiet is not ours",
    ),
    "a function with a setting": (
        "ALTER FUNCTION samsaas_append_only() SET samsaas.delete_before = '2100-01-01'",
        "append_only_rows was changed",
    ),
    **{
        f"a trigger that fires {when}": (f"ALTER TABLE {TABLE} {when} TRIGGER append_only_rows", "append_only_rows was")
        for when in ("DISABLE", "ENABLE", "ENABLE REPLICA")
    },
}
ADDED_ON_SQLITE = {
    "in capitals": (
        f"CREATE TRIGGER quiet BEFORE INSERT ON {TABLE.upper()} BEGIN SELECT RAISE(IGNORE); END",
        "quiet is not ours",
    ),
    "in quotes": (
        f'CREATE TRIGGER quiet BEFORE INSERT ON "{TABLE.title()}" BEGIN SELECT RAISE(IGNORE); END',
        "quiet is not ours",
    ),
}


@pytest.mark.django_db(transaction=True)
def test_whatever_could_drop_or_hide_an_entry_is_a_fault_and_migrate_removes_it() -> None:
    on_postgresql = connection.vendor == "postgresql"
    for addition, (statements, told) in (ADDED_ON_POSTGRESQL if on_postgresql else ADDED_ON_SQLITE).items():
        sql(statements)()
        (fault,) = doctor()
        assert fault.level == "FAIL" and told in fault.message, addition
        append_only.protect(TABLE)  # what migrate calls
        assert [one.level for one in doctor()] == ["OK"], addition
        number = AuditEntry.objects.create(at=timezone.now(), verb="x").pk
        assert AuditEntry.objects.filter(pk=number).exists(), addition
        refuse(lambda: AuditEntry.objects.all().delete())
    if on_postgresql:
        sql("DROP TABLE made_up; DROP FUNCTION drop_row()")()


@pytest.mark.django_db(transaction=True)
def test_a_view_in_the_place_of_the_table_is_a_fault() -> None:
    sql(f"ALTER TABLE {TABLE} RENAME TO hidden_entries")()
    try:
        sql(f"CREATE VIEW {TABLE} AS SELECT * FROM hidden_entries WHERE verb <> 'x'")()  # noqa: S608
        assert [one.level for one in doctor()] == ["FAIL"]
    finally:
        sql(f"DROP VIEW {TABLE}")()
        sql(f"ALTER TABLE hidden_entries RENAME TO {TABLE}")()


@pytest.mark.django_db(transaction=True)
def test_leave_to_delete_in_every_session_is_a_fault() -> None:
    """The setting that a purge makes for one transaction, made for a role for good."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles.")
    sql("ALTER ROLE CURRENT_USER SET samsaas.delete_before = '2100-01-01'")()
    try:
        (fault,) = doctor()
        assert fault.level == "FAIL" and "samsaas.delete_before is set for a role" in fault.message
    finally:
        sql("ALTER ROLE CURRENT_USER RESET samsaas.delete_before")()
    assert [one.level for one in doctor()] == ["OK"]


def purge(*arguments: str) -> str:
    out = StringIO()
    call_command("purge_audit", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def old_and_new(db: None) -> datetime:
    """Two entries of last year, one of today; and the first moment of this month, which parts them."""
    for days in (400, 380, 0):
        factories.audit_entry(at=timezone.now() - timedelta(days=days), verb=f"{days} days ago")
    return timezone.now() - timedelta(days=100)


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))


def test_a_purge_only_says_at_first_what_it_would_do(old_and_new: datetime) -> None:
    said = purge("--before", f"{old_and_new:%Y-%m-%d}")
    assert "2 entries would be deleted" in said and "Add --yes" in said and len(verbs()) == 3


def test_a_purge_deletes_what_is_older_and_leaves_an_entry_about_itself(old_and_new: datetime) -> None:
    oldest = AuditEntry.objects.order_by("at")[0].at
    assert "2 entries deleted" in purge("--before", f"{old_and_new:%Y-%m-%d}", "--yes")
    assert verbs() == ["0 days ago", "purged audit trail"]
    detail = AuditEntry.objects.get(verb="purged audit trail").detail
    assert detail["entries"] == 2 and detail["oldest"] == oldest.isoformat() and " at " in detail["run_by"]
    assert "no entries" in purge("--before", f"{old_and_new:%Y-%m-%d}", "--yes")
    assert len(verbs()) == 2, "a purge that found nothing is none"


def test_after_a_purge_the_trail_is_append_only_again(old_and_new: datetime) -> None:
    purge("--before", f"{old_and_new:%Y-%m-%d}", "--yes")
    assert append_only.find_problems(TABLE) == []
    for change in (lambda: AuditEntry.objects.all().delete(), lambda: AuditEntry.objects.update(verb="x")):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_the_day_itself_is_kept_in_the_zone_of_the_pages(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    with timezone.override("Asia/Tokyo"):
        factories.audit_entry(at=datetime(2026, 1, 9, 14, 59, 59, 999999, tzinfo=UTC), verb="before midnight")
        factories.audit_entry(at=datetime(2026, 1, 9, 15, tzinfo=UTC), verb="at midnight")
        purge("--before", "2026-01-10", "--yes")
    assert verbs() == ["at midnight", "purged audit trail"]


@pytest.mark.parametrize("given", [[], ["--before", "yesterday"], ["--before", "2026-02-30"], ["--yes"]])
def test_a_purge_without_a_day_is_refused(given: list[str]) -> None:
    with pytest.raises(CommandError):
        purge(*given)


def test_a_purge_of_everything_up_to_now_is_refused(old_and_new: datetime) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    with pytest.raises(CommandError, match="in the future"):
        purge("--before", f"{tomorrow:%Y-%m-%d}", "--yes")
    assert len(verbs()) == 3


def test_inside_a_purge_newer_entries_and_changes_stay_refused(old_and_new: datetime) -> None:
    forbidden = (
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditEntry.objects.filter(at__gte=old_and_new).delete(),
        lambda: AuditEntry.objects.update(verb="x"),
    )
    with append_only.allow_deleting(TABLE, before=old_and_new):
        for change in forbidden:
            with pytest.raises(IntegrityError), transaction.atomic():
                change()
    assert len(verbs()) == 3


def test_a_purge_that_breaks_off_deletes_nothing_and_leaves_the_trail_closed(
    old_and_new: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "record", None)
    with pytest.raises(TypeError), transaction.atomic():
        purge("--before", f"{old_and_new:%Y-%m-%d}", "--yes")
    assert len(verbs()) == 3 and append_only.find_problems(TABLE) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.filter(at__lt=old_and_new).delete()
