"""Every URL, every role, every method: what the pages answer is what the policy table says."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from samsaas import policy, roles
from tests import worlds
from tests.samsaas.api.world import Caller

pytestmark = pytest.mark.one_database

IDENTITIES = ("anonymous", "no_role", "inactive", *roles.ROLES)
METHODS = ("GET", "HEAD", "POST")
# No page answers to these. Who may do nothing asks for them, and who may do everything.
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS")
ASK_FOR_ALL = ("anonymous", "admin")
# A page of each row of Core UI that stands for several.
CORE_UI = {
    "admin:auth_*": "admin:auth_user_add",
    "admin:reclamation_notice*": "admin:reclamation_notice_changelist",
    "admin:samsaas_*": "admin:samsaas_auditentry_changelist",
    "admin:subscriptions_personimport*": "admin:subscriptions_personimport_changelist",
}
HELD = {"anonymous": None, "no_role": set(), "inactive": None}


def named_urls(resolver=None, namespace: str = "") -> list[str]:
    """The full name of every URL of the site."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            found += named_urls(entry, inner)
        elif isinstance(entry, URLPattern):
            found.append(f"{namespace}{entry.name}")
    return found


def test_every_url_has_a_row_in_the_policy_table_and_every_row_a_url():
    assert {policy.policy_row(name) for name in named_urls()} == set(policy.POLICY)


def expected(identity: str, needed: str | None) -> bool:
    held = HELD.get(identity, roles.INCLUDES.get(identity))
    if needed == roles.PUBLIC:
        return True
    if needed is None or held is None:
        return False
    return needed == roles.SIGNED_IN or needed in held


def is_api(name: str) -> bool:
    return name.startswith("api:")


def addresses() -> dict[str, str]:
    """An address for every page of ours, with objects that exist."""
    from django.urls import reverse  # noqa: PLC0415

    from profiles.models import JobRun  # noqa: PLC0415

    profile = worlds.draft_profile()
    run = JobRun.objects.create(
        profile=profile,
        profile_name="x",
        process="download_subscriptions",
        trigger="manual",
        state="failed",
        created_at=profile.created_at,
    )
    job = profile.scheduled_jobs.create(process="download_subscriptions")
    keyed = {
        "admin:profiles": profile.pk,
        "scheduled": job.pk,
        "profile": profile.pk,
        "alias": profile.alias_id,
        "run": run.pk,
    }
    found = {}
    for name in policy.POLICY:
        if name.endswith("*"):
            found[name] = reverse(CORE_UI.get(name, "admin:index"))
        elif name.startswith("openid_connect_"):
            found[name] = reverse(name, args=["company"])
        elif name in ("profile_create", "admin:profiles_integrationprofile_new"):
            found[name] = reverse(name, args=["dropbox"])
        elif name == "reconciliation_seats":
            found[name] = reverse(name, args=[1, "excluded"])
        elif name == "profile_switch":
            found[name] = reverse(name, args=[profile.pk, "reclaim"])
        elif name in ("help_page", "help_image"):
            found[name] = reverse(name, args=["schedule" if name == "help_page" else "home.png"])
        elif name == "authorization_stopped":
            found[name] = reverse(name, args=["state_unknown"])
        else:
            found[name] = _reversed(name, keyed.get(name.split("_")[0], 1))
    return found


def addresses_of(name: str) -> str:
    """The address of a page whose objects need not exist."""
    from django.urls import NoReverseMatch, reverse  # noqa: PLC0415

    if name.startswith("admin:") and name.count("_") > 1:
        return reverse("admin:index")
    for args in ([], [1], [1, "excluded"], ["dropbox"]):
        try:
            return reverse(name, args=args)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


def _reversed(name: str, pk: int) -> str:
    from django.urls import NoReverseMatch, reverse  # noqa: PLC0415

    for args in ([], [pk], [pk, "reclaim"]):
        try:
            return reverse(name, args=args)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


@pytest.mark.django_db
@pytest.mark.parametrize("identity", IDENTITIES)
def test_pages_let_in_whom_the_table_names_and_nobody_else(identity, account, monkeypatch):
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    client = Client(raise_request_exception=True)
    if identity != "anonymous":
        user = account(identity if identity in roles.ROLES else "", username=identity)
        client.force_login(user)
        if identity == "inactive":
            type(user).objects.filter(pk=user.pk).update(is_active=False)
    methods = (*METHODS, *OTHER_METHODS) if identity in ASK_FOR_ALL else METHODS
    wrong = []
    for name, address in addresses().items():
        if name in ("logout", "admin:logout", "profile_delete"):
            continue
        for method in methods if not is_api(name) else (*policy.POLICY[name], "DELETE"):
            answer = client.generic(method, address)
            let_in, needed = not _turned_away(answer), policy.required_role(name, method)
            # The API knows tokens only: whoever is signed in to the pages is a stranger there.
            should = needed == roles.PUBLIC if is_api(name) else expected(identity, needed)
            if let_in != should and answer.status_code != 405:
                wrong.append((name, method, answer.status_code, answer.get("Location")))
            if (
                answer.status_code == 405
                and policy.required_role(name, method) is not None
                and method in ("GET", "POST")
            ):
                wrong.append((name, method, "allowed by the table, refused by the page"))
    assert wrong == []


