"""The sealed chain of the audit trail: what is sealed, how it is checked, how old entries leave, and its file."""
