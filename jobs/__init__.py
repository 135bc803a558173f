"""What Regulars computes: everything between a source system and a published table.

Belongs here: definitions, extraction, transformations, models, storage, the steps of a night and
the command line. Does not belong here: when things run (``dags``) and what is judged good
(``expectations``).
"""

__version__ = "0.1.0"
