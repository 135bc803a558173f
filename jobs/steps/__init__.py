"""One short file per step of a night: read, call, write.

Belongs here: choosing dates and tables, calling transformations, putting results into the night. Does
not belong here: the calculation itself (``transforms``, ``models``) and any path (``storage``).
"""
