"""The demo's story: a bookseller whose Dropbox team has been connected for two months, and what became of it since.

Everything is done by the verbs of the product, at the moments at which it happened: the clock is set back and goes on
from there. So nothing depends on the hour of the start but the hour itself.
"""
