"""The world of the tests: keys, one account per role, a stand-in Dropbox, real servers and a real browser."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop makes Django think it is asynchronous

# What compares pages with a recount says what differs, as the assertions of tests do.
pytest.register_assert_rewrite("tests.subscriptions.usage.check_pages", "tests.samsaas.home.play_home")

from tests import servers  # noqa: E402 - the environment comes first

ROLES = ("admin", "sam_integrator", "sam_admin", "sam_user")
JOURNEY = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--at", help="the moment of the run in UTC, such as 2028-02-29T23:59, instead of the real one")


def pytest_configure(config: pytest.Config) -> None:
    if at := config.getoption("at"):
        from tests import clock  # noqa: PLC0415 - Django is set up by now

        try:
            config.stash[JOURNEY] = journey = clock.Journey(clock.moment(at))
        except ValueError as error:
            raise pytest.UsageError(f"--at: {error}") from error
        journey.begin()
        config.add_cleanup(journey.end)


def pytest_collection_finish() -> None:
    """What is loaded by now stays. Without this the garbage collector looks at it anew in 8 % of the time of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"at: {config.stash[JOURNEY].destination}" if JOURNEY in config.stash else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if JOURNEY in item.config.stash:
        item.config.stash[JOURNEY].again()


def needs(make: Callable[[], Any]) -> Any:
    """What `make` gives; without its program the test is skipped, in CI it fails."""
    try:
        return make()
    except servers.Missing as missing:
        if servers.in_ci():
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """The tests' database is a copy of a migrated one. A run at another moment migrates at that moment."""
    return JOURNEY not in request.config.stash


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_keepdb: bool) -> Iterator[None]:
    from django.db import connections  # noqa: PLC0415 - Django is set up by now

    from tests import migrated  # noqa: PLC0415

    if not django_db_keepdb:
        yield
        return
    with migrated.of_the_tests(connections["default"].settings_dict):
        yield
        connections.close_all()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def static_files_listed_once() -> Iterator[None]:
    """Every test client loads the middleware anew, which would look at all static files again."""
    from whitenoise.middleware import WhiteNoiseMiddleware  # noqa: PLC0415 - Django is set up by now

    look, known = WhiteNoiseMiddleware.add_files_from_finders, {}

    def look_once(middleware: Any) -> None:
        place = (middleware.static_prefix, middleware.max_age, middleware.allow_all_origins)
        if place not in known:
            collected, middleware.files = middleware.files, {}
            look(middleware)
            known[place], middleware.files = middleware.files, collected
        middleware.files.update(known[place])

    WhiteNoiseMiddleware.add_files_from_finders = look_once
    yield
    WhiteNoiseMiddleware.add_files_from_finders = look


@pytest.fixture(scope="session", autouse=True)
def flush_of_the_audit_trail() -> Iterator[None]:
    """Tests with real transactions empty every table at their end. Only there the audit trail loses its triggers.

    Django's flush announces `post_migrate`, and the product's own receiver creates them again.
    """
    from django.test import TransactionTestCase  # noqa: PLC0415 - Django is set up by now

    from tests import trail  # noqa: PLC0415

    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def lift_and_flush(case: Any) -> None:
        trail.drop_triggers()
        flush(case)

    TransactionTestCase._fixture_teardown = lift_and_flush  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]


@pytest.fixture
def account(db: None, django_user_model: Any) -> Callable[..., Any]:
    """Make an account with a role: `account("sam_user")`."""
    from django.contrib.auth.models import Group  # noqa: PLC0415 - Django is set up by now

    def make(role: str = "", username: str = "", **fields: Any) -> Any:
        user = django_user_model.objects.create_user(username or role or "nobody", password="a long password", **fields)
        if role:
            user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def signed_in(account: Callable[..., Any]) -> Callable[..., Any]:
    """A client signed in with a role: `signed_in("sam_user")`; its account is `client.user`.

    It signed in before the test begins, so the audit trail has no entry of it.
    """
    from django.test import Client  # noqa: PLC0415

    from tests import trail  # noqa: PLC0415

    def make(role: str = "", **fields: Any) -> Any:
        client = Client()
        client.user = account(role, **fields)  # type: ignore[attr-defined]
        with trail.unrecorded_sign_in():
            client.force_login(client.user)  # type: ignore[attr-defined]
        return client

    return make


@pytest.fixture
def integrator(signed_in: Callable[..., Any]) -> Any:
    return signed_in("sam_integrator")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    server = servers.redis()
    yield needs(server.__enter__)
    server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    server = servers.postgres()
    yield needs(server.__enter__)
    server.__exit__(None, None, None)


VENDOR = "https://sandbox.example"


@pytest.fixture
def dropbox(settings: Any) -> Iterator[Any]:
    """The stand-in Dropbox, plugged in behind `responses`: no socket, the same object as in the demo."""
    import responses  # noqa: PLC0415

    from profiles.connectors.dropbox.sandbox import Sandbox, serving  # noqa: PLC0415

    stand_in = Sandbox(redirect_uris=[settings.OAUTH_REDIRECT_URL])
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serving.plug(stand_in, mock, [VENDOR])
        yield stand_in


@pytest.fixture
def draft(db: None, account: Callable[..., Any]) -> Any:
    """A profile as Submit leaves it: a Draft with the demo app's client id and secret."""
    from tests import worlds  # noqa: PLC0415

    return worlds.draft_profile()


@pytest.fixture
def connected(draft: Any, dropbox: Any, integrator: Any) -> Any:
    """A profile whose administrator has just allowed the access, validated; its first download is queued."""
    from tests import worlds  # noqa: PLC0415

    worlds.connect(integrator, draft, dropbox)
    worlds.work()
    draft.refresh_from_db()
    return draft
