"""Clinical data as regulators receive it: SDTM and ADaM datasets, their description, and the checks they must pass."""
