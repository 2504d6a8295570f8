"""Floor 0, pure: the nouns of affwire as frozen values. No clock, no dice, no I/O.

Times are integer milliseconds UTC named `*_at`; amounts are minor units beside their currency.
"""
