"""People kept fresh by themselves: once a day a file is fetched, read, and applied unless a person has to look at it.

1. `start_due` requests the day's run when `PEOPLE_SOURCE_AT` has passed, and again every hour while it fails.
2. The run takes the newest file of the folder, or what the https address answers, and has it read as if uploaded.
3. `go_on` applies its preview if nothing waits for a person: nothing that needs a second tick (`doubts`), not many
   refused lines, no question. Otherwise the preview stays, and home shows it.

Only the deployment settings say from where, so that nobody with an account can point it somewhere else.
"""

from __future__ import annotations

import io
import stat
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from profiles.connectors.base import ConnectorError
from profiles.connectors.transport import Bounds, exchange_once
from profiles.jobs import queue
from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas.lib import uploads
from samsaas.lib.spreadsheets.sheet import Unreadable
from subscriptions.file_imports import Over, Unconfirmed
from subscriptions.models import PersonImport
from subscriptions.people.imports import doubts, file as people_file, steps as import_people, upload as upload_people

FETCH = "fetch_people"
THE_SOURCE = 1  # there is one source, so one run at a time
BOUNDS = Bounds(connect=10, read=60, total=300, max_bytes=uploads.LARGEST)
STILL_WRITTEN = timedelta(minutes=1)  # a file that changed just now may not be whole
STALE = timedelta(days=2)
TRY_AGAIN = timedelta(hours=1)
ENDINGS = (".csv", ".xlsx")
REMEDY = "Look at PEOPLE_SOURCE in the deployment settings, and at what the HR system delivers there."
State = PersonImport.State


class NotFetched(Exception):
    """There is no file to take. The message says why, without the token."""


def start_due(now: datetime) -> None:
    """Request the day's run if its time has come. One that failed is repeated every hour: the file may come later."""
    local = timezone.localtime(now)
    if not settings.PEOPLE_SOURCE or local.time() < time.fromisoformat(settings.PEOPLE_SOURCE_AT):
        return
    runs = JobRun.objects.filter(process=FETCH, subject=THE_SOURCE)
    failed = failed_run()
    if not runs.filter(logical_date=local.date()).exists():
        queue.request(queue.Request(FETCH, JobRun.Trigger.SCHEDULE, subject=THE_SOURCE, logical_date=local.date()))
    elif failed and failed.finished_at and failed.finished_at < now - TRY_AGAIN:
        queue.request(queue.Request(FETCH, JobRun.Trigger.SCHEDULE, subject=THE_SOURCE))


def run(job: Job, *, now: datetime) -> None:
    """Fetch the file, and request that it is read. One that nobody has looked at since yesterday makes room for it."""
    job.progress(step="Fetching the file")
    try:
        file, name = _fetch_file(job, now)
        people_file.check_beginning(file)
    except (NotFetched, Unreadable) as problem:
        job.close(JobRun.State.FAILED, error_kind="NotFetched", error_message=str(problem), error_remedy=REMEDY)
        return
    with transaction.atomic():
        _discard_earlier()
        upload_people.run(file, file_name=name, mark_leavers=settings.PEOPLE_SOURCE_LISTS_EVERYBODY, by=None, now=now)
        job.close(JobRun.State.SUCCEEDED, counters={"files": 1})


def go_on() -> None:
    """Apply the previews of fetched files that need not wait for a person."""
    for upload in PersonImport.objects.filter(fetched=True, state=State.PREVIEW):
        if not list_holds(upload):
            try:
                import_people.confirm(upload.pk, confirmed=False, by=None)
            except (Over, Unconfirmed):
                continue


def list_holds(upload: PersonImport) -> list[str]:
    """Why a fetched file waits for a person; empty if it does not."""
    held = doubts.list_doubts(upload)
    counters = upload.counters
    for figure, words in (("refused", "lines are refused"), ("left_out", "lines have cells that are left out")):
        if counters.get(figure, 0) > doubts.most_lines(counters["lines"]):
            held.append(f"{counters[figure]:,} of {counters['lines']:,} {words}.")
    if upload.problem:
        held.append(upload.problem)
    return held


def waiting_files() -> list[PersonImport]:
    """The fetched files that wait for a person: a question is open, a limit is passed, or the file cannot be read."""
    newest = PersonImport.objects.filter(fetched=True).first()
    if newest is None or newest.at_work:
        return []
    open_states = (State.CHOOSING, State.UNREADABLE)
    waits = newest.state in open_states or newest.broke_off or (newest.waits and bool(list_holds(newest)))
    return [newest] if waits else []


def failed_run() -> JobRun | None:
    """The last run, if it could not fetch a file."""
    last = JobRun.objects.filter(process=FETCH).order_by("-pk").first()
    return last if last and last.state == JobRun.State.FAILED else None


def _discard_earlier() -> None:
    waiting = (State.CHOOSING, State.PREVIEW, State.READING, State.APPLYING)
    for upload in PersonImport.objects.filter(fetched=True, state__in=waiting):
        if not upload.at_work:
            import_people.forget_content(upload)


def _fetch_file(job: Job, now: datetime) -> tuple[BinaryIO, str]:
    """The file and its name. Raises `NotFetched`."""
    if urlsplit(settings.PEOPLE_SOURCE).scheme == "https":
        return _download(settings.PEOPLE_SOURCE), Path(urlsplit(settings.PEOPLE_SOURCE).path).name or "people"
    path, changed = _newest_file(Path(settings.PEOPLE_SOURCE), now)
    if changed < now - STALE:
        job.warn(f"{path.name} is the newest file of the folder, and {(now - changed).days} days old.")
    return io.BytesIO(path.read_bytes()), path.name


def _download(address: str) -> BinaryIO:
    """What the address answers. Redirects are not followed: the token is for this address alone."""
    token = settings.PEOPLE_SOURCE_TOKEN
    headers = {"Accept": "text/csv, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = exchange_once(address, None, headers, BOUNDS)
    except ConnectorError as error:
        raise NotFetched(str(error)) from None
    if answer.status != 200:
        raise NotFetched(f"{urlsplit(address).hostname} answered with status {answer.status}, and not with a file.")
    return io.BytesIO(answer.body)


def _newest_file(folder: Path, now: datetime) -> tuple[Path, datetime]:
    try:
        found = [(one, one.lstat()) for one in folder.iterdir() if one.suffix.lower() in ENDINGS]
    except OSError:
        raise NotFetched("The folder is not there, or may not be read.") from None
    files = [(info.st_mtime, path, info.st_size) for path, info in found if stat.S_ISREG(info.st_mode)]
    whole = [one for one in files if one[0] <= (now - STILL_WRITTEN).timestamp()]
    if not whole:
        raise NotFetched("The folder holds no file of people (.csv or .xlsx) that is older than a minute.")
    changed, path, size = max(whole)
    if size > BOUNDS.max_bytes:
        raise NotFetched(f"{path.name} is larger than {BOUNDS.max_bytes // 1024**2} MB.")
    return path, datetime.fromtimestamp(changed, tz=now.tzinfo)
