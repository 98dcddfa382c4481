"""The image viewer of the reading room."""
