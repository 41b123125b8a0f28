"""Removals under random faults: many small worlds are played through the real code, and every one has to end well."""
