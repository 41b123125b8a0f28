"""Walks the demo in a real browser and photographs it.

    python docs/screenshots.py               the pictures that the README shows, into docs/images
    python docs/screenshots.py --all FOLDER  every page, light, dark and 380 px wide, for looking at

The demo is started in a temporary folder on free ports and stopped at the end. What a page prints about times and run
numbers differs from one run to the next, so the pictures are renewed when a page changed, not on every build.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests import servers  # noqa: E402 - found by the line above
from tests.browser import conftest, installations, test_reclamation  # noqa: E402
from tests.browser.test_main_path import create_profile, get_token, sign_in  # noqa: E402

LIGHT, DARK, NARROW = "light", "dark", "narrow"
WIDE, PHONE = {"width": 1280, "height": 700}, {"width": 380, "height": 780}
LOOKS = {LIGHT: ("light", WIDE), DARK: ("dark", WIDE), NARROW: ("light", PHONE)}
LARGEST = 200 * 1024  # bytes of one picture in the repository
FOR_THE_DOCS = ("profile",)
OF_THE_STORY = ("home",)
RECLAMATION = ("rule", "candidates", "removal")
READER = "reader"  # may look at everything and change nothing: meets the 403 page

PAGES = {
    "home": "/",
    "accounts": "/accounts/",
    "account": "/accounts/1/",
    "account-edit": "/accounts/1/edit/",
    "own-account": "/accounts/me/",
    "second-factor": "/accounts/second-factor/",
    "second-factor-app": "/accounts/second-factor/app/",
    "second-factor-key": "/accounts/second-factor/keys/add/",
    "invitations": "/accounts/invitations/",
    "invitation-new": "/accounts/invitations/new/",
    "limited-sight": "/limited-sight/",
    "limited-sight-new": "/limited-sight/new/",
    "find": "/find/?q=dropbox",
    "profile-list": "/integration-profiles/",
    "profile-new": "/integration-profiles/new/",
    "profile-form": "/integration-profiles/new/dropbox/",
    "profile": "/integration-profiles/1/",
    "profile-subscriptions": "/integration-profiles/1/subscriptions/",
    "profile-jobs": "/integration-profiles/1/jobs/",
    "profile-connection": "/integration-profiles/1/connection/",
    "profile-draft": "/integration-profiles/2/",
    "profile-edit": "/integration-profiles/1/edit/",
    "profile-delete": "/integration-profiles/1/delete/",
    "profile-disconnect": "/integration-profiles/1/disconnect/",
    "authorization-denied": "/authorizations/2/",
    "authorization-stopped": "/authorizations/stopped/state_unknown/",
    "run-list": "/runs/",
    "saved-views": "/lists/views/",
    "run": "/runs/2/",
    "run-validation": "/runs/1/",
    "run-activity": "/runs/4/",
    "run-candidates": "/runs/5/",
    "run-find": "/runs/6/",
    "scheduled-job": "/scheduled-jobs/1/",
    "identifier-list": "/subscription-identifiers/",
    "identifier-map": "/subscription-identifiers/1/map/",
    "identifier-exclusions": "/exclusions/identifiers/",
    "user-exclusions": "/exclusions/users/",
    "user-exclusion-new": "/exclusions/users/new/",
    "software-model-edit": "/software-models/1/edit/",
    "what-counts": "/what-counts-as-use/",
    "people": "/people/",
    "person": "/people/1/",
    "person-edit": "/people/1/edit/",
    "people-import": "/people/imports/",
    "person-merge": "/people/1/merge/",
    "person-erase": "/people/1/erase/",
    "several-subscriptions": "/people/several-subscriptions/",
    "rules": "/user-resolution-rules/",
    "rule": "/user-resolution-rules/1/",
    "without-user": "/subscriptions-without-user/",
    "alias-child-new": "/aliases/1/children/new/",
    "run-failed": "/runs/101/",
    "run-held": "/runs/102/",
    "subscription-list": "/subscriptions/",
    "subscription-filtered": "/subscriptions/?status=suspended&license=no&sort=-user",
    "subscription-none": "/subscriptions/?q=nobody+has+this+name",
    "subscription": "/subscriptions/1/",
    "software-model-list": "/software-models/",
    "software-model": "/software-models/1/",
    "entitlement-list": "/entitlements/",
    "entitlement-new": "/entitlements/new/",
    "entitlement-form": "/entitlements/new/?form=plain",
    "entitlement-import": "/entitlements/imports/",
    "renewals": "/renewals/",
    "renewals-month": "/renewals/?view=month",
    "api-tokens": "/api-tokens/",
    "api-token-new": "/api-tokens/new/",
    "api-reference": "/api-reference/",
    "savings": "/savings/",
    "savings-entries": "/savings/entries/",
    "vendor-drift": "/vendor-drift/",
    "license-usage": "/license-usage/",
    "reconciliations": "/reconciliations/",
    "reconciliation-new": "/reconciliations/new/",
    "position-print": "/reconciliations/1/print/",
    "candidate-list": "/removal-candidates/",
    "candidate-found": "/removal-candidates/1/",
    "candidate": "/removal-candidates/901/",
    "candidate-closed": "/removal-candidates/902/",
    "candidate-attention": "/removal-candidates/903/",
    "candidate-gone": "/removal-candidates/904/",
    "candidate-skip": "/removal-candidates/901/skip/",
    "candidate-propose": "/subscriptions/7/propose/",
    "reason-list": "/reasons/",
    "reasons": "/integration-profiles/1/reasons/",
    "reason-rows": "/integration-profiles/1/reasons/subscriptions/",
    "reclamation-rules": "/reclamation-rules/",
    "reclamation-rule": "/reclamation-rules/1/",
    "reclamation-rule-chosen": "/reclamation-rules/1/?threshold=21",
    "reclamation-rule-edit": "/reclamation-rules/1/edit/?threshold=21",
    "reclamation-rule-review": "/reclamation-rules/1/review/",
    "reclamation-rule-observed": "/reclamation-rules/1/observations/",
    "exemption-list": "/exemptions/",
    "exemption-new": "/exemptions/new/",
    "exemption-import": "/exemptions/import/",
    "approvals": "/approvals/",
    "outbox": "/outbox/",
    "retention": "/retention/",
    "reports": "/reports/",
    "report-new": "/reports/new/",
    "notice-text": "/outbox/text/",
    "keep-expired": "/keep/no-such-link",
    "person-account": "/people/1/account/",
    "alias-list": "/aliases/",
    "alias-parent": "/aliases/1/",
    "alias": "/aliases/2/",
    "audit": "/audit/",
    "help": "/help/",
    "help-page": "/help/schedule/",
    "password": "/accounts/password/",
    "not-found": "/no-such-page/",
    "core-ui": "/core/",
    "core-ui-profiles": "/core/profiles/integrationprofile/",
    "core-ui-runs": "/core/profiles/jobrun/",
    "core-ui-profile": "/core/profiles/integrationprofile/1/change/",
    "core-ui-subscriptions": "/core/subscriptions/subscription/",
    "core-ui-entitlements": "/core/subscriptions/entitlement/",
    "core-ui-workbench": "/core/license-workbench/",
}
EMPTY = ("home", "profile-list", "subscription-list", "software-model-list", "run-list")

# A reader's account, two runs that a healthy sandbox does not make, and two removal candidates.
SCENERY = f"""
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from profiles.models import IntegrationProfile, JobRun
from reclamation import propose, reexamine, workflow
from reclamation.states import State
from subscriptions.models import Subscription
user, _ = get_user_model().objects.get_or_create(username="{READER}")
user.set_password("{{password}}")
user.save()
user.groups.add(Group.objects.get(name="sam_user"))
now = timezone.now()
ran = dict(profile=IntegrationProfile.objects.get(pk=1), profile_name="Dropbox Europe",
           process="download_subscriptions", trigger="schedule", created_at=now, started_at=now, finished_at=now,
           pages=1, items=100, expected_items=248)
