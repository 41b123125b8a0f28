"""Read a table from a file that somebody else wrote: CSV in UTF-8 or UTF-16, or an Excel workbook (.xlsx).

`open_sheet.run` gives the headings and an iterator over the rows. Nothing a file says is trusted: its size, its shape
and what it declares are bounded, and a formula is a formula, never its result. `cells` turns cells into values.
"""
