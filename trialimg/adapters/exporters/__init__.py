"""Everything that leaves the house: tables, report, figures."""
