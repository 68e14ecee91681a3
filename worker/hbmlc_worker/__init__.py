"""The workers: turn a job into arrays, call a pure function, store the answer."""
