"""The life cycle of jobs: phases, stages, units and what becomes of them."""
