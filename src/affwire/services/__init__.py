"""Floor 4, sync: what users do, inside one transaction. Services load, ask the rules, store, and tell the waist.

No service knows a network: a URL arrives here already judged.
"""
