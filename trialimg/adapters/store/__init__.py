"""Where work is kept."""
