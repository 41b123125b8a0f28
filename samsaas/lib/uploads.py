"""Limits on an uploaded file, enforced while it arrives."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousMultipartForm
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from samsaas.lib.body_limits import LARGEST_FILE

LARGEST = LARGEST_FILE
ATTRIBUTE = "_samsaas_oversized"
TAKES_FILE = "_samsaas_takes_file"


class CappedUpload(FileUploadHandler):
    """The first upload handler. It drops a file of more than `LARGEST` bytes; `is_oversized` then says so.

    The other fields of the form arrive as usual, so that the page can say what was wrong. A file for a page that takes
    none is refused with the whole request.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if not getattr(self.request, TAKES_FILE, False):
            raise SuspiciousMultipartForm("This page takes no file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > LARGEST:
            oversized_fields(self.request).add(str(self.field_name))
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Nothing: the next handler stores the file."""


def expect_file(request: HttpRequest) -> None:
    """Let this request bring a file; without it `CappedUpload` refuses every one."""
    setattr(request, TAKES_FILE, True)


def oversized_fields(request: Any) -> set[str]:
    found: set[str] = request.__dict__.setdefault(ATTRIBUTE, set())
    return found


def is_oversized(request: HttpRequest, field: str) -> bool:
    """Whether the file of this form field was dropped because of its size."""
    return request.FILES.get(field) is None and field in oversized_fields(request)  # reading FILES receives the upload
