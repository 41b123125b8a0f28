"""How to create the vendor's app: the steps of the registry row, with the exact values to copy."""

from __future__ import annotations

from dataclasses import dataclass

from profiles.connectors import base


@dataclass(frozen=True)
class Step:
    """One thing to do in the vendor's console; `copy` is a value to paste there."""

    text: str
    copy: str = ""
    copy_label: str = ""
    scopes: tuple[str, ...] = ()


def steps(vendor: base.Vendor, redirect_url: str) -> list[Step]:
    """The steps of a vendor's registry row, with its scopes and this installation's redirect URL filled in."""
    made = []
    for text in vendor.app_steps:
        if "{scopes}" in text:
            made.append(Step(text.replace("{scopes}", "").strip(), scopes=vendor.scopes()))
        elif "{redirect_url}" in text:
            made.append(Step(text.replace("{redirect_url}", "").strip(), copy=redirect_url, copy_label="redirect URL"))
        else:
            made.append(Step(text))
    return made
