"""The public testing kit: what affwire's own tests stand on, and what a third party's dialect is proven with.

`events` builds registry records and events by hand; `dialect_suite` proves a dialect.
"""
