"""No secret in the clear: not in a log line, a table, a page, an export or a message, whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client

from profiles.connectors.dropbox.sandbox import Fault, application
from profiles.jobs import queue
from profiles.models import Credential
from samsaas.lib import redaction
from tests import worlds

pytestmark = pytest.mark.one_database

SECRET = "k3Y-secret.value_42"


@pytest.mark.parametrize(
    "line",
    [
        f"Authorization: Bearer {SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f"authorization: basic {SECRET}==",
        f"POST body client_secret={SECRET}&grant_type=refresh_token",
        f'{{"access_token": "{SECRET}", "expires_in": 14400}}',
        f"{{'refresh_token': '{SECRET}'}}",
        json.dumps({"body": json.dumps({"refresh_token": SECRET})}),
        f'b\'{{"access_token":"{SECRET}"}}\'',
        f"code_verifier = {SECRET}",
        f"GET /oauth_redirect.do?code={SECRET}&state={SECRET} 303",
        f"state={SECRET}",
        f"Password: {SECRET}",
        f"password='{SECRET} and more {SECRET}'",
        f'"client_secret": "with a space {SECRET}"',
        f"CLIENT_SECRET={SECRET}",
        f"redis://:{SECRET}@redis:6379/0 refused the connection",
        f"postgres://samsaas:{SECRET}@db/samsaas",
        "token sl.u.AFabcdefghijklmno expired",
        "token sl.Babcdefghijklmno expired",
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_a_line(line: str) -> None:
    told = redaction.redact(line)
    assert SECRET not in told and "abcdefghijklmno" not in told and "[redacted]" in told


@pytest.mark.parametrize(
    "line",
    [
        "Run 4711: heartbeat could not be written, trying again.",
        "GET /subscriptions/ 200 48211 31ms",
        "2,048 accounts, 512 a second, request id 0f9a8b7c",
        "Sweep job runs sent. id->8f14e45f-ceea-467f-9b3a-1d2c3b4a5f6e",
        "redis://redis:6379/0 answers again",
        "https://api.dropboxapi.com/2/team/members/list_v2 answered with 503",
    ],
)
def test_an_ordinary_line_stays_readable(line: str) -> None:
    assert redaction.redact(line) == line


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the installation's own console handler writes, with our loggers, Celery's and Django's at DEBUG, SQL too."""
    stream, root = io.StringIO(), logging.getLogger()
    kept, level = root.handlers[:], root.level
    own = dict(configured.LOGGING["handlers"]["console"], stream=stream)
    made = {"handlers": {"console": own}, "root": {"handlers": ["console"], "level": "DEBUG"}}
    loud = {"django": {"level": "DEBUG", "propagate": True}}
    logging.config.dictConfig({**configured.LOGGING, **made, "loggers": {**configured.LOGGING["loggers"], **loud}})
    connection.force_debug_cursor = True
    yield stream
    connection.force_debug_cursor = False
    logging.config.dictConfig(configured.LOGGING)
    root.handlers[:] = kept
    root.setLevel(level)


def test_arguments_and_tracebacks_of_a_log_call_are_cleaned_too(log: io.StringIO) -> None:
    logger = logging.getLogger("anything")
    logger.warning("answer %s for %r", {"access_token": SECRET}, f"client_secret={SECRET}")
    try:
        raise ValueError(f"bad answer: refresh_token={SECRET}")
    except ValueError:
        logger.exception("it broke, password=%s", SECRET)
    logger.info("where", stack_info=True)
    assert SECRET not in log.getvalue()
    assert "Traceback" in log.getvalue() and "ValueError: bad answer" in log.getvalue()


def test_a_log_call_with_wrong_arguments_stops_nobody_and_still_hides_secrets(log: io.StringIO) -> None:
    """A wrong log call of a library, such as `log.debug("%d", "x")`, must not break a page."""
    logging.getLogger("careless").warning("count %d of client_secret=%s", "none", SECRET)
    logging.getLogger("careless").warning("100% sure", "password=" + SECRET)
    assert "careless" in log.getvalue() and SECRET not in log.getvalue()


