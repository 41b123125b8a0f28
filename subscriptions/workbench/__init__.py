"""License Workbench of Core UI: publishers as cards, and below each the tree down to its license metrics."""
