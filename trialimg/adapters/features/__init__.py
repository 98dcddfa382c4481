"""Ways to turn a mask into radiomic features."""
