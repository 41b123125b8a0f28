"""Two people, two tabs: the second one to save is told, and undoes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms

from profiles.connectors import base
from profiles.models import ConnectionAlias, IntegrationProfile, ScheduledJob

pytestmark = pytest.mark.django_db
MEANWHILE = "meanwhile. Open it again and repeat your change."


def opened(client: Any, path: str) -> dict[str, str]:
    """A form as a tab holds it: every field with its value."""
    form = client.get(path).context["form"]
    held = {name: form[name].value() for name in form.fields}
    moments = (forms.TimeInput, forms.DateTimeInput)
    return {
        name: str((field.widget.format_value(held[name]) if isinstance(field.widget, moments) else held[name]) or "")
        for name, field in form.fields.items()
    }


def sent(client: Any, path: str, tab: dict[str, str], **changes: str) -> str:
    return str(client.post(path, {**tab, **changes}, follow=True).content.decode())


def test_an_alias_saved_from_a_second_tab_does_not_undo_the_first(integrator: Any) -> None:
    alias = ConnectionAlias.objects.get()
    path = f"/aliases/{alias.pk}/edit/"
    first, second = opened(integrator, path), opened(integrator, path)
    sent(integrator, path, first, page_size="100")
    page = sent(integrator, path, second, attempts="2")
    alias.refresh_from_db()
    assert MEANWHILE in page and (alias.page_size, alias.attempts) == (100, None)
    sent(integrator, path, opened(integrator, path), attempts="2")
    alias.refresh_from_db()
    assert (alias.page_size, alias.attempts) == (100, 2)


def test_a_jobs_time_saved_from_a_second_tab_does_not_undo_the_first_and_a_pause_is_no_such_change(
    integrator: Any, connected: Any
) -> None:
    job = ScheduledJob.objects.get(process=base.DOWNLOAD)
    path = job.get_absolute_url()
    first, second, third = (opened(integrator, path) for _ in range(3))
    integrator.post(f"/scheduled-jobs/{job.pk}/pause/")
    sent(integrator, path, first, zone="Asia/Tokyo")
    page = sent(integrator, path, second, refresh_at="06:30")
    job.refresh_from_db()
    assert MEANWHILE in page and (job.zone, job.refresh_at) == ("Asia/Tokyo", None)
    assert MEANWHILE in sent(integrator, path, third)


def test_the_client_id_is_on_two_forms_and_neither_undoes_the_other(integrator: Any, draft: Any) -> None:
    of_alias, of_profile = f"/aliases/{draft.alias_id}/edit/", f"/integration-profiles/{draft.pk}/edit/"
    alias_tab, profile_tab = opened(integrator, of_alias), opened(integrator, of_profile)
    sent(integrator, of_alias, alias_tab, client_id="another", client_secret="new")
    assert MEANWHILE in sent(integrator, of_profile, profile_tab, client_secret="old")
    assert draft.alias.credentials.get().client_id == "another"
    alias_tab, profile_tab = opened(integrator, of_alias), opened(integrator, of_profile)
    sent(integrator, of_profile, profile_tab, client_id="third", client_secret="new")
    assert MEANWHILE in sent(integrator, of_alias, alias_tab, client_secret="old")
    assert draft.alias.credentials.get().client_id == "third"


def test_a_conflict_leaves_what_was_typed_in_the_form(integrator: Any, draft: Any) -> None:
    path = f"/integration-profiles/{draft.pk}/edit/"
    tab = opened(integrator, path)
    IntegrationProfile.objects.update(version=9)
    assert re.search(r'name="display_name"[^>]*value="Typed"', sent(integrator, path, tab, display_name="Typed"))
