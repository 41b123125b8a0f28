"""What the page of a back-test shows: its figures in words, as a chart, and beside what real removals did."""

from __future__ import annotations

from datetime import date
from typing import Any

from profiles.models import IntegrationProfile
from reclamation.back_tests import measured_regret
from reclamation.back_tests.regret_rate import TO_BEAT, RegretRate, as_percent
from reclamation.back_tests.tables import rate_of
from reclamation.models import BackTest, BackTestFinding, ReclamationRule
from reclamation.reasons import Reason
from samsaas.lib import charts

Outcome = BackTestFinding.Outcome
MEANINGS = {
    Outcome.BACK: "used again within the horizon: proposing them would have been wrong",
    Outcome.AWAY: "not used within the horizon",
    Outcome.ENDED: "ended within the horizon, and were not used before; not counted",
    Outcome.GAP: "the log was not read throughout the horizon; not counted",
    Outcome.NOT_SETTLED: "the horizon is not over, or late events may still come; not counted",
}


def describe(test: BackTest) -> dict[str, Any]:
    """The context of a back-test that is done."""
    rate = rate_of(test)
    return {
        "rate": rate,
        "words": tell_regret(rate, test.horizon_days),
        "outcomes": [(one.value, one.label, test.figures[one.value], MEANINGS[one]) for one in Outcome],
        "reasons": _by_reason(test),
        "leavers": Reason.LEAVER in test.figures["reasons"],
        "drawing": charts.draw(_chart(test)),
    }


def describe_measured(rule: ReclamationRule) -> dict[str, Any]:
    """What the rule's real removals did, in figures and in words."""
    found = measured_regret.of_rule(rule.pk)
    return {"measured": found, "measured_words": tell_measured(found)}


def tell_regret(rate: RegretRate, horizon_days: int) -> str:
    """The regret in one sentence."""
    if not rate.counted:
        return "Nothing could be counted: nothing was proposed, or what became of it is not known."
    came = f"{rate.back:,} of {rate.counted:,} came back within {horizon_days} days"
    if rate.is_few:
        return f"{came}: {rate.percent}."
    return f"{came}. With so many counted, the true share lies between {rate.interval.replace(' to ', ' and ')}."


def tell_measured(found: measured_regret.MeasuredRegret) -> str:
    """The measured regret in one sentence."""
    if not found.removed:
        return "This rule has removed nobody yet, so there is nothing measured to compare with."
    told = (
        f"Of {found.removed:,} removals by this rule {found.restored:,} were restored, and for {found.alarms:,} use "
        "from shortly before was learned afterwards"
    )
    return f"{told}: {found.rate.percent}." if found.rate.is_few else f"{told}. Between them, {found.rate.interval}."


def settings_in_words(test: BackTest) -> list[tuple[str, str]]:
    """The settings of a back-test, by label."""
    kept = test.settings
    groups = {
        "include_never_active": "never active",
        "include_invited": "invited",
        "include_suspended": "suspended",
        "include_leavers": "left the company",
    }
    also = [label for name, label in groups.items() if kept[name]]
    return [
        ("Threshold", f"{kept['threshold_days']} days"),
        ("Minimum age", f"{kept['minimum_age_days']} days"),
        ("Invitations", f"after {kept['invited_days']} days" if kept["include_invited"] else "left alone"),
        ("Included", ", ".join(["idle", *also])),
        ("Sign-ins are enough", "yes" if kept["logins_are_enough"] else "no"),
        ("Conditions", _conditions_in_words(kept["conditions"]) or "none: every subscription of the model"),
    ]


def _conditions_in_words(conditions: dict[str, list[Any]]) -> str:
    shown = dict(conditions)
    if "profile" in shown:
        profiles = IntegrationProfile.objects.filter(pk__in=shown["profile"])
        shown["profile"] = list(profiles.order_by("display_name").values_list("display_name", flat=True))
    return "; ".join(f"{key.replace('_', ' ')}: {', '.join(map(str, values))}" for key, values in shown.items())


def _by_reason(test: BackTest) -> list[dict[str, Any]]:
    rows = []
    for reason, (proposed, back, censored) in sorted(test.figures["reasons"].items()):
        rate = RegretRate(back, proposed - censored)
        rows.append({"reason": reason, "label": Reason(reason).label, "proposed": proposed, "rate": rate})
    return rows


def _chart(test: BackTest) -> charts.Chart:
    days = test.figures["days"]
    counted = [(proposed - censored, back) for _, proposed, back, censored in days]
    return charts.Chart(
        title="By day",
        description="Each subscription stands on the first day on which it would have been proposed.",
        axis="Day",
        points=[f"{date.fromisoformat(day):%-d %b %Y}" for day, *_ in days],
        bars=charts.Series("Proposed for the first time", [float(proposed) for _, proposed, _, _ in days]),
        line=charts.Series(
            "Came back", [back / number if number else None for number, back in counted], write=as_percent
        ),
    )


TO_BEAT_WORDS = f"{100 * TO_BEAT:.0f} %"
