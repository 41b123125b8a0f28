"""Texts that are stored get their one form, and the columns in which they are compared are filled. Nobody is merged.

An employee number keeps its spelling if somebody else already has the cleaned one: two people stay two people.
"""

from django.db import migrations

from samsaas.lib.text_forms import clean_text, normalize_identifier, normalize_name

CHUNK = 2000
DOWNLOAD = "download_subscriptions"
ACTIVE = ("waiting", "queued", "running")
TEXTS = ("name", "department", "manager", "cost_center")


def fill_seats(apps, schema_editor):
    """ASCII letters are lowered by the database, however many seats there are; Python does the few others."""
    if schema_editor.connection.vendor == "postgresql":
        upper, lower = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
        form = f"translate(btrim({{}}), '{upper}', '{lower}')"
    else:
        form = "lower(trim({}))"
    columns = ("email", "employee_id")
    filled = ", ".join(f"compared_{name} = {form.format(name)}" for name in columns)
    schema_editor.execute(f"UPDATE subscriptions_subscription SET {filled}")
    seats = apps.get_model("subscriptions", "Subscription")
    for batch in _batches(seats.objects.only("pk", *columns, *(f"compared_{name}" for name in columns))):
        changed = []
        for seat in batch:
            forms = [normalize_identifier(getattr(seat, name)) for name in columns]
            if forms != [seat.compared_email, seat.compared_employee_id]:
                seat.compared_email, seat.compared_employee_id = forms[0][:320], forms[1][:255]
                changed.append(seat)
        seats.objects.bulk_update(changed, ["compared_email", "compared_employee_id"], batch_size=200)


def clean_people(apps, schema_editor):
    people = apps.get_model("subscriptions", "Person")
    for batch in _batches(people.objects.all()):
        wanted = {clean_text(person.key) for person in batch}
        taken = dict(people.objects.filter(key__in=wanted).values_list("key", "pk"))
        for person in batch:
            key = clean_text(person.key)
            if taken.setdefault(key, person.pk) == person.pk:
                person.key = key
            for name in TEXTS:
                setattr(person, name, clean_text(getattr(person, name)))
            person.compared_key, person.compared_name = (
                normalize_identifier(person.key)[:80],
                normalize_name(person.name)[:200],
            )
        people.objects.bulk_update(batch, ["key", *TEXTS, "compared_key", "compared_name"], batch_size=200)


def clean_addresses(apps, schema_editor):
    addresses = apps.get_model("subscriptions", "PersonAddress")
    for batch in _batches(addresses.objects.all()):
        for one in batch:
            address = normalize_identifier(one.address)[:320]
            if address == one.address:
                continue
            if addresses.objects.filter(person=one.person_id, address=address).exists():
                one.delete()
            else:
                addresses.objects.filter(pk=one.pk).update(address=address)


def clean_rules(apps, schema_editor):
    for name, columns in {"UserExclusion": ("pattern", "domain"), "ResolutionRule": ("new_domain",)}.items():
        model = apps.get_model("subscriptions", name)
        for rule in model.objects.all():
            for column in columns:
                setattr(rule, column, normalize_identifier(getattr(rule, column)))
            rule.save(update_fields=columns)


def clean_previews(apps, schema_editor):
    """Lines of files that wait for a confirmation find their person by the employee number."""
    rows = apps.get_model("subscriptions", "PersonImportRow")
    for batch in _batches(rows.objects.filter(upload__state__in=("preview", "applying"))):
        for row in batch:
            row.key = clean_text(row.key)
        rows.objects.bulk_update(batch, ["key"], batch_size=200)


def download_anew(apps, schema_editor):
    """A download under way has a table without the new columns: it begins at the first page again."""
    runs = apps.get_model("profiles", "JobRun").objects
    runs.filter(process=DOWNLOAD, state__in=ACTIVE).update(cursor="", cursor_at=None, pages=0, items=0)


def _batches(queryset):
    last = 0
    while batch := list(queryset.order_by("pk").filter(pk__gt=last)[:CHUNK]):
        yield batch
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0015_whose_a_seat_is"),
        ("profiles", "0012_help_texts_in_plain_english"),
    ]

    operations = [
        migrations.RunPython(fill_seats, migrations.RunPython.noop),
        migrations.RunPython(clean_people, migrations.RunPython.noop),
        migrations.RunPython(clean_addresses, migrations.RunPython.noop),
        migrations.RunPython(clean_rules, migrations.RunPython.noop),
        migrations.RunPython(clean_previews, migrations.RunPython.noop),
        migrations.RunPython(download_anew, download_anew),
    ]
