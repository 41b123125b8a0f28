"""Edits by hand: the second of two people is told, and the audit trail says what changed."""

from __future__ import annotations

from datetime import time

import pytest

from profiles.models import ConnectionAlias
from samsaas.lib import edits


def test_a_form_that_somebody_else_overtook_is_refused() -> None:
    edits.refuse_stale(3, 3)
    for opened in (2, None):
        with pytest.raises(edits.EditConflict):
            edits.refuse_stale(opened, 3)


def test_only_what_is_another_value_is_set_and_noted_as_text() -> None:
    alias = ConnectionAlias(name="Dropbox", page_size=500, zone="")
    data = {"name": "Dropbox", "page_size": None, "refresh_at": time(3, 30), "zone": "Europe/Berlin"}
    changes = edits.set_changed(alias, data, data, empty="inherited")
    assert changes.before == {"page_size": "500", "refresh_at": "inherited", "zone": "inherited"}
    assert changes.after == {"page_size": "inherited", "refresh_at": "03:30:00", "zone": "Europe/Berlin"}
    assert (alias.page_size, alias.refresh_at, alias.zone) == (None, time(3, 30), "Europe/Berlin")
    assert not edits.set_changed(alias, data, data)


def test_false_and_zero_are_values_of_their_own() -> None:
    assert [edits.audit_value(value, "none") for value in (False, 0, "", None)] == ["False", "0", "none", "none"]
