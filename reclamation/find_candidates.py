"""Find the seats of a profile that are to be proposed, and say of all others why not.

1. Make the rules of software models that have none. Where the ground of a rule in mode automatic has changed (another
   team or app, a gap that closed), it observes for a week.
2. Judge again the candidates that nobody was asked about, where their rule has changed; cancel what nobody decided.
3. Go through the seats in windows by key. The database judges them; those that are proposed are locked, judged once
   more, and opened as candidates with their evidence, or noted as observed. Each batch commits with the cursor.
4. Count the reason of every listed seat, and compare the number of proposals with that of the find before. Of a large
   profile, count what the sliders of its rules show.
5. Have what rules in mode automatic have ready reclaimed, which asks people first.
6. Removals that wait because of a fact are tried again, since the fact may have changed.

The vendor is not called. A constraint allows one open candidate a seat, so a second run opens nothing twice, and one
that lost its worker goes on at its cursor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction

from profiles.jobs.job import Job, LeaseLost
from profiles.models import IntegrationProfile
from reclamation import address, evidence, jump, reconsider, sums, terms, workflow
from reclamation.models import RuleVersion
from reclamation.reasons import PROPOSABLE, Decision, Reason, as_verdict, split_verdict
from reclamation.removal import automatic, due
from reclamation.rules import ground, kept_counts, make_rules, observe
from reclamation.terms import Standing
from reclamation.verdicts import notes_for, with_notes, with_verdicts
from subscriptions.models import Subscription

FIND = sums.FIND
WINDOW, BATCH = 20_000, 500
COUNTED = ("seen", "proposed", "nobody_to_ask", "observed", "skipped", "canceled")
FOUND = [as_verdict(decision, reason) for decision in (Decision.PROPOSE, Decision.OBSERVE) for reason in PROPOSABLE]


def run(job: Job, *, now: datetime) -> None:
    """Find the candidates of the run's profile."""
    profile = job.run.profile
    if profile is None:
        raise LeaseLost("The profile is gone.")
    finder = _Finder(job, profile, now)
    finder.settle_candidates()
    finder.go_through_seats()
    finder.count_and_compare()
    automatic.run(job, now=now)
    due.try_held_again(profile)


class _Finder:
    """One find. What is the same for all seats of the profile is read once."""

    def __init__(self, job: Job, profile: IntegrationProfile, now: datetime) -> None:
        make_rules.run(now)
        self.job, self.profile, self.now = job, profile, now
        self.standing = Standing.of_profile(profile, now)
        self.ground = ground.read_ground(profile, self.standing)
        ground.observe_if_changed(profile, self.ground, terms.read_rules(profile, now), now)
        self.rules = terms.read_rules(profile, now)
        rules = [one.rule.pk for one, _ in self.rules.by_rule()]
        newest = RuleVersion.objects.filter(rule__in=rules).order_by("version")
        self.versions = dict(newest.values_list("rule", "pk"))
        self.counters: Counter[str] = Counter({**dict.fromkeys(COUNTED, 0), **job.run.counters})

    def settle_candidates(self) -> None:
        """Close the candidates that nobody was asked about and that are not to stay."""
        self.counters["skipped"] += reconsider.judge_again(self.profile, self.standing, self.rules, self.now)
        self.counters["canceled"] += reconsider.cancel_undecided(self.now, self.profile)
        expected = Subscription.objects.filter(profile=self.profile).listed().count()
        self.job.progress(expected=expected, counters=dict(self.counters), step="Judging subscriptions")

    def go_through_seats(self) -> None:
        """Open or observe what is found in each window of seats, from the cursor on."""
        for seats in self._windows():
            current = Subscription.objects.current().filter(profile=self.profile, pk__range=(seats[0], seats[-1]))
            found = with_verdicts(current.order_by("pk"), self.standing, self.rules).filter(verdict__in=FOUND)
            proposed = list(found.values_list("pk", flat=True))
            for start in range(0, len(proposed), BATCH):
                keys = proposed[start : start + BATCH]
                with transaction.atomic():
                    self._write_found(keys)
                    self.job.progress(cursor=str(keys[-1]), counters=dict(self.counters))
            self.counters["seen"] += len(seats)
            self.job.progress(cursor=str(seats[-1]), items=self.counters["seen"], counters=dict(self.counters))

    def _windows(self) -> Iterator[list[int]]:
        listed = Subscription.objects.filter(profile=self.profile).listed().order_by("pk")
        last = int(self.job.run.cursor or 0)
        while keys := list(listed.filter(pk__gt=last).values_list("pk", flat=True)[:WINDOW]):
            yield keys
            last = keys[-1]

    def _write_found(self, keys: list[int]) -> None:
        """Lock the seats, judge them again, since somebody may have proposed one meanwhile, and write what is found."""
        list(Subscription.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).only("pk"))
        related = ("profile", "identifier__software_model", "match__person", "last_activity")
        seats = address.with_address(Subscription.objects.filter(pk__in=keys).select_related(*related))
        judged = with_notes(with_verdicts(seats, self.standing, self.rules)).filter(verdict__in=FOUND).order_by("pk")
        observed, openings = [], []
        for seat in judged:
            decision, reason = split_verdict(seat.verdict)
            rule = self.rules.terms[seat.identifier_id].rule
            if decision == Decision.OBSERVE:
                observed.append(observe.Sighting(rule.pk, self.versions[rule.pk], seat.pk, reason))
            else:
                openings.append(self._open(seat, decision, reason))
        self.counters["observed"] += observe.note(observed, self.now)
        self.counters["proposed"] += workflow.open_found(self.profile, openings, now=self.now)
        self.counters["nobody_to_ask"] += sum(bool(one.attention) for one in openings)

    def _open(self, seat: Any, decision: Decision, reason: Reason) -> workflow.Opening:
        held = self.rules.terms[seat.identifier_id]
        notes = notes_for(seat, decision, reason)
        known = evidence.describe_use(seat, now=self.now)
        return workflow.Opening(
            seat=seat,
            reason=reason.value,
            evidence=known | evidence.describe_verdict(seat, reason, held, self.standing, notes),
            attention=address.why_nobody_to_ask(seat, held.rule, workflow.Opening.justification, self.now),
            rule=held.rule,
            rule_version_id=self.versions[held.rule.pk],
        )

    def count_and_compare(self) -> None:
        """Store the sums per reason, whether the find jumped, and the ground that the next find compares with."""
        counted = sums.count_reasons(self.standing, self.rules)
        self.counters["seen"] = sum(count for _, _, count in counted)
        measured = jump.measure(self.job.run, self.counters["proposed"])
        if measured.is_over:
            self.job.warn(
                f"{measured.proposed:,} new candidates are more than the {measured.limit:,} that would be normal after "
                f"{measured.previous:,} in the find before. Nobody is asked and nothing is removed automatically today."
            )
        facts = {sums.FACT: counted, jump.FACT: measured.as_fact(), ground.FACT: self.ground}
        if self.counters["seen"] > kept_counts.LARGE:
            facts[kept_counts.FACT] = kept_counts.count(self.standing, self.rules, self.versions, self.now)
        self.job.progress(
            facts={**self.job.run.facts, **facts},
            counters=dict(self.counters),
            step="Counted",
            items=self.counters["seen"],
        )