JobRun.objects.create(pk=101, state="failed", error_kind="outage", error_status=503,
    error_endpoint="/2/team/members/list/continue_v2", error_request_id="8f41c0d7b2",
    error_message="Dropbox does not answer.", error_body="Service Unavailable",
    error_remedy="Nothing was changed; the list of before stays. The next run tries again.", **ran)
JobRun.objects.create(pk=102, state="held",
    error_message="24 of 248 current subscriptions are missing from the vendor's list. Since the last accepted "
    "listing the list went from 248 to 224 accounts, and the vendor’s own count from 248 to 248.", **ran)
IntegrationProfile.objects.filter(pk=1).update(attention="refresh_held")
connection.cursor().execute("UPDATE sqlite_sequence SET seq = 900 WHERE name = 'reclamation_removalcandidate'")
seats = Subscription.objects.current().filter(is_admin=False, removal_candidates=None)
seats = seats.exclude(last_activity=None).order_by("last_activity__at")
why = dict(justification="low_usage", note="Has not signed in since May.")
kept, left, admin, gone = [propose.run(seat, by=user, now=now, **why) for seat in seats[:4]]
workflow.skip(left, reason="On parental leave until September; keeps the account.", by=user, now=now)
workflow.apply(admin, State.ATTENTION_REQUIRED, reason=reexamine.BECAME_ADMIN, now=now)
Subscription.objects.filter(pk=gone.subscription_id).update(ended_at=now)
"""


class Camera:
    """Takes the same page in every look asked for; the page stays as it is in between.

    A whole page is taken in a window as high as itself: what sticks to an edge is then where it belongs.
    """

    def __init__(self, folder: Path, looks: tuple[str, ...], *, whole: bool) -> None:
        self.folder, self.looks, self.whole = folder, looks, whole
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, page: Page, name: str, address: str = "", *, whole: bool | None = None) -> None:
        """`address` is opened anew in each look, as a phone would; without it the page is taken as it stands."""
        for look in self.looks:
            scheme, size = LOOKS[look]
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            if address:
                page.goto(address)
            file = self.folder / (f"{name}.png" if len(self.looks) == 1 else f"{name}-{look}.png")
            if self.whole if whole is None else whole:
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
            page.screenshot(path=file)
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=servers.chromium(), args=list(conftest.ARGUMENTS))
        yield started
        started.close()


def fresh_page(chromium: Browser) -> Page:
    context = chromium.new_context(viewport=WIDE, locale="en-US")  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    return context.new_page()


def refreshed(page: Page, installation: installations.Installation) -> None:
    """Wait for the end of the first daily refresh, in the list of runs, and come back to the profile."""
    row = page.locator("tr", has_text="Find candidates").filter(has_text="Succeeded")
    for _ in range(45):
        page.wait_for_timeout(2_000)
        page.goto(f"{installation.url}/runs/")
        if row.count():
            page.goto(f"{installation.url}{PAGES['profile']}")
            return
    raise AssertionError("The first daily refresh did not come to its end.")


def for_the_docs(chromium: Browser, installation: installations.Installation, folder: Path) -> None:
    """The main path to its end, then the few pictures, as much of the page as a screen shows."""
    page, camera = fresh_page(chromium), Camera(folder, (LIGHT,), whole=False)
    sign_in(page, installation)
    create_profile(page)
    get_token(page)
    refreshed(page, installation)
    for name in FOR_THE_DOCS:
        camera.take(page, name, installation.url + PAGES[name])
    take_reclamation(page, camera, installation)
    check_sizes(folder, *FOR_THE_DOCS, *RECLAMATION)


def of_the_story(chromium: Browser, installation: installations.Installation, folder: Path) -> None:
    """What somebody sees who starts the demo and signs in."""
    page, camera = fresh_page(chromium), Camera(folder, (LIGHT,), whole=False)
    sign_in(page, installation)
    for name in OF_THE_STORY:
        camera.take(page, name, installation.url + PAGES[name])
    check_sizes(folder, *OF_THE_STORY)


def check_sizes(folder: Path, *names: str) -> None:
    for name in names:
        size = (folder / f"{name}.png").stat().st_size
        assert size <= LARGEST, f"{name}.png has {size} bytes"


def take_reclamation(page: Page, camera: Camera, installation: installations.Installation) -> None:
    """The story of docs/reclamation.md as far as it has pictures."""
    walk = test_reclamation.Walk(page, installation)
    walk.open("/reclamation-rules/")
    page.locator("tbody a").first.click()
    camera.take(page, "rule")
    test_reclamation.review_the_rule(walk)
    test_reclamation.tick_six(walk)
    camera.take(page, "candidates")
    test_reclamation.reclaim_the_ticked(walk)
    walk.wait_for("/outbox/?state=sent", "Question", 6)
    walk.let_the_time_to_answer_pass()
    walk.wait_for("/removals/", "Removed, can be undone", 6)
    page.locator("tbody a").first.click()
    camera.take(page, "removal")


def every_page(chromium: Browser, installation: installations.Installation, folder: Path) -> None:
    """The main path with a picture at every turn, then every page, then what only some people meet."""
    page, camera = fresh_page(chromium), Camera(folder, tuple(LOOKS), whole=True)
    walk_in(page, camera, installation)
    connect(page, camera, installation)
    scene = SCENERY.format(password=installation.password)
    settings = str(installation.folder / "demo" / "samsaas.env")
    installation.manage("shell", "-c", scene, SAMSAAS_ENV_FILE=settings)
    for name, path in PAGES.items():
        camera.take(page, name, installation.url + path)
    overlays(page, camera, installation)
    refused(fresh_page(chromium), camera, installation)


def walk_in(page: Page, camera: Camera, installation: installations.Installation) -> None:
    page.goto(installation.url)
    camera.take(page, "sign-in")
    page.get_by_label("Username").fill("somebody")
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("do not match")).to_be_visible()
    camera.take(page, "sign-in-refused")
    sign_in(page, installation)
    for name in EMPTY:
        camera.take(page, f"{name}-empty", installation.url + PAGES[name])
    page.goto(installation.url + PAGES["profile-form"])
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("This field is required").first).to_be_visible()
    camera.take(page, "profile-form-errors")


def connect(page: Page, camera: Camera, installation: installations.Installation) -> None:
    """One profile connected, in this window and not in a pop-up; another one whose administrator says no."""
    for number, (name, answer) in enumerate((("Dropbox Europe", "Allow"), ("Dropbox Asia", "Cancel")), start=1):
        page.goto(installation.url)
        create_profile(page, name)
        camera.take(page, f"profile-next-step-{number}")
        page.evaluate("document.querySelectorAll('form[data-popup]').forEach((form) => delete form.dataset.popup)")
        page.get_by_role("button", name="Get OAuth Token").first.click()
        page.get_by_role("radio").first.check()  # waits for the vendor's page
        camera.take(page, f"consent-{number}")
        page.get_by_role("button", name=answer).click()
        expect(page.get_by_role("link", name="Back to the profile")).to_be_visible()
        camera.take(page, f"authorization-{number}")
        page.get_by_role("link", name="Back to the profile").click()
        if answer == "Allow":
            refreshed(page, installation)
            camera.take(page, "profile-connected")


def overlays(page: Page, camera: Camera, installation: installations.Installation) -> None:
    """What lies above a page: the account panel, the folded navigation, a question, the first stop of the Tab key."""
    page.goto(installation.url + PAGES["run-held"])
    page.keyboard.press("Tab")
    camera.take(page, "skip-link", whole=False)
    page.get_by_role("button", name=re.compile("^Confirm")).click()
    camera.take(page, "dialog", whole=False)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("^Account")).click()
    camera.take(page, "account-panel", whole=False)
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.get_by_role("button", name="Menu").click()
    Camera(camera.folder, (NARROW,), whole=False).take(page, "menu")


def refused(page: Page, camera: Camera, installation: installations.Installation) -> None:
    reader = installations.Installation(url=installation.url, password=installation.password, username=READER)
    sign_in(page, reader)
    camera.take(page, "home-reader")
    for name, path in {"forbidden": PAGES["profile-new"], "profile-reader": PAGES["profile"]}.items():
        camera.take(page, name, installation.url + path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", metavar="FOLDER", type=Path, help="every page in every look, into this folder")
    wanted = parser.parse_args().all
    with (
        tempfile.TemporaryDirectory(prefix="samsaas-pictures-") as folder,
        browser() as chromium,
    ):
        empty, told = (Path(folder) / name for name in ("empty", "told"))
        with starting_in(empty, with_story=False) as installation:
            if wanted:
                every_page(chromium, installation, wanted)
            else:
                for_the_docs(chromium, installation, ROOT / "docs" / "images")
        with starting_in(told, with_story=True) as installation:
            of_the_story(chromium, installation, wanted or ROOT / "docs" / "images")


@contextmanager
def starting_in(folder: Path, *, with_story: bool) -> Iterator[installations.Installation]:
    folder.mkdir()
    with installations.embedded(folder, with_story=with_story) as installation:
        yield installation


if __name__ == "__main__":
    main()
