"""The report: what each of its sections says, and how it becomes HTML and PDF."""
