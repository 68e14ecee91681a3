"""The SDK without I/O: what to send, how to read it, when to try again.

A call of the SDK is a *flow*: a generator that yields effects (send this, sleep so long) and is
sent their outcomes. ``Client`` and ``AsyncClient`` perform the effects; nothing else tells them
apart.
"""
