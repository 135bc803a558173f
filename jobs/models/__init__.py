"""Fitted things: cut points, clusters, topics, lifetime value.

Belongs here: fitting on a bounded sample, a small file per model, scoring as columns. Does not belong
here: rules that need no fitting (``definitions``), reading and writing (``storage``).
"""
