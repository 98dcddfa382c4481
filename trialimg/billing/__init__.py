"""From signed work to charges: the price plan that a protocol sets."""
