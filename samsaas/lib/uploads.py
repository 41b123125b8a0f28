"""A limit on what a browser may send as a file, held while it arrives and not afterwards."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

LARGEST = 40 * 1024 * 1024
ATTRIBUTE = "_samsaas_oversized"


class CappedUpload(FileUploadHandler):
    """The first upload handler: a file of more than `LARGEST` bytes is dropped and `oversized` tells its field.

    The form's other fields arrive as usual, so that the page can say what was wrong.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > LARGEST:
            oversized_fields(self.request).add(str(self.field_name))
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler keeps the file."""


def oversized_fields(request: Any) -> set[str]:
    found: set[str] = request.__dict__.setdefault(ATTRIBUTE, set())
    return found


def oversized(request: HttpRequest, field: str) -> bool:
    """Whether the file of this form field was dropped for its size."""
    return request.FILES.get(field) is None and field in oversized_fields(request)  # reading FILES receives them
