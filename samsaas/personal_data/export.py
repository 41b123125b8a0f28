"""Write everything that is stored about a person as JSON: the same places that erasing goes through, row by row.

What belongs to their account here is added, found by every link of the database that leads to it. Columns that hold a
secret, or the hash of one, are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from samsaas.lib.fields import EncryptedTextField
from samsaas.models import AuditEntry
from samsaas.personal_data import places, traces
from subscriptions.models import Person

SECRET = frozenset(
    {
        *("auth.User.password", "samsaas.AccountSession.key", "samsaas.ApiToken.digest"),
        *("samsaas.Invitation.token_hash", "samsaas.PasswordLink.token_hash", "reclamation.Notice.token_hash"),
        *("samsaas.KeptSecret.token", "samsaas.KeptSecret.session", "mfa.Authenticator.data"),
        *("profiles.OAuthState.state_hash", "profiles.OAuthState.session_hash"),
    }
)
AT_ONCE = 500


def write(person: Person, *, now: datetime) -> Iterator[str]:
    """The file in pieces: what it is, then each table with its rows."""
    about = {"product": "samsaas", "employee_number": person.key, "name": person.name, "made_at": now.isoformat()}
    yield f'{{"about": {json.dumps(about)}, "tables": ['
    for number, (name, note, rows) in enumerate(_tables(person)):
        head = json.dumps({"table": name, "on_erasure": note})
        yield f'{"," if number else ""}\n{head[:-1]}, "rows": ['
        for count, row in enumerate(rows.iterator(chunk_size=AT_ONCE)):
            yield f"{',' if count else ''}\n{json.dumps(_plain(row), cls=DjangoJSONEncoder)}"
        yield "]}"
    yield "]}\n"


def count(person: Person) -> int:
    """How many rows the file has."""
    return sum(rows.count() for _, _, rows in _tables(person))


def _tables(person: Person) -> Iterator[tuple[str, str, QuerySet[Any]]]:
    for place in places.find(traces.find(person)):
        if place.rows.exists():
            yield place.name, f"{place.fate.value}. {place.why}".strip(), place.rows
    if person.account:
        yield from _of_account(person.account)


def _of_account(account: User) -> Iterator[tuple[str, str, QuerySet[Any]]]:
    note = "Will be kept. It belongs to the account, which is deactivated under Accounts."
    yield "Account", note, User.objects.filter(pk=account.pk)
    yield "Acts in the audit trail", note, AuditEntry.objects.filter(actor_id=account.pk)
    for relation in User._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            model: Any = relation.related_model
            rows = model._base_manager.filter(**{relation.field.name: account.pk})  # type: ignore[union-attr]
            if model is not Person and rows.exists():
                name = str(model._meta.verbose_name_plural).capitalize()
                yield f"{name} ({relation.field.verbose_name})", note, rows  # type: ignore[union-attr]


def _plain(row: Any) -> dict[str, Any]:
    """The columns of a row, without what is secret."""
    shown = [field for field in row._meta.concrete_fields if not _is_secret(field)]
    return {field.name: field.value_from_object(row) for field in shown}


def _is_secret(field: Any) -> bool:
    return isinstance(field, EncryptedTextField) or f"{field.model._meta.label}.{field.name}" in SECRET
