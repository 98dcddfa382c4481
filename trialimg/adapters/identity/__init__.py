"""Who is at work, and what time it is."""
