"""Worker and beat after outages that are long, and after many of them in a row.

The hour is simulated by its number of tries to reconnect, which is what ended celery with its defaults: one try a
second instead of one in thirty. PostgreSQL is away for longer than any of the product's own intervals.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import needs
from tests.faults import house as houses, own_postgres, own_redis
from tests.faults.crowd import until
from tests.faults.house import House
from tests.faults.own_postgres import OwnPostgres
from tests.faults.own_redis import OwnRedis

pytestmark = [pytest.mark.proof, pytest.mark.redis, pytest.mark.own_database]
TRIES_OF_AN_HOUR = 120
DATABASE_MINUTES = 6
CYCLES = 40
STALE_SECONDS = 8


@pytest.fixture
def servers_of_own(tmp_path: Path) -> Iterator[tuple[OwnPostgres, OwnRedis]]:
    postgres, redis = own_postgres.running(), own_redis.running(tmp_path)
    yield needs(postgres.__enter__), needs(redis.__enter__)
    redis.__exit__(None, None, None)
    postgres.__exit__(None, None, None)


def recover(house: House) -> float:
    """Seconds until a page takes a click, all runs are done, and the beat is heard."""
    began = time.monotonic()
    until(house.answers, 60, pause=0.2)
    at_work, next_one = house.profiles()
    house.click(next_one)
    house.sandbox.faults.clear()
    house.wait_for(next_one, "succeeded", 120)
    house.wait_for(at_work, "succeeded", 120)
    house.wait_for_tick(60)
    return time.monotonic() - began


def judge(house: House, measured: Any, fault: str, injected: str, slowest: float) -> None:
    measured(fault, injected, "all done after", slowest, must="≤ 120 s")
    measured(fault, injected, "processes lost", house.processes_lost())
    measured(fault, injected, "clicks that did not run exactly once", house.clicks_not_run_once())


@pytest.mark.parametrize("way", ["stopped", "unreachable"])
def test_redis_is_away_for_an_hour(
    servers_of_own: tuple[OwnPostgres, OwnRedis],
    tmp_path: Path,
    measured: Any,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    postgres, redis = servers_of_own
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "impatient"))
    with houses.opened(tmp_path, postgres.database, redis.url, JOB_STALE_SECONDS=str(STALE_SECONDS)) as house:
        house.begin(house.profiles()[0], 30)
        (redis.kill if way == "stopped" else redis.vanish)()
        log = tmp_path / "worker.log"
        until(lambda: log.read_text().count("Trying again in 1.00 second") >= TRIES_OF_AN_HOUR, 900, pause=1)
        (redis.start if way == "stopped" else redis.come_back)()
        injected = (
            f"Redis {way} for the {TRIES_OF_AN_HOUR} tries to reconnect of an hour, 1 s apart (30 s in the product)"
        )
        judge(house, measured, "F35", injected, recover(house))


def test_postgresql_and_redis_are_away_for_minutes(
    servers_of_own: tuple[OwnPostgres, OwnRedis], tmp_path: Path, measured: Any
) -> None:
    postgres, redis = servers_of_own
    with houses.opened(tmp_path, postgres.database, redis.url, JOB_STALE_SECONDS=str(STALE_SECONDS)) as house:
        house.begin(house.profiles()[0], 3)
        postgres.stop()
        time.sleep(60 * DATABASE_MINUTES / 2)
        redis.kill()
        time.sleep(60 * DATABASE_MINUTES / 2)
        redis.start()
        postgres.start()
        injected = (
            f"PostgreSQL stopped for {DATABASE_MINUTES} min, Redis for the second half of them, with a run at work"
        )
        judge(house, measured, "F42", injected, recover(house))


def test_outages_of_every_kind_one_after_the_other(
    servers_of_own: tuple[OwnPostgres, OwnRedis], tmp_path: Path, measured: Any
) -> None:
    """At random moments: a message may have been read, and not answered, in the moment before."""
    postgres, redis = servers_of_own
    chance = random.Random(20261126)
    ways = {
        "Redis restarted": (redis.restart, lambda: None),
        "Redis flushed": (redis.flush, lambda: None),
        "Redis stopped": (redis.kill, redis.start),
        "Redis silent": (redis.freeze, redis.thaw),
        "Redis unreachable": (redis.vanish, redis.come_back),
        "PostgreSQL restarted": (postgres.restart, lambda: None),
        "PostgreSQL stopped": (postgres.stop, postgres.start),
        "connections terminated": (postgres.cut_connections, lambda: None),
    }
    slowest = 0.0
    with houses.opened(tmp_path, postgres.database, redis.url, JOB_STALE_SECONDS=str(STALE_SECONDS)) as house:
        for number in range(CYCLES):
            name = list(ways)[number % len(ways)]
            go_away, come_back = ways[name]
            house.click(house.profiles()[0])
            time.sleep(chance.random() * 0.2)
            go_away()
            time.sleep(chance.random() * 8)
            come_back()
            slowest = max(slowest, recover(house))
        judge(house, measured, "F38", f"{CYCLES} outages of {len(ways)} kinds in a row, at random moments", slowest)
