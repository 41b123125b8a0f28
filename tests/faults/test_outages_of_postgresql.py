"""PostgreSQL restarts, fails over or drops its connections while a run is at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import migrated
from tests.conftest import needs
from tests.faults import house as houses, own_postgres, own_redis
from tests.faults.crowd import until
from tests.faults.house import House
from tests.faults.own_postgres import OwnPostgres
from tests.faults.own_redis import OwnRedis

pytestmark = [pytest.mark.fault, pytest.mark.redis, pytest.mark.own_database]
OUTAGE = 4.0
STALE_SECONDS = 8
# Way -> how PostgreSQL goes away, and how it comes back.
WAYS: dict[str, tuple[Callable[[OwnPostgres], None], Callable[[OwnPostgres], None]]] = {
    "restarted": (OwnPostgres.restart, OwnPostgres.wait_until_it_answers),
    "stopped": (OwnPostgres.stop, OwnPostgres.start),
    "crashed": (OwnPostgres.crash, OwnPostgres.start),
    "drops its connections": (OwnPostgres.cut_connections, OwnPostgres.wait_until_it_answers),
    "a standby that is promoted": (OwnPostgres.become_standby, OwnPostgres.promote),
    "read-only": (OwnPostgres.refuse_writes, OwnPostgres.allow_writes),
}


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    server = own_postgres.running()
    yield needs(server.__enter__)
    server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: Any) -> Iterator[OwnRedis]:
    server = own_redis.running(tmp_path_factory.mktemp("redis"))
    yield needs(server.__enter__)
    server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def house(tmp_path_factory: Any, postgres: OwnPostgres, redis: OwnRedis) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with (
        migrated.on_postgresql(postgres.url) as database,
        houses.opened(folder, database, redis.url, JOB_STALE_SECONDS=str(STALE_SECONDS)) as made,
    ):
        yield made


def measure_recovery(house: House) -> float:
    """Seconds until a page takes a click, both profiles' runs are done, and the beat is heard."""
    at_work, next_one = house.profiles()
    began = time.monotonic()
    until(lambda: house.answers(), 30, pause=0.2)
    house.click(next_one)
    house.sandbox.faults.clear()
    house.wait_for(next_one, "succeeded", 90)
    house.wait_for(at_work, "succeeded", 90)
    spent = time.monotonic() - began
    house.wait_for_tick(60)
    return spent


@pytest.mark.parametrize("way", WAYS)
def test_a_run_goes_on_after_postgresql_is_back(house: House, postgres: OwnPostgres, measured: Any, way: str) -> None:
    """The run at work is put back and goes on at its cursor. The vendor answers it while the database is away."""
    go_away, come_back = WAYS[way]
    house.begin(house.profiles()[0], OUTAGE - 2)
    go_away(postgres)
    time.sleep(OUTAGE)
    come_back(postgres)
    postgres.wait_until_it_answers()
    spent = measure_recovery(house)
    injected = f"PostgreSQL {way}, {OUTAGE:.0f} s, with a run at work; lease {STALE_SECONDS} s"
    measured("F42", injected, "all done after", spent, must=f"≤ {STALE_SECONDS + 30} s")
    measured("F42", injected, "processes lost", house.processes_lost())
    measured("F42", injected, "clicks that did not run exactly once", house.clicks_not_run_once())


def test_work_goes_on_after_both_were_away(house: House, postgres: OwnPostgres, redis: OwnRedis, measured: Any) -> None:
    slowest = 0.0
    for first_back in (redis, postgres):
        second_back = postgres if first_back is redis else redis
        house.begin(house.profiles()[0], OUTAGE - 2)
        redis.kill()
        postgres.stop()
        time.sleep(OUTAGE)
        first_back.start()
        time.sleep(OUTAGE)
        second_back.start()
        postgres.wait_until_it_answers()
        slowest = max(slowest, measure_recovery(house))
    injected = f"PostgreSQL and Redis stopped for {2 * OUTAGE:.0f} s with a run at work, one back before the other"
    measured("F42", injected, "all done after", slowest, must=f"≤ {STALE_SECONDS + 60} s")
    measured("F42", injected, "processes lost", house.processes_lost())
    measured("F42", injected, "clicks that did not run exactly once", house.clicks_not_run_once())
