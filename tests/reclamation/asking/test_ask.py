"""Who is asked at which address, when the time to answer runs, what silence means. Cases 20 to 23, 32 to 34."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from reclamation import reexamine, workflow
from reclamation.address import NOBODY_TO_ASK
from reclamation.asking import ask, concerns, inform, keep, standing, sweep
from reclamation.models import Exemption, Notice, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.states import State
from samsaas import outbox
from samsaas.lib import office_hours
from samsaas.models import AuditEntry, Mail
from tests import factories
from tests.reclamation.asking import world
from tests.reclamation.asking.world import DAY, MINUTE, MONDAY

pytestmark = pytest.mark.django_db
Justification = RemovalCandidate.Justification


def test_asking_moves_the_candidate_and_queues_the_mail_in_one_transaction(account: Any) -> None:
    one, admin = world.candidate(), account("sam_admin")
    notice = ask.run(one, admin, MONDAY)
    assert notice is not None and notice.kind == "ask" and notice.mail.state == "queued"
    one = world.reread(one)
    assert one.state == State.AWAITING_USER and one.deadline is None and one.person_key
    change = one.history.last()
    assert (change.from_state, change.to_state, change.by) == ("ready", "awaiting_user", admin)
    assert AuditEntry.objects.filter(verb="moved removal candidate").exists()


def test_a_mail_that_cannot_be_queued_leaves_the_candidate_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(**fields: Any) -> Any:
        raise RuntimeError("the database is full")

    one = world.candidate()
    monkeypatch.setattr(outbox, "queue", break_off)
    with pytest.raises(RuntimeError):
        ask.run(one, None, MONDAY)
    assert world.reread(one).state == State.READY and not one.history.exists()


def test_the_mail_goes_to_the_users_main_address_and_else_to_the_accounts() -> None:
    first, second = ask.run(world.candidate(), None, MONDAY), ask.run(world.candidate(person=None), None, MONDAY)
    assert first is not None and second is not None
    assert (first.mail.to, second.mail.to) == ("ann@example.com", "ann.l@example.com")


def test_without_any_address_a_person_has_to_look_until_there_is_one() -> None:
    one = world.candidate(person=None)
    one.subscription.email = ""
    one.subscription.save()
    assert ask.run(one, None, MONDAY) is None
    one = world.reread(one)
    assert one.state == State.ATTENTION_REQUIRED and one.attention == NOBODY_TO_ASK and not Mail.objects.exists()
    assert concerns.still_stands(one)
    factories.match(one.subscription, factories.person("found@example.com"))
    assert not concerns.still_stands(world.reread(one))


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ({"notify_user": False}, {}),
        ({}, {"justification": Justification.UNLICENSED}),
        ({}, {"justification": Justification.RESTRICTED_SOFTWARE}),
        ({"reviewed_at": None}, {}),
    ],
)
def test_nobody_is_asked_where_the_rule_or_the_reason_does_not_say_so(rule: Any, fields: Any) -> None:
    one = world.candidate(world.rule(**rule), **fields)
    with pytest.raises(ask.NotAsked):
        ask.run(one, None, MONDAY)
    assert world.reread(one).state == State.READY and not Mail.objects.exists()


def test_who_has_left_is_not_asked_and_their_manager_is_told() -> None:
    manager = factories.person("max@example.com", name="Max")
    person = factories.person("ann@example.com", name="Ann Lee", manager=manager.key, left_on=date(2026, 1, 31))
    one = world.candidate(person=person)
    with pytest.raises(ask.NotAsked):
        ask.run(one, None, MONDAY)
    notice = inform.run(one, MONDAY)
    assert notice is not None and notice.mail.to == "max@example.com" and "Ann Lee" in notice.mail.body


def test_a_batch_that_waits_for_a_second_person_sends_no_mail(account: Any) -> None:
    one = world.candidate()
    batch = RemovalBatch.objects.create(
        profile=one.profile, profile_name="x", vendor="dropbox", team_id="dbtid:1", requested_at=MONDAY, size=1
    )
    RemovalBatch.objects.update(state="quarantined")
    RemovalCandidate.objects.update(batch=batch)
    with pytest.raises(ask.NotAsked):
        ask.run(one, None, MONDAY)


def test_who_is_asked_twice_at_the_same_time_gets_one_mail() -> None:
    one, same = world.candidate(), RemovalCandidate.objects.get()
    ask.run(one, None, MONDAY)
    with pytest.raises(workflow.NotAllowed):
        ask.run(same, None, MONDAY)
    assert Mail.objects.count() == 1


def test_the_time_to_answer_runs_from_the_sending_to_the_end_of_a_local_day(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    friday = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)
    one = world.asked(at=friday)
    assert one.deadline is None, "it waits for Monday"
    monday = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    world.minute(monday)
    assert world.reread(one).deadline == office_hours.end_of_day(date(2026, 12, 7))
    assert timezone.localtime(world.reread(one).deadline).isoformat()[:19] == "2026-12-07T23:59:59"
    assert "7 December 2026" in Mail.objects.get().body


def test_case_34_quiet_days_delay_the_sending_and_never_the_end() -> None:
    friday = datetime(2026, 11, 27, 17, 59, tzinfo=UTC)
    one = world.asked(world.rule(notice_days=1), at=friday)
    assert one.deadline == office_hours.end_of_day(date(2026, 11, 28)), "Saturday 23:59"
    sweep.run(one.deadline + MINUTE)
    assert world.reread(one).state == State.AWAITING_REVOCATION


def test_silence_after_a_mail_that_was_sent_goes_on_to_the_removal() -> None:
    one = world.asked()
    sweep.run(one.deadline)
    assert world.reread(one).state == State.AWAITING_USER, "the last second belongs to the user"
    sweep.run(one.deadline + MINUTE)
    attempt = RemovalAttempt.objects.get(candidate=one)
    assert world.reread(one).state == State.AWAITING_REVOCATION
    assert (attempt.state, attempt.external_id, attempt.team_id) == ("approved", one.external_id, "dbtid:1")
    sweep.run(one.deadline + 2 * MINUTE)
    assert RemovalAttempt.objects.count() == 1


def test_with_a_second_person_silence_only_asks_for_an_approval(account: Any) -> None:
    world.sam_admin(account)
    one = world.asked(world.rule(second_person=True))
    sweep.run(one.deadline + MINUTE)
    assert world.reread(one).state == State.AWAITING_APPROVAL
    assert one.approvals.get().question == "removal" and not RemovalAttempt.objects.exists()


def test_case_32_a_mail_server_that_is_down_all_the_time_is_never_silence(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.DEFAULT_FROM_EMAIL = "127.0.0.1", 9, "l@example.com"
    one, now = world.asked(world.rule(notice_days=3)), MONDAY
    while now < MONDAY + 4 * DAY:
        world.minute(now)
        now += timedelta(hours=6)
    one = world.reread(one)
    assert one.state == State.ATTENTION_REQUIRED and one.attention.startswith(concerns.NOT_SENT)
    assert Mail.objects.get().state == "failed" and not RemovalAttempt.objects.exists()
    assert concerns.still_stands(one), "no refresh can know that it is over"


def test_a_mail_that_was_only_kept_is_never_silence_where_the_vendor_is_a_real_one(settings: Any) -> None:
    settings.KEPT_MAILS_COUNT = False
    one = world.asked()
    assert Mail.objects.get().kept
    sweep.run(one.deadline + MINUTE)
    one = world.reread(one)
    assert (one.state, one.attention) == (State.ATTENTION_REQUIRED, concerns.ONLY_KEPT)
    assert not RemovalAttempt.objects.exists()


def test_case_33_a_mail_that_came_back_is_never_silence() -> None:
    one = world.asked()
    Mail.objects.update(kept=False)
    assert outbox.report_bounce(Mail.objects.get(), by="boss")
    sweep.run(MONDAY + DAY)
    one = world.reread(one)
    assert one.state == State.ATTENTION_REQUIRED and "came back" in one.attention


def test_one_of_two_mails_that_reached_the_user_is_enough() -> None:
    one = world.asked()
    sweep.run(datetime(2026, 12, 4, 9, 0, tzinfo=UTC))
    reminder = Notice.objects.get(kind="reminder")
    Mail.objects.filter(pk=reminder.mail_id).update(state="failed", error="550 No")
    sweep.run(one.deadline + MINUTE)
    assert world.reread(one).state == State.AWAITING_REVOCATION


@pytest.mark.parametrize("target", ["seat", "person"])
@pytest.mark.parametrize(("until", "ends"), [(None, True), (date(2026, 11, 30), True), (date(2026, 11, 29), False)])
def test_case_20_an_exemption_added_meanwhile_ends_the_question_and_its_links(
    target: str, until: date | None, ends: bool
) -> None:
    one = world.asked()
    token = world.token_of(one)
    about = {"subscription": one.subscription} if target == "seat" else {"person": one.subscription.match.person}
    Exemption.objects.create(reason="On leave", until=until, at=MONDAY, **about)
    sweep.run(MONDAY + MINUTE)
    one = world.reread(one)
    assert one.state == (State.CLOSED_SKIPPED if ends else State.AWAITING_USER)
    assert keep.look(token, MONDAY + MINUTE).state == (keep.CLOSED if ends else keep.VALID)
    assert (Mail.objects.get().secret == "") is ends, "a dead link is forgotten"


def test_case_21_nobody_is_removed_on_another_persons_silence() -> None:
    one = world.asked()
    match = one.subscription.match
    match.person = factories.person("bob@example.com", name="Bob")
    match.save()
    sweep.run(one.deadline + MINUTE)
    one = world.reread(one)
    assert one.state == State.CLOSED_SKIPPED and one.history.last().reason == standing.ANOTHER_PERSON
    assert not RemovalAttempt.objects.exists()


def test_case_22_a_subscription_that_loses_its_user_stays_asked() -> None:
    one = world.asked()
    one.subscription.match.delete()
    sweep.run(one.deadline + MINUTE)
    assert world.reread(one).state == State.AWAITING_REVOCATION


def test_case_23_another_address_of_the_account_means_asking_again(account: Any) -> None:
    one = world.asked()
    old = world.token_of(one)
    one.subscription.email = "ann.new@example.com"
    one.subscription.save()
    sweep.run(MONDAY + MINUTE)
    one = world.reread(one)
    assert (one.state, one.attention) == (State.ATTENTION_REQUIRED, concerns.ADDRESS_CHANGED)
    workflow.make_ready(one, reason="again", by=account("sam_admin"), now=MONDAY + DAY)
    ask.run(one, None, MONDAY + DAY)
    world.minute(MONDAY + DAY)
    one = world.reread(one)
    assert one.state == State.AWAITING_USER and one.email == "ann.new@example.com"
    assert keep.look(old, MONDAY + DAY).state == keep.EXPIRED, "the links of the first question lead nowhere"
    assert keep.look(world.token_of(one), MONDAY + DAY).state == keep.VALID


def test_an_address_in_other_letters_is_the_same_address() -> None:
    one = world.asked()
    one.subscription.email = "ANN.L@Example.com"
    one.subscription.save()
    sweep.run(MONDAY + MINUTE)
    assert world.reread(one).state == State.AWAITING_USER


@pytest.mark.parametrize("change", ["excluded", "ended_at", "keep_until"])
def test_a_subscription_that_must_not_be_removed_any_more_is_not_waited_for(change: str) -> None:
    one = world.asked()
    values = {"excluded": True, "ended_at": MONDAY, "keep_until": date(2026, 11, 30)}
    setattr(one.subscription, change, values[change])
    one.subscription.save()
    sweep.run(MONDAY + MINUTE)
    assert world.reread(one).state == State.CLOSED_SKIPPED


def test_a_question_that_is_over_before_it_left_is_not_sent() -> None:
    one = world.candidate()
    ask.run(one, None, datetime(2026, 11, 28, 12, 0, tzinfo=UTC))
    one.subscription.excluded = True
    one.subscription.save()
    sweep.run(datetime(2026, 11, 28, 12, 1, tzinfo=UTC))
    outbox.send_due(MONDAY)
    assert Mail.objects.get().state == "withdrawn"


def reminders(one: RemovalCandidate) -> list[date]:
    mails = Mail.objects.filter(notice__candidate=one, notice__kind="reminder").order_by("pk")
    return [mail.queued_at.date() for mail in mails]


@pytest.mark.parametrize(
    ("remind_before", "days"),
    [
        ([3, 1], [date(2026, 12, 4), date(2026, 12, 7)]),  # the end is Monday 7 December; 6 December is a Sunday
        ([5], [date(2026, 12, 2)]),
        ([2], [date(2026, 12, 7)]),  # a Saturday: Monday makes up for it
        ([2, 1], [date(2026, 12, 7)]),  # and for both of the weekend with one mail
        ([], []),
    ],
)
def test_users_are_reminded_on_working_days_and_once_for_each(remind_before: list[int], days: list[date]) -> None:
    one = world.asked(world.rule(remind_before=remind_before))
    now = MONDAY
    while now < one.deadline:
        world.minute(now)
        now += timedelta(hours=5)
    assert reminders(one) == days
    mails = Mail.objects.filter(notice__kind="reminder")
    assert all(mail.subject.startswith("Reminder: ") and "7 December 2026" in mail.body for mail in mails)
    tokens = {notice.token_hash for notice in one.notices.all()}
    assert len(tokens) == len(days) + 1, "one link for each mail"


def test_a_link_of_a_reminder_keeps_like_that_of_the_question() -> None:
    one = world.asked(world.rule(approver="none"))
    world.minute(datetime(2026, 12, 4, 9, 0, tzinfo=UTC))
    keep.run(world.token_of(one, "reminder"), "", None, datetime(2026, 12, 4, 10, 0, tzinfo=UTC))
    assert world.reread(one).state == State.CLOSED_SKIPPED
    assert keep.look(world.token_of(one), datetime(2026, 12, 4, 10, 0, tzinfo=UTC)).state == keep.USED


@pytest.mark.parametrize(
    ("used", "within"),
    [(MONDAY + DAY, True), (MONDAY - timedelta(minutes=5), False), (MONDAY + timedelta(days=20), False)],
)
def test_use_after_the_notice_cancels_like_any_other_and_is_counted_apart(used: datetime, within: bool) -> None:
    one = world.asked(opened_at=MONDAY - DAY)
    factories.activity(one.subscription, used)
    counters: Any = reexamine.Counter()
    reexamine._look_at_batch(one.profile, 0, counters, MONDAY + timedelta(days=21))
    one = world.reread(one)
    assert one.state == State.CLOSED_CANCELED and one.after_notice is within


def test_one_odd_candidate_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    odd, good = world.asked(), world.asked()
    real = sweep.go_on.after_silence

    def break_for_one(one: RemovalCandidate, **fields: Any) -> None:
        if one.pk == odd.pk:
            raise ValueError("an odd record")
        real(one, **fields)

    monkeypatch.setattr(sweep.go_on, "after_silence", break_for_one)
    sweep.run(good.deadline + MINUTE)
    assert world.reread(odd).state == State.AWAITING_USER
    assert world.reread(good).state == State.AWAITING_REVOCATION


def test_the_sweep_asks_the_same_of_the_database_for_two_and_for_thirty(
    django_assert_max_num_queries: Any,
) -> None:
    rule = world.rule()
    for _ in range(30):
        world.asked(rule)
    with django_assert_max_num_queries(25):
        sweep.run(MONDAY + MINUTE)


def test_two_profiles_of_one_team_do_not_remove_whom_the_other_was_told_to_keep(account: Any) -> None:
    world.sam_admin(account)
    rule = world.rule()
    first = world.asked(rule)
    twin = world.candidate(rule, profile=factories.profile(team_id="dbtid:1"))
    twin.subscription.external_id = first.external_id
    twin.subscription.save()
    RemovalCandidate.objects.filter(pk=twin.pk).update(external_id=first.external_id)
    ask.run(twin, None, MONDAY)
    world.minute(MONDAY)
    keep.run(world.token_of(first), "I need it", None, MONDAY + MINUTE)
    sweep.run(first.deadline + MINUTE)
    assert world.reread(twin).state == State.AWAITING_USER, "somebody still decides whether it is kept"
    sweep.run(MONDAY + 15 * DAY)
    sweep.run(MONDAY + 15 * DAY + MINUTE)
    assert world.reread(first).state == State.CLOSED_SKIPPED, "silence of the approver keeps"
    assert world.reread(twin).state == State.CLOSED_SKIPPED
    assert not RemovalAttempt.objects.exists()
