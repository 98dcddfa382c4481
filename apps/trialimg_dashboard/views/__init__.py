"""What pages draw: each function turns the answer of a service into something on the screen."""
