"""Summary tables as files: each is written from its specification, as HTML, RTF or PDF."""
