"""Managing a software model: the switch, the cost with its currency, who may, and the line in the audit trail."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from samsaas.models import AuditEntry
from subscriptions.models import SoftwareModel
from tests import factories, pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def model() -> Any:
    return factories.software_model(edition="Full")


def saved(client: Any, model: Any, **fields: str) -> Any:
    return client.post(f"{model.get_absolute_url()}edit/", fields, follow=True)


def test_cost_and_management_are_stored_shown_and_audited(signed_in: Any, model: Any) -> None:
    manager = signed_in("sam_admin")
    page = pages.text_of(saved(manager, model, cost_override="180.50", currency="EUR").content.decode())
    assert "Override license cost 180.50 EUR per license and year" in page
    assert "License under management No" in page
    model.refresh_from_db()
    assert (model.under_management, model.cost_override, model.currency) == (False, Decimal("180.50"), "EUR")
    line = AuditEntry.objects.get(verb="changed software model")
    assert line.actor_id == manager.user.pk
    assert line.detail["under_management"] == {"before": True, "after": False}
    assert line.detail["cost_override"] == {"before": "", "after": "180.50"}
    listed = pages.rows(manager.get("/software-models/").content.decode(), "Software model")
    assert listed["Dropbox Business Full"][-2:] == ["No", "180.50 EUR"]
    assert pages.rows_behind(manager, "/software-models/?under_management=no") == 1
    assert pages.rows_behind(manager, "/software-models/?under_management=yes") == 0


def test_saving_what_was_there_leaves_no_line(signed_in: Any, model: Any) -> None:
    said = saved(signed_in("admin"), model, under_management="on", cost_override="", currency="").content.decode()
    assert "Nothing was changed." in said and not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cost_override": "10"}, "A cost needs its currency."),
        ({"currency": "EUR"}, "A currency needs a cost."),
        ({"cost_override": "-1", "currency": "EUR"}, "greater than or equal to 0"),
        ({"cost_override": "10", "currency": "XYZ"}, "XYZ is not one of the available choices"),
        ({"cost_override": "10", "currency": "EURO"}, "EURO is not one of the available choices"),
        ({"cost_override": "1e12", "currency": "EUR"}, "digits"),
        ({"cost_override": "NaN", "currency": "EUR"}, "Enter a number"),
    ],
    ids=str,
)
def test_a_cost_that_means_nothing_is_refused(signed_in: Any, model: Any, fields: dict[str, str], said: str) -> None:
    assert said in saved(signed_in("sam_admin"), model, under_management="on", **fields).content.decode()
    model.refresh_from_db()
    assert model.cost_override is None and model.currency == ""


@pytest.mark.parametrize("role", ["sam_user", "sam_integrator"])
def test_others_read_and_do_not_manage(signed_in: Any, model: Any, role: str) -> None:
    client = signed_in(role)
    assert "/edit/" not in client.get(model.get_absolute_url()).content.decode()
    assert saved(client, model, cost_override="1", currency="EUR").status_code == 403
    model.refresh_from_db()
    assert model.under_management and model.cost_override is None


def test_a_currency_is_chosen_among_those_there_are(signed_in: Any, model: Any) -> None:
    page = signed_in("sam_admin").get(f"{model.get_absolute_url()}edit/").content.decode()
    assert '<option value="EUR">EUR (Euro)</option>' in page and '<option value="JPY">JPY (Yen)</option>' in page


def test_a_name_given_by_hand_is_corrected_and_a_vendors_own_is_not(signed_in: Any, model: Any) -> None:
    manager, handmade = signed_in("sam_admin"), factories.software_model(product="Drobox Sign", edition="")
    factories.subscription(identifier=factories.identifier(software_model=handmade))
    named = {"publisher": "Dropbox", "product": "Dropbox Sign", "edition": "Team", "under_management": "on"}
    page = pages.text_of(saved(manager, handmade, **named).content.decode())
    assert "Dropbox Sign Team was saved" in page and "Current subscriptions 1" in page
    told = AuditEntry.objects.get(verb="changed software model").detail
    assert told["product"] == {"before": "Drobox Sign", "after": "Dropbox Sign"}
    assert 'name="product"' not in manager.get(f"{model.get_absolute_url()}edit/").content.decode()
    saved(manager, model, **named)
    model.refresh_from_db()
    assert str(model) == "Dropbox Business Full", "a download finds it by its name"


def test_a_model_is_not_renamed_to_one_there_is(signed_in: Any, model: Any) -> None:
    other = factories.software_model(product="Sign", edition="")
    named = {"publisher": " dropbox", "product": "DROPBOX business", "edition": "full "}
    said = pages.text_of(saved(signed_in("admin"), other, **named).content.decode())
    assert "Dropbox Business Full exists already" in said and "Edit Dropbox Sign" in said
    other.refresh_from_db()
    assert other.product == "Sign"


def test_only_an_empty_model_is_deleted_and_only_after_a_question(signed_in: Any, model: Any) -> None:
    manager = signed_in("sam_admin")
    kind = factories.identifier(software_model=model)
    path = f"{model.get_absolute_url()}delete/"
    factories.rule(model)  # which every model gets, and which goes with it
    assert path not in manager.get(model.get_absolute_url()).content.decode()
    for answer in (manager.get(path, follow=True), manager.post(path, follow=True)):
        assert "is in use" in answer.content.decode()
    kind.delete()
    assert path in manager.get(model.get_absolute_url()).content.decode()
    assert "Delete Dropbox Business Full?" in manager.get(path).content.decode()
    assert SoftwareModel.objects.exists()
    manager.post(path)
    assert not SoftwareModel.objects.exists()
    assert AuditEntry.objects.get(verb="deleted software model").object_name == "Dropbox Business Full"
