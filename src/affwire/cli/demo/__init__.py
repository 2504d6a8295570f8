"""`affwire demo`."""
