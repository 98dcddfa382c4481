"""Ways to turn a prompt into a mask."""
