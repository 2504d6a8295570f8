"""How the schema came to be, one numbered file per step; the last one equals tables.py (a test compares them).

After changing tables.py: `python -m affwire.store.migrations TITLE` drafts the next step; read it before you keep it.
"""
