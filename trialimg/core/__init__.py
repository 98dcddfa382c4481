"""The words: frozen types and enums that cannot be built wrong. Standard library only."""
