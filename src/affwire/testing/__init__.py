"""The public testing kit: what affwire's own tests stand on, and what a third party's dialect is proven with.

`events` builds registry records and events by hand; `dialect_suite` proves a dialect. `genuine` makes requests as platforms
send them, `vectors` are the golden ones, and `pytest_plugin` offers both as fixtures to the tests of a receiver.
"""
