"""The figures of a report, each drawn as SVG with its own words; one module per figure."""
