"""Slow memory: notes into cells, questions out of them."""
