"""Who is who: by what records are linked, what can happen to an id, and why."""

from __future__ import annotations

#: keyed hashes of values that belong to one person as a rule; the strongest evidence first
IDENTIFIERS = ("loyalty_card_hash", "payment_token_hash", "email_hash", "phone_hash")
#: inside a hash: the value could not be normalised and proves nothing
UNUSABLE = ":!"

#: how a link came about, the strongest first; ``first_record`` is no link but where a person begins
MANUAL, PROBABILISTIC, FIRST_RECORD = "manual", "probabilistic", "first_record"
LINKED_BY = (MANUAL, *(name.removesuffix("_hash") for name in IDENTIFIERS), PROBABILISTIC)

#: what happens to an id
MERGED, SPLIT = "merged", "split"
EVENTS = (MERGED, SPLIT)

#: why a link that once was there is gone
NEVER_LINK = "never_link"  #: somebody decided so
UNDECIDED = "decision_withdrawn"  #: the decision that made it is no more in the file
CROWDED = "crowded_identifier"  #: the value turned out to be a family's or a shop's
CONTRADICTED = "contradicted"  #: the records say now that they are two people
WITHDRAWN = "withdrawn_identifier"  #: one of them has another value now, and their names are unlike
GONE = (NEVER_LINK, UNDECIDED, CROWDED, CONTRADICTED, WITHDRAWN)
CAUSES = (*LINKED_BY, *GONE)
