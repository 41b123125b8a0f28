"""The second factor: asked at every door, needed for chosen roles, and asked again before what matters."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.cache import cache, caches
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from samsaas import policy, purge_expired, roles, stored_secrets
from samsaas.models import AuditEntry, GuessCount, SecondFactorSecret
from tests import pages, test_permissions
from tests.samsaas.accounts.factors import CODE_PAGE, App, sign_in
from tests.samsaas.api.world import Caller
from tests.samsaas.sign_in_world import LOGIN, PASSWORD, is_signed_in, try_to
from tests.samsaas.test_reauthenticate import give, is_asked, later

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def app(ann: User) -> App:
    return App(ann)


def has_account(client: Client) -> bool:
    return "_auth_user_id" in client.session


# --- every door -------------------------------------------------------------------------------------------------------


def test_no_page_of_the_site_signs_in_with_the_password_alone(app: App) -> None:
    """Every URL name that anybody may post to, Core UI's and django-allauth's included, gets name and password."""
    given = {"username": "ann", "login": "ann", "password": PASSWORD, "this_is_the_login_form": "1"}
    tried = set()
    for name in test_permissions.named_urls():
        if policy.required_role(name, "POST") is None or name.endswith("logout"):
            continue
        address = test_permissions.addresses_of(name)
        for place in (address, f"{address}?next=/people/"):
            client = Client()
            client.post(place, given, follow=True)
            assert not has_account(client), name
        tried.add(name)
    assert {"login", "account_login", "admin:login", "mfa_authenticate"} <= tried
    client = Client()
    assert client.post("/core/login/", given, follow=True).redirect_chain
    assert try_to(client)["Location"] == CODE_PAGE and not has_account(client)


def test_password_and_code_sign_in_and_lead_to_the_page_asked_for(app: App, client: Client) -> None:
    assert try_to(client, next="/people/")["Location"] == CODE_PAGE
    assert client.get("/people/").status_code == 302
    assert "authenticator app shows" in client.get(CODE_PAGE).content.decode()
    assert client.post(CODE_PAGE, {"code": app.code()})["Location"] == "/people/"
    assert client.get("/people/").status_code == 200


def test_the_code_page_alone_opens_nothing(app: App, client: Client) -> None:
    for answer in (client.post(CODE_PAGE, {"code": app.code()}, follow=True), client.get(CODE_PAGE, follow=True)):
        assert answer.redirect_chain[-1][0].startswith(LOGIN) and not has_account(client)


def test_signing_in_with_a_factor_leaves_no_count_of_wrong_passwords(app: App) -> None:
    for _ in range(7):
        assert try_to(Client()).status_code == 302
    assert not GuessCount.objects.filter(kind="pair", count__gt=0).exists()


def test_a_code_works_once_in_every_process_and_only_around_its_time(app: App) -> None:
    code = app.code()
    first, second = Client(), Client()
    sign_in(first, "ann", code)
    assert is_signed_in(first)
    sign_in(second, "ann", code)
    assert not has_account(second), "seen before"
    assert "DatabaseCache" in type(caches["default"]).__name__
    skewed = Client()
    sign_in(skewed, "ann", app.code(periods_ahead=1))
    assert has_account(skewed), "a telephone half a minute ahead"
    old = Client()
    sign_in(old, "ann", app.code(periods_ahead=-4))
    assert not has_account(old)


def test_codes_are_not_guessed(app: App, client: Client) -> None:
    try_to(client)
    for number in range(5):
        client.post(CODE_PAGE, {"code": f"00000{number}"})
    assert "Too many" in pages.text_of(client.post(CODE_PAGE, {"code": app.code()}).content.decode())
    assert not has_account(client)
    failed = AuditEntry.objects.filter(verb="failed sign-in", object_name="ann")
    assert list(failed.order_by("pk").values_list("detail__failures", flat=True)) == [1, 5]


def test_a_recovery_code_works_once(app: App) -> None:
    first, second = Client(), Client()
    sign_in(first, "ann", app.papers[0])
    assert is_signed_in(first)
    sign_in(second, "ann", app.papers[0])
    assert not has_account(second)


def test_a_password_set_by_link_is_not_enough_either(app: App, ann: User, client: Client) -> None:
    ann.set_password("nine purple herons 44")
    ann.save()
    try_to(client, password="nine purple herons 44")
    assert not has_account(client)


# --- setting it up ----------------------------------------------------------------------------------------------------


def set_up(client: Client) -> tuple[str, Any]:
    """Through the pages: the key that was shown, and the page with the recovery codes."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value  # noqa: PLC0415

    page = client.get("/accounts/second-factor/app/").content.decode()
    found = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)
    assert found and 'src="data:image/svg+xml;base64,' in page
    import time  # noqa: PLC0415

    code = format_hotp_value(hotp_value(found[1], int(time.time()) // 30))
    return found[1], client.post("/accounts/second-factor/app/", {"code": code}, follow=True)


def test_setting_up_an_app_shows_recovery_codes_once(
    ann: User, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    try_to(client)
    with django_capture_on_commit_callbacks(execute=True):
        secret, codes = set_up(client)
    assert len(re.findall(r"<li><code>\d{8}</code></li>", codes.content.decode())) == 10
    assert not re.search(r"<code>\d{8}", client.get("/accounts/second-factor/codes/").content.decode())
    assert AuditEntry.objects.filter(verb="added second factor", object_name="ann").count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator UNION ALL SELECT text FROM samsaas_secondfactorsecret")
        stored = str(cursor.fetchall())
    assert secret not in stored and "aesgcm:" in stored
    names = set(map(str, stored_secrets.encrypted_columns()))
    assert "samsaas.SecondFactorSecret.text" in names


def test_secrets_of_a_removed_factor_are_deleted(app: App, ann: User) -> None:
    assert SecondFactorSecret.objects.count() == 2
    purge_expired.run(timezone.now() + timedelta(hours=2))
    assert SecondFactorSecret.objects.count() == 2
    Authenticator.objects.filter(user=ann).delete()
    purge_expired.run(timezone.now() + timedelta(hours=2))
    assert not SecondFactorSecret.objects.exists()


def test_who_needs_one_is_led_there_before_anything_else(account: Any, client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin", "sam_integrator"]
    account("sam_integrator", username="ann")
    try_to(client)
    for name in ("home", "profile_list", "own_account", "admin:index", "oauth_redirect"):
        assert client.get(reverse(name))["Location"] == "/accounts/second-factor/", name
    assert client.post("/accounts/me/sign-out/")["Location"] == "/accounts/second-factor/"
    assert "needs a second factor" in client.get("/accounts/second-factor/").content.decode()
    set_up(client)
    assert client.get("/").status_code == 200
    answer = client.post("/accounts/second-factor/app/remove/")
    assert answer.status_code == 200 and Authenticator.objects.filter(type="totp").exists(), "the last one stays"


def test_who_does_not_need_one_goes_on(account: Any, client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin"]
    account("sam_user", username="ann")
    try_to(client)
    assert client.get("/").status_code == 200


def test_a_token_of_an_account_that_needs_a_factor_and_has_none_opens_nothing(account: Any, settings: Any) -> None:
    caller = Caller(account("admin", username="ann"))
    assert caller.get("profiles").status_code == 200
    settings.SECOND_FACTOR_ROLES = ["admin"]
    refused = caller.get("profiles")
    assert refused.status_code == 403 and "needs a second factor" in refused.json()["detail"]
    App(caller.user)
    assert caller.get("profiles").status_code == 200


def test_an_administrator_takes_off_what_somebody_lost(app: App, ann: User, signed_in: Any, client: Client) -> None:
    sign_in(client, "ann", app.code())
    admin = signed_in("admin")
    admin.post(f"/accounts/{admin.user.pk}/second-factor/")
    admin.post(f"/accounts/{ann.pk}/second-factor/")
    assert not is_signed_in(client) and not Authenticator.objects.exists()
    assert AuditEntry.objects.get(verb="removed second factors").object_name == "ann"
    try_to(client)
    assert is_signed_in(client)


# --- asked again ------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(app: App, account: Any, client: Client) -> Any:
    """The page that a person with a second factor gets, some time after signing in, instead of what they posted."""
    from django.contrib.auth.models import Group  # noqa: PLC0415

    User.objects.get(username="ann").groups.add(Group.objects.get(name="admin"))
    sign_in(client, "ann", app.code())
    bob = account("sam_user", username="bob")
    with later():
        page = client.post(f"/accounts/{bob.pk}/deactivate/")
        assert is_asked(page) and "Code of your second factor" in page.content.decode()
        yield page


def is_bob_active() -> bool:
    return User.objects.get(username="bob").is_active


def test_the_password_alone_is_not_enough_and_the_code_goes_on(app: App, asked: Any, client: Client) -> None:
    assert is_asked(give(client, asked)) and is_bob_active()
    assert is_asked(give_both(client, asked, "000000")) and is_bob_active()
    give_both(client, asked, app.code())
    assert not is_bob_active()


def test_the_code_alone_is_not_enough(app: App, asked: Any, client: Client) -> None:
    give_both(client, asked, app.code(), password="wrong")
    assert is_bob_active()


def give_both(client: Client, asked: Any, code: str, password: str = PASSWORD) -> Any:
    held = re.search(r'name="held_form" value="([^"]+)"', asked.content.decode())
    assert held
    return client.post(asked.request["PATH_INFO"], {"held_form": held[1], "password_again": password, "code": code})


def test_who_has_neither_password_nor_factor_here_signs_in_again(account: Any, client: Client) -> None:
    root = account("admin", username="root")
    root.set_unusable_password()
    root.save()
    client.force_login(root)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        page = client.post(f"/accounts/{root.pk}/edit/", {"groups": []})
        assert "sign in again" in pages.text_of(page.content.decode()) and 'name="password_again"' not in str(
            page.content
        )
        give(client, page, "")
    assert roles.ADMIN in roles.roles_of(User.objects.get(pk=root.pk))


def test_a_factor_whose_secret_cannot_be_decrypted_lets_nobody_in_and_is_no_error(app: App, settings: Any) -> None:
    from cryptography.fernet import Fernet  # noqa: PLC0415

    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    client = Client()
    sign_in(client, "ann", app.code())
    assert not has_account(client) and client.get(CODE_PAGE).status_code == 200
