"""Figures as pure data: specified once, from numbers that were estimated elsewhere, and drawn by whoever shows them."""
