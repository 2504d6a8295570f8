"""Floor 6, a door: where platforms' webhooks come in. Raw ASGI in front of the API, so that a message costs no framework.

Rule: an answer of success leaves only after the commit that holds the message.
"""
