"""One subject summed up: best response, times to event, tumour burden. Standard library and core only."""
