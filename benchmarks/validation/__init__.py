"""A validation report on many rows against a plain script."""