def _turned_away(answer) -> bool:
    return answer.status_code in (401, 403, 405) or (
        answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("identity", "token_role"),
    [*((identity, "admin") for identity in IDENTITIES), *(("admin", role) for role in roles.ROLES[1:])],
)
def test_the_api_lets_in_what_account_and_token_both_may_and_nobody_else(identity, token_role, account, monkeypatch):
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    headers = {}
    if identity != "anonymous":
        user = account(identity if identity in roles.ROLES else "", username=identity)
        headers = {"Authorization": f"Bearer {Caller(user, token_role).text}"}
        type(user).objects.filter(pk=user.pk).update(is_active=identity != "inactive")
    held = roles.INCLUDES.get(identity, set()) & roles.INCLUDES[token_role]
    wrong = []
    for name in filter(is_api, policy.POLICY):
        for method in (*policy.POLICY[name], "DELETE"):
            needed = policy.required_role(name, method)
            kind = {"content_type": "application/json"} if method in ("POST", "PATCH", "PUT") else {}
            answer = Client().generic(method, _reversed(name, 2**40), "{}" if kind else "", headers=headers, **kind)
            if answer.status_code not in _api_codes(identity, needed, held):
                wrong.append((name, method, answer.status_code))
    assert wrong == []


def _api_codes(identity: str, needed: str | None, held: set[str]) -> set[int]:
    """What a call may be answered with. The token of an inactive account is a wrong one."""
    if identity == "inactive":
        return {401, 429}
    if needed is None:
        return {405}
    if needed == roles.PUBLIC:
        return {200}
    if identity == "anonymous":
        return {401}
    return {200, 201, 404, 422} if needed in held else {403}


@pytest.mark.django_db
def test_nothing_that_changes_data_answers_to_get(integrator, draft):
    acting = [name for name, row in policy.POLICY.items() if "POST" in row and "GET" not in row]
    for name in acting:
        address = _reversed(name, draft.pk)
        assert integrator.get(address).status_code == 405, name


@pytest.mark.django_db
def test_opening_an_address_that_only_acts_gives_a_page_with_the_way_back(integrator, signed_in, draft):
    address = f"/integration-profiles/{draft.pk}/download/"
    answer = integrator.get(address)
    page = answer.content.decode()
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address is not a page" in page and f'href="/integration-profiles/{draft.pk}/">Go back' in page
    nowhere = signed_in("").get(address).content.decode()
    assert "Go back<" not in nowhere and 'href="/">Go to the start page' in nowhere
    assert Client().get("/accounts/logout/")["Allow"] == "POST"


@pytest.mark.django_db
def test_posts_without_a_csrf_token_are_refused(account, draft):
    client = Client(enforce_csrf_checks=True)
    client.force_login(account("admin"))
    assert client.post(f"/integration-profiles/{draft.pk}/authorize/").status_code == 403
    assert client.post(f"/integration-profiles/{draft.pk}/download/").status_code == 403


@pytest.mark.django_db
def test_pages_carry_a_strict_content_policy_and_hardening_headers(integrator):
    headers = integrator.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
    assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.django_db
def test_guessing_passwords_is_throttled(account):
    account("sam_user", username="ann")
    client = Client()
    for _ in range(5):
        client.post("/accounts/login/", {"username": "ann", "password": "wrong"})
    answer = client.post("/accounts/login/", {"username": "ann", "password": "a long password"})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_an_idle_session_and_an_old_session_end(integrator, settings):
    import time_machine  # noqa: PLC0415

    with time_machine.travel("2026-11-23 08:00:00+00:00", tick=False) as clock:
        integrator.force_login(integrator.user)
        assert integrator.get("/").status_code == 200
        clock.shift(29 * 60)
        assert integrator.get("/").status_code == 200
        clock.shift(31 * 60)
        assert integrator.get("/").status_code == 302
        integrator.force_login(integrator.user)
        for _ in range(25):
            clock.shift(29 * 60)
            integrator.get("/")
        clock.shift(29 * 60)
        assert integrator.get("/").status_code == 302
