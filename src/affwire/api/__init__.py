"""Floor 6, a door: the REST API. Bad input is refused here; what is right is carried in to the services.

No business rules and no SQL: a route names what it takes, calls one service, and shows the result.
"""
