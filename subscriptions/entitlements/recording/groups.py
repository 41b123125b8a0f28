"""The fields of an entitlement in the four groups in which people are asked for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldGroup:
    """Fields that belong together: a step of the guided form, and a card of the plain one."""

    title: str
    lead: str
    fields: tuple[str, ...]


NEW_MODEL = ("publisher", "product", "edition")
GROUPS = (
    FieldGroup(
        "What was bought",
        "The software model is where rights and use meet.",
        ("software_model", *NEW_MODEL, "publisher_part_number", "agreement_type"),
    ),
    FieldGroup(
        "Rights and term",
        "Both dates count. A renewal takes the place of the entitlement that it renews, so their rights never add up.",
        ("purchased_rights", "unlimited", "start", "end", "renews"),
    ),
    FieldGroup(
        "Cost and renewal",
        "What was paid for one period. Without a cost, figures in money say that they are not known.",
        (
            *("period", "unit_cost", "total_cost", "currency"),
            *("auto_renew", "notice_days", "minimum_rights"),
        ),
    ),
    FieldGroup(
        "Papers and people",
        "All of this is optional, and helps to find the contract again.",
        (
            *("profile", "vendor_name", "contract", "invoice", "purchase_order"),
            *("cost_center", "department", "owner", "notes"),
        ),
    ),
)
