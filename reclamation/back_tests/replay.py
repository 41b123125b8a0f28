"""Back-test a rule: replay its settings on past days, and see who of those proposed came back.

1. Read what is known of the activity of the rule's profiles.
2. Go through the days from the first to the last, a week apart. One statement stores who would have been proposed on
   the day for the first time, and what became of them in the horizon. It commits together with the day as the cursor,
   so that another worker continues after it.
3. Count what was found, and keep the figures with the back-test.

Source: specification of reclamation, section 10. A seat counts once, on its first day. *Back* is a use within the
horizon. A seat that ended without use, whose coverage is broken, or whose horizon is not final yet is *censored*: it
counts as proposed, but neither for nor against the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from profiles.jobs.job import Job
from reclamation.back_tests import past_coverage, past_day, span
from reclamation.back_tests.past_day import PastDay
from reclamation.models import BackTest, BackTestFinding
from samsaas.lib import sql

BACK_TEST = "back_test"
WEEK = timedelta(days=7)
TARGET = ("back_test_id", "subscription_id", "on", "reason", "outcome", "last_use_on", "back_on")
Outcome = BackTestFinding.Outcome


def run(job: Job, *, now: datetime) -> None:
    """Do the back-test of the job's run. Raises `LeaseLost` or `Canceled`; days that were done stay done."""
    test = BackTest.objects.select_related("rule__software_model").get(run=job.run.pk)
    rule = test.rule_then()
    known = past_coverage.read_coverage(span.profiles_of(test.rule))
    days = every_seventh(test.from_on, test.to_on)
    job.progress(expected=len(days), step="Replaying the days")
    for number, day in enumerate(days, 1):
        if day.isoformat() <= job.run.cursor:
            continue
        with transaction.atomic():
            _store_findings(test, PastDay.of_rule(rule, day, test.horizon_days), known)
            job.progress(cursor=day.isoformat(), items=number, step=f"Replayed {day:%-d %b %Y}")
    with transaction.atomic():
        test.figures = count_figures(test, days)
        test.save(update_fields=["figures"])
        job.progress(counters={name: test.figures[name] for name in ("proposed", "back", "censored")}, step="Counted")


def every_seventh(first: date, last: date) -> list[date]:
    """The days of a back-test: the first one, and every seventh after it up to the last."""
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]


def _store_findings(test: BackTest, past: PastDay, known: past_coverage.PastCoverage) -> int:
    """Store what is found on a day, and return how many it is. The database does all of it; no row comes here."""
    if sql.is_postgresql():
        sql.execute("SET LOCAL jit = off")  # compiling the statement takes longer than running it
    query, values = past_day.find(test, past, known).query.sql_with_params()
    names = ", ".join(map(connection.ops.quote_name, TARGET))
    table = connection.ops.quote_name(BackTestFinding._meta.db_table)
    return sql.execute(f"INSERT INTO {table} ({names}) {query}", values)  # noqa: S608 - names of ours, SQL of Django


def count_figures(test: BackTest, days: Sequence[date]) -> dict[str, Any]:
    """The figures of a back-test whose days are all done, as it keeps them."""
    grouped = test.findings.order_by().values_list("on", "reason", "outcome").annotate(number=Count("pk"))
    by_outcome, by_reason = dict.fromkeys(Outcome.values, 0), dict[str, list[int]]()
    by_day = {day: [0, 0, 0] for day in days}
    for on, reason, outcome, number in grouped:
        by_outcome[outcome] += number
        for line in (by_day[on], by_reason.setdefault(reason, [0, 0, 0])):
            line[0] += number
            line[1] += number if outcome == Outcome.BACK else 0
            line[2] += number if outcome in BackTestFinding.CENSORED else 0
    censored = sum(by_outcome[outcome] for outcome in BackTestFinding.CENSORED)
    return {
        "proposed": sum(by_outcome.values()),
        "censored": censored,
        **by_outcome,
        "days": [[day.isoformat(), *line] for day, line in by_day.items()],
        "reasons": by_reason,
    }
