"""Find the person that a text means: an employee number or an e-mail address."""

from __future__ import annotations

from samsaas.lib import text_forms
from subscriptions.models import Person, PersonAddress, normalize_address


def find_person(text: str) -> tuple[Person | None, str]:
    """The one person with this employee number or address, or what is wrong. Who is here comes before leavers."""
    shown = text[:60]
    if not text:
        return None, "It names no person."
    if "@" in text:
        addresses = PersonAddress.objects.filter(address=normalize_address(text))
        people = Person.objects.filter(pk__in=addresses.values("person"))
    else:
        exact = Person.objects.filter(key=text)
        people = exact if exact.exists() else Person.objects.filter(compared_key=text_forms.normalize_identifier(text))
    found = list(people.not_leavers()[:2]) or list(people[:2])
    if not found:
        return None, f"Nobody in the directory has “{shown}”."
    return (found[0], "") if len(found) == 1 else (None, f"More than one person has “{shown}”.")
