"""A cohort compared: rates and survival."""
