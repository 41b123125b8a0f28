"""Workbooks for tests: honest ones, and ones that somebody made up to do harm."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def make_workbook(rows: Iterable[Sequence[Any]], *, sheet: str = "Table", more: Sequence[str] = ()) -> bytes:
    """A workbook as a person saves it. A text that begins with `=` is a formula."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    for name in more:
        book.create_sheet(name)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def replace_part(content: bytes, name: str, part: bytes) -> bytes:
    """The workbook with another part."""
    old, file = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            new.writestr(one.filename, part if one.filename == name else old.read(one.filename))
    return file.getvalue()


def with_sheet(xml: str, head: str = "") -> bytes:
    """A workbook whose sheet holds this XML."""
    text = f'<?xml version="1.0"?>{head}<worksheet xmlns="{MAIN}">{xml}</worksheet>'
    return replace_part(make_workbook([["a"]]), "xl/worksheets/sheet1.xml", text.encode())


def with_renamed_sheet(xml: str, head: str = "") -> bytes:
    """The same in a part whose name does not say that it is XML, and a picture beside it."""
    old, file = zipfile.ZipFile(io.BytesIO(with_sheet(xml, head))), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            part = old.read(one.filename).replace(b"sheet1.xml", b"sheet1.dat")
            new.writestr(one.filename.replace("sheet1.xml", "sheet1.dat"), part)
        new.writestr("xl/media/image1.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    return file.getvalue()
