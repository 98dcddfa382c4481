"""Ports meet adapters here, and nowhere else. Heavy adapters are imported inside the functions that need them."""
