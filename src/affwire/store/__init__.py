"""Floor 3, sync: rows and transactions. Nothing here may wait for anything but the database.

Code that runs inside a transaction gets a Tx and returns; it never sees a socket (a test keeps that true).
"""
