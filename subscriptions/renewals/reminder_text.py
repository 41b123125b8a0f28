"""The mail that reminds of a renewal."""

from __future__ import annotations

from datetime import date

from subscriptions.entitlements.renewals import Renewal
from subscriptions.renewals import words

SUBJECT = "By {day}: {product}, {change}"
BODY = """Hello,

{number}, {rights} of {product}, ends on {end}. The vendor must know of a reduction by {day}.

{advice}{money}

When the vendor was asked, note it there; no further reminder is sent then:

{link}"""
ASK = {True: "decide on its renewal", False: "renew with {recommended:,} of {rights:,} rights"}


def write_reminder(one: Renewal, link: str) -> tuple[str, str]:
    """Subject and text."""
    entitlement = one.entitlement
    rights = entitlement.purchased_rights
    is_open = not one.change or one.change > 0 or one.recommended is None
    values = {
        "number": entitlement.number,
        "product": str(entitlement.software_model),
        "rights": "an unlimited license" if entitlement.unlimited else f"{rights:,} right{'' if rights == 1 else 's'}",
        "end": _write_date(entitlement.end),
        "day": _write_date(one.reduce_by),
        "advice": words.write_advice(one),
        "money": f" That is {words.write_signed(one.yearly_change, entitlement.currency)} a year."
        if one.change
        else "",
        "change": ASK[is_open].format(recommended=one.recommended or 0, rights=rights),
        "link": link,
    }
    return SUBJECT.format(**values), BODY.format(**values)


def _write_date(day: date | None) -> str:
    return f"{day:%-d %B %Y}" if day else ""
