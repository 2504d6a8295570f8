"""One file per noun: what its requests hold, and which service each of them calls."""
