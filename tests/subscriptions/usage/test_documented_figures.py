"""The example of docs/reconciliation.md, played: the page says what the document says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import factories, pages
from tests.subscriptions.usage.usage_world import Company

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
DOCUMENT = Path(__file__).parents[3] / "docs" / "reconciliation.md"


def test_the_equations_of_the_document_are_those_of_the_page(signed_in: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    company = Company()
    model = factories.software_model(publisher="Example", product="Suite")
    blocks = company.own(model, 40, 100, "USD"), company.own(model, 10, 150, "USD")
    company.fill(model, 53)
    company.reconcile()
    page = pages.text_of(signed_in("sam_user").get(company.metric(model).get_absolute_url()).content.decode())
    told = re.findall(r"^\| [\w-]+ \| ([\w .,]+ = .+) \|$", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert len(told) == 5
    for place, one in enumerate(blocks, start=1):
        page = page.replace(one.number, f"ENT000000{place}")
    for equation in told:
        assert equation in page
