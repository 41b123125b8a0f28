"""Searches without regard to accents: the function that folds texts, and the audit trail's index over it; PostgreSQL only."""

from django.db import migrations

COLUMNS = ("object_name", "verb", "actor_name")

# `samsaas.lib.fold.fold` as PostgreSQL computes it. ICU's lower case does not depend on how the database was created. A
# text of ASCII is the usual one and needs less.
FUNCTION = """
CREATE OR REPLACE FUNCTION samsaas_fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fold$
  SELECT CASE
    WHEN octet_length($1) = length($1) THEN lower(replace($1, '`', $q$'$q$) COLLATE "C")
    ELSE replace(replace(replace(replace(translate(
      lower(
        regexp_replace(normalize(translate($1, '`\u00b4', $q$''$q$), NFKD), '[\u0300-\u036f]', '', 'g') COLLATE "und-x-icu"
      ) COLLATE "C",
      'łøđðħŧŋıς' || '\u2018\u2019\u201b\u02bc\u02b9\u2032' || '\u2010\u2011\u2012\u2013\u2014\u2015\u2212',
      'loddhtniσ' || $q$''''''$q$ || '-------'
    ), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th')
  END
$fold$
"""
INDEX = """
CREATE INDEX "audit_search" ON "samsaas_auditentry"
USING gin (samsaas_fold(chr(10) || "object_name" || chr(10) || "verb" || chr(10) || "actor_name") gin_trgm_ops)
"""


def create(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(FUNCTION, params=None)
    schema_editor.execute('DROP INDEX "audit_search"')
    schema_editor.execute(INDEX, params=None)


def drop(apps, schema_editor):
    """Back to the index of before. The function stays, because indexes of other apps may still use it."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute('DROP INDEX "audit_search"')
    together = " || chr(10) || ".join(f'"{column}"' for column in COLUMNS)
    text = f"UPPER((chr(10) || {together})::text)"
    schema_editor.execute(f'CREATE INDEX "audit_search" ON "samsaas_auditentry" USING gin (({text}) gin_trgm_ops)')


class Migration(migrations.Migration):
    dependencies = [
        ("samsaas", "0011_checklist"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
