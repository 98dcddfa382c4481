"""Arrays to millimetres: quality, measurement, contours, registration, matching, uptake values, phantoms."""
