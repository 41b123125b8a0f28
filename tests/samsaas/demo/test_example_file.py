"""The spreadsheet of the demo's documentation has other column names, and comes in when they are chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from subscriptions.models import Entitlement, EntitlementImport, SoftwareModel
from tests import worlds
from tests.subscriptions.entitlements.owned_world import send

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
# As docs/demo.md says it.
CHOSEN = {
    "publisher": "Manufacturer",
    "product": "Title",
    "edition": "Variant",
    "purchased_rights": "Pieces",
    "start": "Runs from",
    "end": "Runs to",
    "period": "Invoiced",
    "unit_cost": "Price each",
    "currency": "Money",
    "contract": "Signed as",
}


def test_its_columns_are_chosen_and_its_lines_become_drafts(signed_in: Any) -> None:
    for product, edition in (("Dropbox Business", "Full"), ("Dropbox Sign", "Standard")):
        SoftwareModel.objects.create(publisher="Dropbox", product=product, edition=edition)
    client = signed_in("sam_user")
    send(client, (EXAMPLES / "purchases.xlsx").read_bytes(), "purchases.xlsx")
    worlds.work()
    upload = EntitlementImport.objects.get()
    assert upload.can_choose and not upload.rows.exists(), "no heading is known"
    headings = upload.counters["headings"]
    assert sorted(CHOSEN.values()) == sorted(headings)
    columns = {f"column_{key}": headings.index(heading) for key, heading in CHOSEN.items()}
    client.post(f"/entitlements/imports/{upload.pk}/columns/", columns, follow=True)
    worlds.work()
    page = client.get(f"/entitlements/imports/{upload.pk}/").content.decode()
    assert "Dropbox Dash" in page
    assert set(upload.rows.values_list("effect", flat=True)) == {"new"}
    client.post(f"/entitlements/imports/{upload.pk}/apply/", {"make_models": "on"}, follow=True)
    worlds.work()
    found = {str(one.software_model): one for one in Entitlement.objects.select_related("software_model")}
    assert {name: one.purchased_rights for name, one in found.items()} == {
        "Dropbox Business Full": 220,
        "Dropbox Sign Standard": 10,
        "Dropbox Dash Business": 15,
    }
    assert all(one.is_draft for one in found.values())
