"""What leaves the house: report, tables, figures."""
