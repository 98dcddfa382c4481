"""One timepoint judged, one module per criterion. Standard library and core only."""
