"""One measurement of the import of people, in a process of its own so that its peak memory is its own."""

from __future__ import annotations

import json
import resource
import threading
import time
from pathlib import Path

import django

django.setup()

# Django has to be ready before its models are imported.
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from profiles import tasks  # noqa: E402
from profiles.models import JobRun  # noqa: E402
from subscriptions.models import Person, PersonAddress, PersonImport  # noqa: E402


def click(address: str, file: Path | None = None) -> float:
    """Seconds until the page has answered."""
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(User.objects.get(username="benchmark"))
    began = time.monotonic()
    if file:
        with file.open("rb") as content:
            answer = client.post(address, {"file": content})
    else:
        answer = client.post(address)
    spent = time.monotonic() - began
    if answer.status_code != 302:
        raise SystemExit(f"The click was answered with {answer.status_code}.")
    return spent


def upload(file: Path) -> float:
    call_command("migrate", verbosity=0)
    User.objects.get_or_create(username="benchmark", is_superuser=True)
    for model in (PersonAddress, Person):
        model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    return click("/people/imports/", file)


def apply(file: Path) -> float:
    return click(f"{PersonImport.objects.latest('pk').get_absolute_url()}apply/")


def work(file: Path) -> float:
    run = JobRun.objects.get(state="queued")
    began = time.monotonic()
    tasks.execute(run.pk)
    spent = time.monotonic() - began
    run.refresh_from_db()
    if run.state != JobRun.State.SUCCEEDED:
        raise SystemExit(f"The run {run.state}: {run.error_message}")
    return spent


SIDES = {"upload": upload, "read": work, "apply": apply, "write": work}


def watched(side: str, file: Path) -> tuple[float, int]:
    """The seconds of a side, and how many different numbers of lines a page could have shown until its end."""
    over, shown = threading.Event(), set()

    def look() -> None:
        while not over.wait(0.5):
            shown.update(JobRun.objects.filter(state="running").values_list("items", flat=True))
        connection.close()

    looking = threading.Thread(target=look)
    if side in ("read", "write"):
        looking.start()
    spent = SIDES[side](file)
    over.set()
    if looking.ident:
        looking.join()
    return spent, len(shown - {0})


def main(side: str, file: Path) -> None:
    seconds, shown = watched(side, file)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "shown": shown}))