def everything_stored() -> str:
    """Every value of every table, as the database holds it."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found.append(repr(cursor.fetchall()))
    return "\n".join(found)


def secrets_of(sandbox: Any, *addresses: str) -> set[str]:
    """Everything that was issued or entered: keys' secrets, tokens as the vendor knows them, codes, states."""
    held = {application.DEMO_SECRET, application.RECLAIM_SECRET}
    for credential in Credential.objects.all():
        held |= {credential.client_secret, credential.access_token, credential.refresh_token}
    held |= set(sandbox.store.tokens) | set(sandbox.store.refresh_tokens) | set(sandbox.store.codes)
    for address in addresses:
        held |= set(re.findall(r"(?:code|state)=([^&]+)", address))
    return {secret for secret in held if len(secret) >= 16}


@pytest.mark.django_db
def test_a_whole_day_at_debug_level_leaves_no_secret_anywhere(
    signed_in: Any, draft: Any, dropbox: Any, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connect, download, refresh the token, be refused, disconnect; then search the log, every table and every page."""
    administrator = signed_in("admin")
    messages: list[str] = []
    monkeypatch.setattr(
        "celery.Celery.send_task", lambda app, *given, **options: messages.append(repr((given, options)))
    )
    back = worlds.consent(dropbox, worlds.press(administrator, draft))
    pages = [administrator.get(back, follow=True).content, administrator.get(back, follow=True).content]
    known = secrets_of(dropbox, back)
    worlds.work()
    Credential.objects.update(expires_at=draft.created_at)
    administrator.post(f"/integration-profiles/{draft.pk}/download/")
    for run in worlds.work():
        queue.ring(run)
    known |= secrets_of(dropbox, back)
    stored = everything_stored()
    dropbox.faults.add(
        "oauth2/token", None, Fault(status=400, body={"error": "invalid_grant", "error_description": "x"})
    )
    Credential.objects.update(expires_at=draft.created_at)
    administrator.post(f"/integration-profiles/{draft.pk}/download/")
    worlds.work()
    for path in ("", f"{draft.pk}/", f"{draft.pk}/edit/", f"{draft.pk}/delete/", f"{draft.pk}/disconnect/"):
        pages.append(administrator.get(f"/integration-profiles/{path}").content)
    for path in (
        "/",
        "/runs/",
        "/aliases/",
        f"/aliases/{draft.alias_id}/",
        "/audit/?per_page=100",
        "/subscriptions/export/",
    ):
        pages.append(administrator.get(path).getvalue())
    pages += [administrator.get(run.get_absolute_url()).content for run in draft.runs.all()]
    administrator.post(f"/integration-profiles/{draft.pk}/disconnect/")
    stored += everything_stored()

    assert len(known) >= 6, "there was something to hide"
    assert messages and "profiles.tasks.execute" in "".join(messages)
    assert "oauth" in log.getvalue() and log.getvalue().count("\n") > 100
    shown = b"".join(pages).decode()
    for place in (log.getvalue(), stored, shown, "".join(messages)):
        assert not [secret for secret in known if secret in place]


@pytest.mark.django_db
def test_an_error_in_the_middle_of_the_exchange_shows_a_clean_page_and_a_clean_log(
    integrator: Any, draft: Any, dropbox: Any, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F17: the secret is a local variable of the function that fails, and part of the error's own text."""

    def explode(*given: Any, **options: Any) -> Any:
        raise RuntimeError(f"cannot send client_secret={options['client_secret']} code={options['code']}")

    monkeypatch.setattr("profiles.oauth.flow.tokens.exchange", explode)
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    browser = Client(raise_request_exception=False)
    browser.cookies = integrator.cookies
    answer = browser.get(back)
    assert answer.status_code == 500 and "Something went wrong" in answer.content.decode()
    known = secrets_of(dropbox, back)
    for place in (answer.content.decode(), log.getvalue(), everything_stored()):
        assert not [secret for secret in known if secret in place]
    assert "RuntimeError" in log.getvalue(), "the operator still finds the cause"
    assert Credential.objects.get().state == "new"


@pytest.mark.django_db
def test_even_a_debug_page_hides_what_the_dance_holds_in_its_hands(
    integrator: Any, draft: Any, dropbox: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even with DEBUG on, the error page must not show tokens."""

    def explode(*given: Any, **options: Any) -> Any:
        raise RuntimeError("no reason")

    monkeypatch.setattr("profiles.oauth.grants.store", explode)
    settings.DEBUG = True
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    browser = Client(raise_request_exception=False)
    browser.cookies = integrator.cookies
    page = browser.get(back).content.decode()
    handed_out = set(dropbox.store.tokens) | set(dropbox.store.refresh_tokens) | {application.DEMO_SECRET}
    assert "RuntimeError" in page and "no reason" in page
    assert not [secret for secret in handed_out if secret in page]
