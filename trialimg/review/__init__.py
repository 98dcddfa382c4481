"""Blinded central review: the reading design that a protocol sets."""
