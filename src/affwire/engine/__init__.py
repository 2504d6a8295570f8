"""Floor 5, async: the loops that carry decisions out. They claim, send and settle; they decide nothing."""
