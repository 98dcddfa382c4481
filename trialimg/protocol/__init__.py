"""A trial protocol file, checked and frozen."""
