"""Half-sent requests and unread answers stop nobody else's page: the default server, without any proxy in front."""

from __future__ import annotations

import time

import pytest

from tests.samsaas.web_server.slow_clients import KINDS, crowd, seconds_to

pytestmark = pytest.mark.own_database
MANY = 64
QUICK = 3.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_crowd_of_slow_clients_stops_no_page(server, kind):
    with crowd(server.port, KINDS[kind], MANY):
        time.sleep(0.6)
        waited = [seconds_to(lambda: server.get("/accounts/login/")) for _ in range(6)]
    assert max(waited) < QUICK
