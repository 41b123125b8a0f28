"""Two administrators deactivate each other at the same moment: one of them stays."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from samsaas.accounts import access, edit

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_who_deactivate_each_other_at_once_leave_one(account: Any) -> None:
    one, other = account("admin", username="one"), account("admin", username="other")
    together, outcomes = threading.Barrier(2), []

    def deactivate(whom: User, by: User) -> None:
        together.wait()
        try:
            edit.deactivate(whom.pk, by=by)
            outcomes.append("done")
        except access.LastAdministrator:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=deactivate, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    assert access.active_administrators().count() == 1
