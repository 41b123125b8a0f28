"""What takes too long for the ordinary suite: each `prove_*.py` is a proof, run by `make prove`."""
