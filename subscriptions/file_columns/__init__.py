"""Which column of an uploaded file is which, for every import whose files have headings of their own."""
