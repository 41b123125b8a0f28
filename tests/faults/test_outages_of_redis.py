"""Redis goes away in every way it can, with runs at work and without: worker and beat go on by themselves."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import migrated
from tests.browser.installations import ROOT, clean_environment
from tests.conftest import needs
from tests.faults import house as houses, own_redis
from tests.faults.house import House
from tests.faults.own_redis import OwnRedis

pytestmark = [pytest.mark.fault, pytest.mark.redis, pytest.mark.own_database]
OUTAGE = 3.0
RESTARTS = 8
# Way -> its number in the catalog, how Redis goes away, and how it comes back.
WAYS: dict[str, tuple[str, Callable[[OwnRedis], None], Callable[[OwnRedis], None]]] = {
    "stopped": ("F35", OwnRedis.kill, OwnRedis.start),
    "silent": ("F36", OwnRedis.freeze, OwnRedis.thaw),
    "unreachable, packets get lost": ("F36", OwnRedis.vanish, OwnRedis.come_back),
}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: Any) -> Iterator[OwnRedis]:
    server = own_redis.running(tmp_path_factory.mktemp("redis"))
    yield needs(server.__enter__)
    server.__exit__(None, None, None)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def house(request: Any, tmp_path_factory: Any, redis: OwnRedis) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    if request.param == "sqlite":
        with houses.opened(folder, f"sqlite:///{folder}/samsaas.sqlite3", redis.url) as made:
            yield made
        return
    postgres = request.getfixturevalue("postgres_url")
    with migrated.on_postgresql(postgres) as database, houses.opened(folder, database, redis.url) as made:
        yield made


READ_AND_ACKNOWLEDGE = """
import django
django.setup()
from samsaas.celery import app
with app.connection_for_read() as link:
    app.send_task("samsaas.schedule.sweep", connection=link)
    consumer = app.amqp.TaskConsumer(link.default_channel)
    consumer.qos(prefetch_count=1)
    read = []
    consumer.on_message = read.append
    with consumer:
        link.drain_events(timeout=20)
        print("read", flush=True)
        input()
        read[0].ack()
        print(consumer.channel.qos.can_consume(), flush=True)
"""


def test_a_message_read_just_before_redis_falls_silent_does_not_leave_the_worker_deaf(redis: OwnRedis) -> None:
    """An acknowledgment that cannot be sent would hold the worker's only place for a message, for good."""
    environment = clean_environment(
        SAMSAAS_ENV_FILE=os.devnull,
        DJANGO_SETTINGS_MODULE="samsaas.settings",
        SECRET_KEY=secrets.token_urlsafe(50),
        CELERY_BROKER_URL=redis.url,
    )
    command = [sys.executable, "-c", READ_AND_ACKNOWLEDGE]
    ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **ends) as reader:  # type: ignore[call-overload]
        assert reader.stdout.readline() == "read\n"
        redis.freeze()
        try:
            reader.stdin.write("\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == "True\n"
        finally:
            redis.thaw()
            reader.kill()


@pytest.mark.parametrize("way", WAYS)
def test_worker_and_beat_outlive_a_redis_that_goes_away(house: House, redis: OwnRedis, measured: Any, way: str) -> None:
    """Once with a run at work, whose download goes on meanwhile, and once with nothing to do."""
    at_work, next_one = house.profiles()
    fault, go_away, come_back = WAYS[way]
    slowest_page = slowest = 0.0
    for busy in (True, False):
        if busy:
            house.begin(at_work, OUTAGE + 2)
        go_away(redis)
        slowest_page = max(slowest_page, house.click(next_one))
        time.sleep(OUTAGE)
        come_back(redis)
        slowest = max(slowest, house.wait_for(next_one, "succeeded", 90))
        house.sandbox.faults.clear()
        house.wait_for(at_work, "succeeded", 60)
    house.wait_for_tick(60)
    injected = f"Redis {way} for {OUTAGE:.0f} s, with a run at work and without"
    measured(fault, injected, "page", slowest_page, must="≤ 2 s")
    measured(fault, f"{injected}; it is back", "done after", slowest, must="≤ 60 s")
    measured(fault, injected, "processes lost", house.processes_lost())
    measured(fault, injected, "clicks that did not run exactly once", house.clicks_not_run_once())
    measured(fault, injected, "runs interrupted", house.runs_interrupted())


def test_worker_and_beat_go_on_after_every_restart_of_redis(house: House, redis: OwnRedis, measured: Any) -> None:
    """It is back at once, and empty; then somebody clicks on another profile."""
    at_work, next_one = house.profiles()
    slowest = 0.0
    for number in range(RESTARTS):
        house.begin(at_work)
        if number % 2:
            redis.flush()
        else:
            redis.restart()
        house.click(next_one)
        house.sandbox.faults.clear()
        slowest = max(slowest, house.wait_for(next_one, "succeeded", 60))
        house.wait_for(at_work, "succeeded", 60)
    injected = f"Redis restarted or flushed {RESTARTS} times with a run at work"
    measured("F38", injected, "work goes on after", slowest, must="≤ 30 s")
    measured("F38", injected, "processes lost", house.processes_lost())
    measured("F38", injected, "clicks that did not run exactly once", house.clicks_not_run_once())
