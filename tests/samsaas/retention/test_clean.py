"""What is older than its period is deleted once a day; what is needed, and what proves a removal, stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from profiles import tasks
from profiles.models import JobRun
from reclamation.models import Approval, CandidateNote, Exemption, KeepAnswer, Notice, RemovalAttempt, RemovalCandidate
from reclamation.states import State
from samsaas import schedule
from samsaas.environment import Environment
from samsaas.models import AuditEntry, GuessCount, Invitation, Mail, Notification
from samsaas.retention import clean
from samsaas.retention.kinds import KINDS
from subscriptions.models import Allocation, Person, PersonImport, PersonImportRow, Subscription
from tests import factories
from tests.subscriptions.entitlements import owned_world

pytestmark = pytest.mark.django_db


def ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def clean_now() -> JobRun:
    """The run of today, worked on by a worker."""
    clean.start_due(timezone.now())
    run = JobRun.objects.get(process=clean.DELETE_OLD)
    tasks.execute(run.pk)
    run.refresh_from_db()
    assert run.state == JobRun.State.SUCCEEDED, run.error_message
    return run


def attempt(candidate: RemovalCandidate, **fields: Any) -> RemovalAttempt:
    defaults = {"vendor": "dropbox", "team_id": "t", "external_id": candidate.external_id, "opened_at": timezone.now()}
    return RemovalAttempt.objects.create(candidate=candidate, **{**defaults, **fields})


def test_ended_subscriptions_go_with_their_use_and_those_of_an_open_removal_stay() -> None:
    old = factories.subscription(ended_at=ago(1096))
    factories.activity(old, ago(1200))
    factories.match(old, factories.person())
    young, proposed, removed = (factories.subscription(ended_at=ago(days)) for days in (1094, 2000, 2000))
    factories.candidate(proposed)
    attempt(factories.candidate(removed, state=State.CLOSED_COMPLETE))
    listed = factories.subscription(first_seen_at=ago(3000))
    run = clean_now()
    assert set(Subscription.objects.all()) == {young, proposed, removed, listed}
    assert run.counters["ended_subscriptions"] == 1


def test_people_who_left_go_unless_a_listed_subscription_or_a_right_is_theirs() -> None:
    gone = factories.person("eve@example.com", left_on=timezone.localdate() - timedelta(days=1096))
    ended = factories.subscription(ended_at=ago(10))
    factories.match(ended, gone)
    left = {"left_on": gone.left_on}
    holder, proposed = factories.person(**left), factories.person(**left)
    factories.match(factories.subscription(), holder)
    factories.candidate(person_key=proposed.key)
    lately, here = factories.person(left_on=timezone.localdate()), factories.person()
    assert clean_now().counters["leavers"] == 1
    assert set(Person.objects.all()) == {holder, proposed, lately, here}
    assert Subscription.objects.filter(pk=ended.pk, match=None).exists()


def test_whoever_had_rights_is_left_as_a_number_so_that_past_positions_count_them(account: Any) -> None:
    day = timezone.localdate() - timedelta(days=2000)
    gone = factories.person("eve@example.com", name="Eve Ford", department="Sales", left_on=day)
    right = Allocation.objects.create(
        entitlement=owned_world.published(account("admin")), person=gone, quantity=1, assigned_on=day, released_on=day
    )
    Exemption.objects.create(person=gone, reason="Eve asked", until=day, at=ago(2000), ended_at=ago(1999))
    assert clean_now().counters["leavers"] == 1
    gone.refresh_from_db()
    assert (gone.name, gone.key, gone.department) == (f"Erased person {gone.pk}", f"erased-{gone.pk}", "")
    assert not gone.addresses.exists() and not Exemption.objects.exists()
    assert Allocation.objects.get() == right and gone.left_on == day
    JobRun.objects.all().delete()
    assert clean_now().counters["leavers"] == 0


def test_answers_go_where_nothing_was_removed_and_stay_where_they_prove_a_removal() -> None:
    kept, removed = (
        factories.candidate(state=state, closed_at=ago(1100)) for state in (State.CLOSED_SKIPPED, State.CLOSED_COMPLETE)
    )
    attempt(removed, state="closed", closed_at=ago(1100), intent_at=ago(1100))
    for one in (kept, removed, factories.candidate()):
        KeepAnswer.objects.create(candidate=one, channel="link", reason="I use it", at=ago(1200))
        Approval.objects.create(
            candidate=one, question="removal", asked_at=ago(1200), due_at=ago(1190), at=ago(1190), note="No"
        )
    until = timezone.localdate() + timedelta(days=9)
    lasting = KeepAnswer.objects.create(candidate=kept, channel="link", at=ago(1200), keep_until=until)
    CandidateNote.objects.create(candidate=kept, at=ago(1200), text="Remember")
    assert clean_now().counters["answers"] == 2
    assert set(kept.answers.all()) == {lasting} and not kept.approvals.exists()
    assert removed.answers.exists() and removed.approvals.exists() and KeepAnswer.objects.count() == 3


def test_imports_runs_events_invitations_and_places_go_after_their_time() -> None:
    for state, days in (("applied", 366), ("applied", 364), ("preview", 400)):
        upload = PersonImport.objects.create(file_name="hr.csv", state=state, uploaded_at=ago(days))
        PersonImportRow.objects.create(upload=upload, line=1, effect="refused", key="E1")
    old, young = (factories.run(finished_at=ago(days)) for days in (731, 729))
    for days in (181, 179):
        Notification.objects.create(kind="run_failed", key=str(days), at=ago(days), title="Run", path="/")
        GuessCount.objects.create(kind="known", name="n", place=str(days), last_at=ago(days - 90))
    for days in (366, 300):
        Invitation.objects.create(
            email="a@example.com", username="a", invited_at=ago(days + 7), expires_at=ago(days), roles=[]
        )
    run = clean_now()
    found = {key: run.counters[key] for key in ("imports", "runs", "events", "invitations", "sign_ins")}
    assert found == {"imports": 1, "runs": 1, "events": 1, "invitations": 1, "sign_ins": 1}
    assert set(JobRun.objects.all()) == {young, run} and PersonImportRow.objects.count() == 2
    assert not JobRun.objects.filter(pk=old.pk).exists()


def test_a_day_has_one_run_and_an_entry_that_says_how_many_went_and_no_names(settings: Any) -> None:
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"leavers": 30}
    factories.person(name="Eve Ford", left_on=timezone.localdate() - timedelta(days=31))
    schedule.purge()
    schedule.purge()
    clean_now()
    entry = AuditEntry.objects.get(verb="deleted old data")
    assert entry.detail == {"rows": {"leavers": 1}, "kept_days": {"leavers": 30}}


def test_many_rows_go_in_batches_and_a_new_worker_goes_on_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean, "AT_ONCE", 2)
    for _ in range(5):
        factories.subscription(ended_at=ago(2000))
    clean.start_due(timezone.now())
    JobRun.objects.update(counters={"ended_subscriptions": 3})  # an earlier worker died after three
    assert clean_now().counters["ended_subscriptions"] == 8 and not Subscription.objects.exists()


def test_the_page_says_what_is_old_what_of_it_is_needed_and_when_it_was_cleaned(
    account: Any, client: Any, django_assert_num_queries: Any
) -> None:
    client.force_login(account("admin"))
    factories.candidate(factories.subscription(ended_at=ago(2000)))
    page = client.get("/retention/").content.decode()
    assert "never cleaned" in page and "1 needed: a removal of it is proposed" in " ".join(page.split())
    assert all(kind.label in page and kind.setting in page for kind in KINDS)
    clean_now()
    assert "Last cleaned" in client.get("/retention/").content.decode()


def test_an_administrator_cleans_now(account: Any, client: Any) -> None:
    client.force_login(account("admin"))
    answer = client.post("/retention/run/")
    assert JobRun.objects.get(process=clean.DELETE_OLD).get_absolute_url() == answer["Location"]
    assert client.get(answer["Location"]).status_code == 200
    client.post("/retention/run/")
    assert JobRun.objects.filter(process=clean.DELETE_OLD).count() == 1


def mail(days: int, *, state: str = "sent", closed: bool | None = True) -> Mail:
    """A mail of so many days ago. `closed` None: about no candidate."""
    given = {"to": "eve@example.com", "subject": "S", "body": "B", "state": state, "queued_at": ago(days)}
    made = Mail.objects.create(**given, not_before=ago(days), give_up_at=ago(days))
    if closed is not None:
        one = factories.candidate(factories.subscription(), state=State.CLOSED_SKIPPED if closed else State.READY)
        Notice.objects.create(candidate=one, kind="ask", mail=made)
    return made


def test_mails_go_with_what_is_kept_of_them_but_for_those_that_may_still_matter(settings: Any) -> None:
    settings.MAIL_RETENTION_DAYS = 100
    gone = [mail(101), mail(400, state="failed"), mail(101, state="withdrawn"), mail(200, closed=None)]
    kept = [mail(99), mail(400, closed=False), mail(400, state="queued")]
    assert clean_now().counters["mails"] == 4
    assert set(Mail.objects.all()) == set(kept) and not Notice.objects.filter(mail__in=gone).exists()
    entry = AuditEntry.objects.get(verb="deleted old data")
    assert entry.actor_name == ""
    assert entry.detail == {"rows": {"mails": 4}, "kept_days": {"mails": 100}}, "nobody's address"


def test_many_mails_go_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean, "AT_ONCE", 2)
    for _ in range(5):
        mail(2000)
    assert clean_now().counters["mails"] == 5 and not Mail.objects.exists() and not Notice.objects.exists()


@pytest.mark.parametrize("text", ["0", "29", "-1", "ever"])
def test_a_time_that_is_too_short_to_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MAIL_RETENTION_DAYS", text)
    with pytest.raises(ImproperlyConfigured, match="MAIL_RETENTION_DAYS"):
        Environment().int("MAIL_RETENTION_DAYS", default=1095, least=30)
