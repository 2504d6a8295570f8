"""Where requests leave the house: the guard judges where they may go, a wire carries them.

The one rule: only this room opens outbound connections, and none before the guard has judged its address.
"""
