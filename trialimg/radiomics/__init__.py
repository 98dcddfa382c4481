"""Features of a region, and how they change."""
