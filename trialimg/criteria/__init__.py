"""One timepoint judged: a module per criterion, its paper at the top, its numbers in one frozen `Rules`."""
