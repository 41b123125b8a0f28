"""Whoever saves second is told the same on every form: who was first and when, and where the newer state is."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from samsaas.models import SavedView
from subscriptions.models import ResolutionRule, SoftwareModel
from tests import factories
from tests.profiles.test_lost_updates import opened

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
TOLD = "meanwhile. Open it again and repeat your change."
LINK = '<a href="{}" target="_blank" rel="noopener">See it as it is now, in a new tab</a>'


def filled(client: Any, path: str) -> dict[str, str]:
    """A form as a browser sends it: nothing for a list in which nothing is ticked."""
    return {name: value for name, value in opened(client, path).items() if value}


def test_who_was_first_is_named_with_a_link_to_what_it_is_now(integrator: Any, signed_in: Any, draft: Any) -> None:
    path = f"/integration-profiles/{draft.pk}/edit/"
    tab, colleague = opened(integrator, path), signed_in("sam_integrator", username="<b>ann")
    colleague.post(path, opened(colleague, path) | {"display_name": "Theirs"})
    page = integrator.post(path, tab | {"display_name": "Mine"}).content.decode()
    assert f"Somebody else saved this profile {TOLD}" in page and LINK.format(path) in page
    assert "It was <bdi>&lt;b&gt;ann</bdi>, at " in page and 'value="Mine"' in page


def test_whoever_overtakes_oneself_in_another_window_reads_so(integrator: Any, draft: Any) -> None:
    path = f"/integration-profiles/{draft.pk}/edit/"
    first, second = opened(integrator, path), opened(integrator, path)
    integrator.post(path, first | {"display_name": "First"})
    assert "It was <bdi>you, in another window</bdi>, at " in integrator.post(path, second).content.decode()


def test_records_without_a_version_are_not_undone_either(signed_in: Any) -> None:
    admin = signed_in("admin")
    model, user = factories.software_model(), User.objects.create_user("bob", first_name="Bob")
    view = SavedView.objects.create(list="PersonTable", owner=admin.user, name="View")
    rule = ResolutionRule.objects.first()
    assert rule
    for path, change, what in (
        (f"{model.get_absolute_url()}edit/", {"edition": "Changed"}, "this software model"),
        (f"/accounts/{user.pk}/edit/", {"first_name": "Changed"}, "this account"),
        (f"/lists/views/{view.pk}/", {"name": "Changed"}, "this view"),
        (f"/user-resolution-rules/{rule.pk}/", {"name": "Changed"}, "this rule"),
    ):
        first, second = filled(admin, path), filled(admin, path)
        admin.post(path, first | change)
        page = admin.post(path, second).content.decode()
        assert f"Somebody else saved {what} {TOLD}" in page and LINK.format(path) in page, path
    assert SoftwareModel.objects.get(pk=model.pk).edition == "Changed"
    assert User.objects.get(pk=user.pk).first_name == "Changed" and SavedView.objects.get().name == "Changed"
    assert ResolutionRule.objects.get(pk=rule.pk).name == "Changed"
