"""Pieces that know no app: encrypted fields, bulk loading, tables, redaction."""
