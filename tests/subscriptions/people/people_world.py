"""Ways with a file of people: uploaded and read, applied, and what the directory holds then."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from subscriptions.models import Person, PersonAddress, PersonImport
from subscriptions.people.imports import steps as import_people, upload as upload_people
from tests import worlds

NEW = "/people/imports/"
HEADER = "Employee number,Name,E-mails,Department,Manager,Cost center,Country,Left on\n"
GOOD = "1,Anna,anna@example.com,,,,,\n"


def uploaded(
    text: str | bytes, account: Any, *, everybody: bool = False, strict: bool = False, name: str = "people.csv"
) -> PersonImport:
    """Kept, and not yet read."""
    content = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    told = {"file_name": name, "mark_leavers": everybody, "strict": strict}
    return upload_people.run(content, **told, by=account, now=timezone.now())


def staged(text: str | bytes, account: Any, **how: Any) -> PersonImport:
    """Uploaded, and read by a worker."""
    upload = uploaded(text, account, **how)
    worlds.work()
    upload.refresh_from_db()
    return upload


def applied(upload: PersonImport, account: Any, *, confirmed: bool = False) -> PersonImport:
    """Confirmed, and applied by a worker where nothing is against it."""
    import_people.confirm(upload.pk, confirmed=confirmed, by=account)
    worlds.work()
    upload.refresh_from_db()
    return upload


def send(client: Any, content: bytes, name: str = "people.csv", **fields: str) -> Any:
    """Upload it on the page; gives the page that follows."""
    return client.post(NEW, {**fields, "file": SimpleUploadedFile(name, content, "text/csv")}, follow=True)


def press(client: Any, upload: PersonImport, button: str = "apply", **fields: str) -> str:
    """Press a button of the import's page and let a worker do what it asks for; gives what the page says at the end."""
    said = client.post(f"{upload.get_absolute_url()}{button}/", fields, follow=True).content.decode()
    worlds.work()
    return str(said + client.get(upload.get_absolute_url()).content.decode())


def effects(upload: PersonImport) -> dict[str, str]:
    return dict(upload.rows.values_list("key", "effect"))


def everybody() -> list[dict[str, Any]]:
    """The whole directory, to be compared with itself."""
    return [
        {**row, "addresses": sorted(PersonAddress.objects.filter(person=row["id"]).values_list("address", flat=True))}
        for row in Person.objects.order_by("key").values()
    ]


def crowd(number: int) -> None:
    Person.objects.bulk_create([Person(key=f"P{place:05}", name=f"Person {place}") for place in range(number)])


def listing(numbers: Iterator[int] | range) -> str:
    return "employee number,name\n" + "".join(f"P{place:05},Person {place}\n" for place in numbers)
