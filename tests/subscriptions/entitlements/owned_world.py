"""Entitlements in a test's world, and ways with a file of them: uploaded, read, and recorded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from subscriptions.entitlements import edit
from subscriptions.entitlements.imports import steps
from subscriptions.models import Entitlement, EntitlementImport, SoftwareModel, Subscription
from tests import factories, worlds
from tests.samsaas.lib.workbooks import make_workbook

LIST, NEW, UPLOAD = "/entitlements/", "/entitlements/new/", "/entitlements/imports/"
HEADER = (
    "Publisher",
    "Product",
    "Edition",
    "Purchased rights",
    "Start date",
    "End date",
    "Period",
    "Unit cost",
    "Currency",
)
GOOD = ("Dropbox", "Dropbox Business", "Standard", "10", "2026-01-01", "2026-12-31", "Annually", "120", "EUR")


def draft_of(model: SoftwareModel | None = None, **fields: Any) -> Entitlement:
    """A year from today's January on, ten rights, for EUR 120 a right."""
    year = timezone.localdate().year
    given: dict[str, Any] = {"start": date(year, 1, 1), "end": date(year, 12, 31), "purchased_rights": 10}
    given |= {"unit_cost": Decimal(120), "currency": "EUR"}
    return Entitlement(software_model=model or factories.software_model(), **{**given, **fields})


def drafted(by: Any, model: SoftwareModel | None = None, **fields: Any) -> Entitlement:
    return edit.save_draft(draft_of(model, **fields), by=by, now=timezone.now())


def published(by: Any, model: SoftwareModel | None = None, **fields: Any) -> Entitlement:
    return edit.publish(drafted(by, model, **fields), by=by, now=timezone.now())


def form_of(one: Entitlement, **changes: Any) -> dict[str, Any]:
    """What the browser sends for the plain form of this entitlement."""
    names = (
        *("software_model", "publisher_part_number", "agreement_type", "purchased_rights", "period", "start", "end"),
        *("unit_cost", "total_cost", "currency", "renews", "notice_days", "minimum_rights", "profile", "vendor_name"),
        *("contract", "invoice", "purchase_order", "cost_center", "department", "owner", "notes"),
    )
    held = {name: getattr(one, name) for name in names}
    sent = {name: getattr(value, "pk", value) for name, value in held.items() if value is not None}
    sent |= {name: "on" for name in ("unlimited", "auto_renew") if getattr(one, name)}
    if one.renews:
        sent["renews"] = one.renews.number
    if one.pk:
        sent["version"] = one.version
    sent |= changes
    return {name: value for name, value in sent.items() if value is not None}


def seat_of(person: Any, model: SoftwareModel) -> Subscription:
    """A subscription of the model that this person has."""
    kind = model.identifiers.first() or factories.identifier(software_model=model)
    seat = factories.subscription(identifier=kind)
    factories.match(seat, person)
    return seat


def csv_of(*rows: Sequence[str], header: Sequence[str] = HEADER, separator: str = ",") -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows((header, *rows))
    return file.getvalue().encode()


def changed(**cells: str) -> tuple[str, ...]:
    """The good line with other cells, by heading in small letters with underscores."""
    keys = [heading.lower().replace(" ", "_") for heading in HEADER]
    return tuple(cells.get(key, cell) for key, cell in zip(keys, GOOD, strict=True))


def workbook_of(*rows: Iterable[Any], header: Sequence[str] = HEADER, **options: Any) -> bytes:
    return make_workbook([header, *(list(row) for row in rows)], **options)


def staged(content: bytes, by: Any, name: str = "owned.csv") -> EntitlementImport:
    """Uploaded, and read by a worker."""
    upload = steps.store_upload(io.BytesIO(content), file_name=name, by=by, now=timezone.now())
    worlds.work()
    upload.refresh_from_db()
    return upload


def recorded(upload: EntitlementImport, by: Any, **ticks: bool) -> EntitlementImport:
    """Confirmed, and recorded by a worker where nothing is against it."""
    steps.confirm(upload.pk, by=by, **{"good_lines": False, "make_models": True, **ticks})
    worlds.work()
    upload.refresh_from_db()
    return upload


def send(client: Any, content: bytes, name: str = "owned.csv") -> Any:
    """Upload it on the page; gives the page that follows."""
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)}, follow=True)


def refusals(upload: EntitlementImport) -> dict[int, str]:
    return dict(upload.rows.filter(effect="refused").values_list("line", "problem"))


def day(offset: int) -> date:
    return timezone.localdate() + timedelta(days=offset)
