"""The HTTP service: handlers over the store; it computes nothing itself."""
