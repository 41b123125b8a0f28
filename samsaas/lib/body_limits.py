"""How large the body of a request may be. Plain numbers, which the web server reads before Django is there."""

LARGEST_FORM = 128 * 1024
LARGEST_FILE = 40 * 1024 * 1024
# What a form with a file may have besides the file: its other fields, and the lines between them.
BESIDE_THE_FILE = 64 * 1024
