"""Tools that know no app: encrypted fields, bulk loading, tables, redaction."""
