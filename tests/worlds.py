"""Ways into the world of a test: a profile, a consent, a worker's turn, nonsense for a query string."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.db.models import F, Q
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from requests.structures import CaseInsensitiveDict

from profiles import tasks
from profiles.aliases import choose as aliases
from profiles.connection import credentials
from profiles.connectors.dropbox.sandbox import Request, Sandbox, application
from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from samsaas import schedule
from subscriptions import seats_changed

FORM = "application/x-www-form-urlencoded"
NASTY = {
    "huge": "9" * 400,
    "more digits than Python reads": "9" * 5000,
    "beyond 64 bits": str(2**63),
    "negative": "-1",
    "zero": "0",
    "float": "1e999",
    "not a number": "NaN",
    "digits of another script": "%D9%A3",
    "unknown": "no-such-thing",
    "a thousand letters": "x" * 1000,
    "broken UTF-8": "%ff%fe%80",
    "half a surrogate pair": "%ED%A0%80",
    "quote": "'\"; DROP TABLE subscriptions_subscription; --",
    "markup": "<script>alert(1)</script>",
    "line end": "a%0d%0aSet-Cookie:%20stolen=1",
    "direction override": "%E2%80%AEevil",
    "lookup": "identifier__software_model__pk",
    "percent": "%25",
    "lone percent": "%",
}


def draft_profile(name: str = "Dropbox Europe", **fields: Any) -> IntegrationProfile:
    """A Draft with the sandbox's demo app, analyzed from a week back: today alone has no events before the morning."""
    profile = IntegrationProfile.objects.create(
        vendor="dropbox",
        display_name=name,
        alias=aliases.free_alias("dropbox", name),
        analyze_activity_from=timezone.now() - timedelta(days=7),
        **fields,
    )
    credentials.save_client(profile.alias, "subscriptions", application.DEMO_KEY, application.DEMO_SECRET)
    return profile


def press(client: Client, profile: IntegrationProfile, **fields: str) -> str:
    """Press Get OAuth Token; gives the vendor's consent URL."""
    answer = client.post(f"/integration-profiles/{profile.pk}/authorize/", fields)
    assert answer.status_code == 303, answer.content
    return answer["Location"]


def consent(sandbox: Sandbox, url: str, *, account: str = "", allow: bool = True) -> str:
    """Answer the consent page as an administrator; gives the path and query the browser is sent back to."""
    params = dict(parse_qsl(urlsplit(url).query))
    team = next(iter(sandbox.teams.values()))
    who = account or team.admins()[0]["profile"]["team_member_id"]
    form = {**params, "account": who, "decision": "allow" if allow else "cancel"}
    request = Request(
        method="POST",
        path="/oauth2/authorize",
        headers=CaseInsensitiveDict({"Content-Type": FORM}),
        body=urlencode(form).encode(),
    )
    answer = sandbox.handle(request)
    assert answer.status in (302, 303), answer.body
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def connect(client: Client, profile: IntegrationProfile, sandbox: Sandbox, **choices: Any) -> Any:
    """The whole dance; gives the final page's response."""
    back = consent(sandbox, press(client, profile), **choices)
    return client.get(back, follow=True)


def work() -> list[JobRun]:
    """One worker's turn: execute every queued run that is due; gives them as they ended."""
    queue.start_waiting()
    due = Q(not_before=None) | Q(not_before__lte=Now())
    queued = list(JobRun.objects.filter(due, state=JobRun.State.QUEUED).values_list("pk", flat=True))
    for run_id in queued:
        tasks.execute(run_id)
    schedule.count_seats()
    return list(JobRun.objects.filter(pk__in=queued))


def work_on() -> list[JobRun]:
    """Turns until nothing is left to do, chains included; every run that ended, in order."""
    done: list[JobRun] = []
    for _ in range(20):
        turn = work()
        done += turn
        if not schedule.follow() and not turn:
            return done
    raise AssertionError("The work never ends.")


def count_seats() -> None:
    """Count the seats of every profile for the pages that show stored figures, as the beat does after every change."""
    seats_changed.note(*IntegrationProfile.objects.values_list("pk", flat=True))
    schedule.count_seats()


def since_yesterday() -> None:
    """Everything so far was asked for a day earlier, so that today has not had its refresh."""
    JobRun.objects.update(created_at=F("created_at") - timedelta(days=1))


def nonsense(names: tuple[str, ...]) -> list[str]:
    """Query strings in which, taken together, every parameter holds every nasty value once."""
    values = list(NASTY.values())
    return [
        "&".join(f"{name}={values[(shift + place) % len(values)]}" for place, name in enumerate(names))
        for shift in range(len(values))
    ]
