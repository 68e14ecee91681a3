"""The process that opens an upload: alone, walled in, and without a secret.

Nothing here may import the store or anything that knows settings: the child has neither.
"""
