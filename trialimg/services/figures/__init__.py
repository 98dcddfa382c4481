"""Figures as pure data: each is specified once, from numbers that were estimated elsewhere, and drawn by whoever shows it."""
