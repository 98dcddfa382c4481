"""A small network of our own that turns a reader's prompt into a lesion: how it looks, learns and answers."""
