"""Where everything is: nights, links, Parquet in and out, manifests, the flip, the lock.

Belongs here: every path, every write, every read of the warehouse. Does not belong here: what rows
mean or whether they are good. Nothing else in the project builds a path below the warehouse.
"""
