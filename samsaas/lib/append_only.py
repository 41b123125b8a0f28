"""Tables whose rows nobody changes or deletes: triggers of the database refuse it, whoever asks.

They refuse UPDATE, DELETE, TRUNCATE (PostgreSQL) and INSERT OR REPLACE (SQLite) with an `IntegrityError`. One way is
open: inside `allow_deleting`, rows older than a moment may be deleted. Who owns the table can also drop the triggers,
so `find_problems` compares them with what they have to be, and finds whatever else could drop or hide a row: rules, row
security, tables that inherit, a table that a crash would empty.

A table needs a primary key `id` and a column `at`. SQLite drops triggers when a migration makes a table anew, so
`protect` runs after every migrate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connections, transaction

ALLOWED_BEFORE = "samsaas.delete_before"  # a setting of PostgreSQL, which ends with its transaction
FUNCTION = "samsaas_append_only"
REFUSE_BODY = f"""
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.at < nullif(current_setting('{ALLOWED_BEFORE}', true), '')::timestamptz THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'integrity_constraint_violation';
END
"""
# The bits of pg_trigger.tgtype: row 1, before 2, delete 8, update 16, truncate 32.
POSTGRES_TRIGGERS = {
    "append_only_rows": (1 + 2 + 8 + 16, "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW"),
    "append_only_all": (2 + 32, "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"),
}
# What else can be added to a table of PostgreSQL, each with the statement that removes it. Triggers see nothing of a
# rule, which is applied to a statement before it runs.
POSTGRES_ADDITIONS = """
SELECT format('rule %%s', rulename), format('DROP RULE %%I ON %%s', rulename, ev_class::regclass)
  FROM pg_rewrite WHERE ev_class = to_regclass(%(table)s)
UNION ALL
SELECT format('row security policy %%s', polname), format('DROP POLICY %%I ON %%s', polname, polrelid::regclass)
  FROM pg_policy WHERE polrelid = to_regclass(%(table)s)
UNION ALL
SELECT 'row security',
       format('ALTER TABLE %%s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', oid::regclass)
  FROM pg_class WHERE oid = to_regclass(%(table)s) AND (relrowsecurity OR relforcerowsecurity)
UNION ALL
SELECT 'storage that a crash empties', format('ALTER TABLE %%s SET LOGGED', oid::regclass)
  FROM pg_class WHERE oid = to_regclass(%(table)s) AND relpersistence = 'u'
UNION ALL
SELECT format('table %%s, which inherits', inhrelid::regclass),
       format('ALTER TABLE %%s NO INHERIT %%s', inhrelid::regclass, inhparent::regclass)
  FROM pg_inherits WHERE inhparent = to_regclass(%(table)s)
"""
# Without recursive_triggers, INSERT OR REPLACE deletes the old row without its DELETE trigger.
SQLITE_TRIGGERS = {
    "append_only_insert": 'BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE "id" = NEW."id")',
    "append_only_update": "BEFORE UPDATE ON {table}",
    "append_only_delete": "BEFORE DELETE ON {table}",
}


def protect(table: str, *, using: str = "default") -> None:
    """Create the triggers and remove what is not ours, unless all is as it has to be. A missing table is left alone."""
    connection = connections[using]
    if table not in connection.introspection.table_names() or not find_problems(table, using=using):
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for name in _triggers_of(connection, table):
            _drop_trigger(cursor, connection, table, name)
        for removal in _additions_to(connection, table).values():
            cursor.execute(removal)
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${REFUSE_BODY}$$"
            )
            for name, (_, event) in POSTGRES_TRIGGERS.items():
                cursor.execute(
                    f"CREATE TRIGGER {name} {event.format(table=_quoted(table))} EXECUTE FUNCTION {FUNCTION}()"
                )
                cursor.execute(f"ALTER TABLE {_quoted(table)} ENABLE ALWAYS TRIGGER {name}")
        else:
            for name in SQLITE_TRIGGERS:
                cursor.execute(_sqlite_trigger(table, name))


def find_problems(table: str, *, using: str = "default") -> list[str]:
    """What is wrong with a table: triggers that are missing, changed or switched off, and what is not ours."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        wanted: dict[str, Any] = {
            name: (kind, "A", REFUSE_BODY, True, True) for name, (kind, _) in POSTGRES_TRIGGERS.items()
        }
    else:
        wanted = {f"{table}_{name}": _sqlite_trigger(table, name) for name in SQLITE_TRIGGERS}
    found = _triggers_of(connection, table)
    missing = [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
    changed = [f"{name} was changed" for name in sorted(wanted.keys() & found.keys()) if found[name] != wanted[name]]
    more = [*sorted(found.keys() - wanted.keys()), *_additions_to(connection, table)]
    return missing + changed + [f"{name} is not ours" for name in more] + _standing_permission(connection)


@contextmanager
def allow_deleting(table: str, *, before: datetime, using: str = "default") -> Iterator[None]:
    """A transaction in which rows with an `at` before this moment can be deleted. Nothing else becomes possible."""
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config(%s, %s, true)", [ALLOWED_BEFORE, before.isoformat()])
            yield
            cursor.execute("SELECT set_config(%s, '', true)", [ALLOWED_BEFORE])
        else:
            _drop_trigger(cursor, connection, table, f"{table}_append_only_delete")
            older = f" WHEN OLD.\"at\" >= '{connection.ops.adapt_datetimefield_value(before)}'"
            cursor.execute(_sqlite_trigger(table, "append_only_delete", only=older))
            yield
            _drop_trigger(cursor, connection, table, f"{table}_append_only_delete")
            cursor.execute(_sqlite_trigger(table, "append_only_delete"))


def _triggers_of(connection: Any, table: str) -> dict[str, Any]:
    """The triggers of a table by name, each with what `find_problems` compares."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, t.tgtype, t.tgenabled::text, p.prosrc, t.tgqual IS NULL AND t.tgattr::text = '',"
                " p.proconfig IS NULL"
                " FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE t.tgrelid = to_regclass(%s) AND NOT t.tgisinternal",
                [_quoted(table)],
            )
        else:
            # SQLite stores the table's name as whoever made the trigger wrote it, in capitals or not.
            triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s COLLATE NOCASE"
            cursor.execute(triggers, [table])
        return {row[0]: row[1] if len(row) == 2 else tuple(row[1:]) for row in cursor.fetchall()}


def _additions_to(connection: Any, table: str) -> dict[str, str]:
    """What was added besides triggers and could drop or hide rows, each with the statement that removes it."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(POSTGRES_ADDITIONS, {"table": _quoted(table)})
        return dict(cursor.fetchall())


def _standing_permission(connection: Any) -> list[str]:
    """Whether each session may delete from its beginning, because database or role say so."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_db_role_setting WHERE EXISTS"
            " (SELECT 1 FROM unnest(setconfig) AS line WHERE lower(line) LIKE %s)",
            [f"{ALLOWED_BEFORE}=%"],
        )
        set_for_all = cursor.fetchone() is not None
    return [f"{ALLOWED_BEFORE} is set for a role or a database (ALTER … RESET it)"] if set_for_all else []


def _drop_trigger(cursor: Any, connection: Any, table: str, name: str) -> None:
    place = f" ON {_quoted(table)}" if connection.vendor == "postgresql" else ""
    cursor.execute(f"DROP TRIGGER IF EXISTS {_quoted(name)}{place}")


def _sqlite_trigger(table: str, name: str, *, only: str = "") -> str:
    event = SQLITE_TRIGGERS[name].format(table=_quoted(table)) + only
    return (
        f"CREATE TRIGGER {_quoted(f'{table}_{name}')} {event} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
