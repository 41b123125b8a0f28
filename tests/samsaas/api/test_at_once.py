"""The same order, sent by many at the same time, has one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from samsaas.models import ApiCall
from subscriptions.models import Entitlement
from tests import factories
from tests.samsaas.api.test_orders import rights

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


def test_twenty_at_once_with_one_key_give_one_row_and_nineteen_replays(caller: Any) -> None:
    script, model, start = caller("sam_user"), factories.software_model(), Barrier(MANY)
    body = {name: value for name, value in rights().items() if name not in ("publisher", "product")}

    def send(_: int) -> Any:
        try:
            start.wait(timeout=30)
            return script.post("entitlements", {**body, "software_model": model.pk}, Idempotency_Key="once")
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(send, range(MANY)))
    assert {answer.status_code for answer in answers} == {201}, [answer.content for answer in answers][:3]
    assert len({answer.content for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == MANY - 1
    assert (Entitlement.objects.count(), ApiCall.objects.count()) == (1, 1)
    assert script.stored().calls == MANY
