"""Matching seats with people: the right one, or nobody; never somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from subscriptions import rematch
from subscriptions.matching import by_hand as match_by_hand, resolve, try_rule
from subscriptions.models import Match, Person, ResolutionRule, Subscription, UserExclusion, normalize_address
from subscriptions.rematch import MATCH
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_doorbell(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def profile() -> IntegrationProfile:
    return factories.profile(refreshed_at=timezone.now())


@pytest.fixture
def kind() -> Any:
    return factories.identifier()


def seat(profile: IntegrationProfile, kind: Any, email: str, **fields: Any) -> Subscription:
    fields.setdefault("email_verified", True)
    return factories.subscription(profile=profile, identifier=kind, email=email, **fields)


def matched(*profiles: IntegrationProfile) -> JobRun:
    """Run the matching as a worker does; gives the last run."""
    for profile in profiles:
        run, _ = queue.request(queue.Request(MATCH, JobRun.Trigger.MANUAL, profile=profile))
    worlds.work()
    assert run
    run.refresh_from_db()
    assert run.state == JobRun.State.SUCCEEDED, run.error_message
    return run


def person_of(one: Subscription) -> Person | None:
    found = Match.objects.filter(subscription=one).select_related("person").first()
    return found.person if found else None


def rule(**fields: Any) -> ResolutionRule:
    scope = fields.pop("profiles", [])
    made = ResolutionRule.objects.create(**{"name": f"Rule {ResolutionRule.objects.count()}", "order": 50, **fields})
    made.profiles.set(scope)
    ResolutionRule.objects.filter(pk=made.pk).update(scoped=bool(scope))
    return made


# Directory address, the seat's address, whether the vendor verified it, and whether they may be linked (F52).
CORPUS = {
    "as it is": ("ann@example.com", "ann@example.com", True, True),
    "case twin": ("ann@example.com", "Ann@Example.COM", True, True),
    "blanks around": ("ann@example.com", "  ann@example.com ", True, True),
    "umlaut": ("jürgen@example.com", "jürgen@example.com", True, True),
    "umlaut in the other case": ("jürgen@example.com", "JÜRGEN@example.com", True, True),
    "dotless i is no i": ("mailing@example.com", "maılıng@example.com", True, False),
    "dotted capital i is no i": ("ines@example.com", "İnes@example.com", True, False),
    "a ligature is no pair of letters": ("office@example.com", "oﬃce@example.com", True, False),
    "fi is no fi": ("fiona@example.com", "ﬁona@example.com", True, False),
    "kelvin is no k": ("kim@example.com", "\u212aim@example.com", True, False),
    "long s is no s": ("sam@example.com", "ſam@example.com", True, False),
    "sharp s is no ss": ("strasse@example.com", "straße@example.com", True, False),
    "cyrillic a is no a": ("anna@example.com", "аnna@example.com", True, False),
    "full width": ("ann@example.com", "ａｎｎ@example.com", True, False),
    "composed and decomposed": ("jos\u00e9@example.com", "jose\u0301@example.com", True, True),
    "decomposed, in capitals": ("jos\u00e9@example.com", "JOSE\u0301@EXAMPLE.com", True, True),
    "no-break blanks around": ("ann@example.com", "\u00a0ann@example.com\u00a0", True, True),
    "a domain's dot is no joker": ("ann@example.com", "ann@exampleXcom", True, False),
    "percent is no joker": ("ann@example.com", "%@example.com", True, False),
    "underscore is no joker": ("ann@example.com", "_nn@example.com", True, False),
    "plus address": ("ann@example.com", "ann+dropbox@example.com", True, False),
    "other domain": ("ann@example.com", "ann@example.org", True, False),
    "not verified": ("ann@example.com", "ann@example.com", False, False),
    "empty": ("ann@example.com", "", True, False),
    "nothing but a blank": ("ann@example.com", " ", True, False),
    "the word null": ("ann@example.com", "null", True, False),
}


def test_no_seat_of_the_corpus_gets_somebody_elses_person(profile: Any, kind: Any) -> None:
    for stored, given, verified, expected in CORPUS.values():
        Person.objects.all().delete()
        Subscription.objects.all().delete()
        ann, one = factories.person(normalize_address(stored)), seat(profile, kind, given, email_verified=verified)
        matched(profile)
        assert person_of(one) == (ann if expected else None), (stored, given)


def test_an_address_two_people_share_leads_to_neither(profile: Any, kind: Any) -> None:
    first = factories.person("team@example.com", "first@example.com")
    factories.person("team@example.com")
    shared, own = seat(profile, kind, "team@example.com"), seat(profile, kind, "first@example.com")
    matched(profile)
    assert person_of(shared) is None
    assert person_of(own) == first


def test_any_address_of_a_person_leads_to_them(profile: Any, kind: Any) -> None:
    ann = factories.person("ann@example.com", "a.smith@example.com")
    seats = [seat(profile, kind, "ann@example.com"), seat(profile, kind, "A.Smith@example.com")]
    run = matched(profile)
    assert [person_of(one) for one in seats] == [ann, ann]
    assert run.counters["matched"] == 2 and run.counters["without_user"] == 0


def test_a_seats_secondary_address_is_a_hint_and_no_match(profile: Any, kind: Any) -> None:
    factories.person("ann@example.com")
    one = seat(profile, kind, "other@example.com", secondary_emails="ann@example.com")
    assert matched(profile).counters["without_user"] == 1
    assert person_of(one) is None


def test_an_unverified_address_matches_only_by_a_rule_that_asks_for_it(profile: Any, kind: Any) -> None:
    ann, one = factories.person("ann@example.com"), seat(profile, kind, "ann@example.com", email_verified=False)
    matched(profile)
    assert person_of(one) is None
    rule(source="any_email")
    matched(profile)
    assert person_of(one) == ann


def test_the_first_rule_that_finds_exactly_one_person_decides(profile: Any, kind: Any) -> None:
    by_mail, by_number = factories.person("ann@example.com"), factories.person(key="1001")
    one = seat(profile, kind, "ann@example.com", employee_id="1001")
    number = rule(source="employee_id", lookup="key", order=5)
    matched(profile)
    assert person_of(one) == by_number and one.match.rule == number
    number.order = 500
    number.save()
    run = matched(profile)
    assert person_of(one) == by_mail and run.counters["matched_otherwise"] == 1
    by_mail.delete()
    matched(profile)
    assert person_of(one) == by_number


def test_a_rule_that_finds_two_leaves_the_seat_to_the_next(profile: Any, kind: Any) -> None:
    factories.person("ann@example.com"), factories.person("ann@example.com")
    ann, one = factories.person(key="A7"), seat(profile, kind, "ann@example.com", employee_id="a7")
    rule(source="employee_id", lookup="key", order=500)
    matched(profile)
    assert person_of(one) == ann


def test_transforms_change_the_address_before_it_is_looked_up(profile: Any, kind: Any) -> None:
    login, moved = factories.person(key="ASmith"), factories.person("bob@new.example.com")
    seats = [seat(profile, kind, "asmith@old.example.com"), seat(profile, kind, "Bob@OLD.example.com")]
    rule(transform="remove_domain", lookup="key")
    rule(transform="replace_domain", new_domain="new.example.com")
    matched(profile)
    assert [person_of(one) for one in seats] == [login, moved]


def test_replacing_the_domain_matches_no_part_of_another_address(profile: Any, kind: Any) -> None:
    factories.person("ann@new.example.com")
    seats = [seat(profile, kind, address) for address in ("@old.example.com", "joann@old.example.com")]
    rule(transform="replace_domain", new_domain="new.example.com")
    matched(profile)
    assert [person_of(one) for one in seats] == [None, None]


def test_a_rule_for_one_profile_leaves_the_others_alone(kind: Any) -> None:
    here, there = (factories.profile(refreshed_at=timezone.now()) for _ in range(2))
    ann = factories.person(key="1001")
    seats = [seat(one, kind, "", employee_id="1001") for one in (here, there)]
    rule(source="employee_id", lookup="key", profiles=[here])
    matched(here, there)
    assert [person_of(one) for one in seats] == [ann, None]


def test_a_rule_switched_off_takes_its_matches_with_it(profile: Any, kind: Any) -> None:
    factories.person("ann@example.com")
    one = seat(profile, kind, "ann@example.com")
    matched(profile)
    ResolutionRule.objects.update(active=False)
    run = matched(profile)
    assert person_of(one) is None and run.counters["unmatched_now"] == 1


def test_a_match_made_by_hand_stays_until_it_is_removed(profile: Any, kind: Any, account: Any) -> None:
    ann, bob = factories.person("ann@example.com"), factories.person("bob@example.com")
    admin = account("sam_admin")
    one = seat(profile, kind, "ann@example.com")
    match_by_hand.run(one, bob, by=admin, now=timezone.now())
    run = matched(profile)
    assert person_of(one) == bob and run.counters["by_hand"] == 1
    rule(source="any_email", order=1)
    matched(profile)
    assert person_of(one) == bob
    assert match_by_hand.remove(one, by=admin)
    worlds.work()
    assert person_of(one) == ann
    assert not match_by_hand.remove(one, by=admin), "the rule's match is not one made by hand"


def test_a_match_made_by_hand_while_the_rules_are_writing_stays(profile: Any, kind: Any, monkeypatch: Any) -> None:
    ann, bob = factories.person("ann@example.com"), factories.person("bob@example.com")
    before, new = seat(profile, kind, "ann@example.com"), seat(profile, kind, "ann@example.com")
    factories.match(before, bob, rule=ResolutionRule.objects.get())
    write = resolve._write_matches

    def by_hand_first(*arguments: Any) -> Any:
        """Between finding and writing, as a page may do it on PostgreSQL."""
        Match.objects.all().delete()
        factories.match(before, bob), factories.match(new, bob)
        return write(*arguments)

    monkeypatch.setattr(resolve, "_write_matches", by_hand_first)
    matched(profile)
    assert [person_of(one) for one in (before, new)] == [bob, bob] and ann.matches.count() == 0


def test_seats_that_ended_or_are_left_out_lose_their_match_by_rule(profile: Any, kind: Any) -> None:
    factories.person("ann@example.com")
    ended, excluded = seat(profile, kind, "ann@example.com"), seat(profile, kind, "ann@example.com")
    matched(profile)
    Subscription.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    UserExclusion.objects.create(domain="example.com")
    run = matched(profile)
    assert person_of(ended) is None and person_of(excluded) is None
    assert run.counters["excluded"] == 1 and run.counters["seen"] == 0


def test_matching_again_changes_nothing_that_is_right(profile: Any, kind: Any) -> None:
    factories.person("ann@example.com")
    one = seat(profile, kind, "ann@example.com")
    matched(profile)
    first = Match.objects.get().at
    run = matched(profile)
    assert Match.objects.get(subscription=one).at == first
    assert [run.counters[name] for name in ("matched_anew", "matched_otherwise", "unmatched_now")] == [0, 0, 0]


def test_a_preview_says_what_the_saved_rule_then_matches(profile: Any, kind: Any) -> None:
    other = factories.profile()
    for address in ("ann@example.com", "bob@example.com", "shared@example.com"):
        factories.person(address)
        seat(profile, kind, address), seat(other, kind, address)
    factories.person("shared@example.com")
    found = try_rule.run(ResolutionRule(source="email"), [profile, other])
    assert (found.seats, found.people, len(found.sample)) == (4, 2, 4)
    assert try_rule.run(ResolutionRule(source="email"), [other]).seats == 2
    matched(profile, other)
    assert sorted(Match.objects.values_list("subscription", "person")) == sorted(found.sample)


def test_a_change_of_people_asks_every_downloaded_profile_once(profile: Any, account: Any) -> None:
    factories.profile(refreshed_at=timezone.now())
    factories.profile()
    admin = account("sam_admin")
    assert rematch.ask_everywhere(by=admin) == 2
    assert rematch.ask_everywhere(by=admin) == 0, "they are queued already"


def test_a_rule_made_for_a_profile_that_is_gone_applies_to_none(draft: Any, signed_in: Any) -> None:
    """It must not widen to everybody because its only profile was deleted."""
    from profiles import delete_profile  # noqa: PLC0415
    from subscriptions.matching import edit_rules, match as match_people  # noqa: PLC0415

    admin, other = signed_in("admin").user, factories.profile(display_name="Another")
    rule = edit_rules.save(ResolutionRule(name="Only Europe", source="any_email"), [draft], by=admin)
    assert rule in match_people.rules_for(draft) and rule not in match_people.rules_for(other)
    delete_profile.run(draft, by=admin)
    assert rule not in match_people.rules_for(other)
    assert "No profile any more" in pages.text_of(signed_in("sam_user").get("/user-resolution-rules/").content.decode())
