"""One subject summed up: best response, progression-free survival, duration of response, tumour burden."""
