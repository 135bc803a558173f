"""Tables about the night itself, and where ids went."""

from __future__ import annotations

from jobs.definitions.identity import CAUSES, EVENTS, FIRST_RECORD, LINKED_BY
from jobs.definitions.model import Column, Table
from jobs.definitions.published.columns import CUSTOMER, SNAPSHOT

DATA_QUALITY = Table(
    "data_quality", ("table_name", "rule_id"),
    (Column("table_name", "STRING", "Zone and table judged, as in conformed.orders.", required=True), SNAPSHOT,
     Column("rule_id", "STRING", "The rule.", required=True),
     Column("rule", "STRING", "The rule as a sentence.", required=True),
     Column("severity", "STRING", "What failing means.", required=True, values=("critical", "warning", "info")),
     Column("rows_checked", "BIGINT", "Rows judged.", required=True, minimum=0),
     Column("rows_failed", "BIGINT", "Rows that failed; for rules on a whole table 0 or 1.", required=True, minimum=0),
     Column("is_passed", "BOOLEAN", "Nothing failed.", required=True),
     Column("action", "STRING", "What was done.", required=True,
            values=("none", "reported", "repaired", "quarantined", "held", "approved", "blocked")),
     Column("owner", "STRING", "Whom to ask about the rule."),
     Column("rows_repeated", "BIGINT", "Of the failed rows those that an earlier night has set aside already, equal in "
            "what they say and in the rules that they fail; null where the rule sets no single row aside.", minimum=0)),
    "Every rule judged in the night.",
)  # fmt: skip

PUBLISH_LOG = Table(
    "publish_log", ("run_id",),
    (Column("run_id", "STRING", "The run.", required=True), SNAPSHOT,
     Column("published_at", "TIMESTAMP", "When, UTC.", required=True),
     Column("schema_version", "STRING", "Version of these tables.", required=True),
     Column("rules_version", "STRING", "Version of the rules.", required=True),
     Column("model_version", "STRING", "Version of the fitted cut points.", required=True),
     Column("currency", "STRING", "Currency of all amounts.", required=True),
     Column("tax_included", "BOOLEAN", "Amounts include tax.", required=True),
     Column("status", "STRING", "published, or published_with_warnings.", required=True,
            values=("published", "published_with_warnings"))),
    "Every publication up to this one.", load="merge",
)  # fmt: skip

CUSTOMER_ALIASES = Table(
    "customer_aliases", ("old_customer_id",),
    (Column("old_customer_id", "STRING", "Id that ended, or that somebody came off.", required=True), SNAPSHOT,
     CUSTOMER,
     Column("event", "STRING", "merged or split.", required=True, values=EVENTS),
     Column("effective_on", "DATE", "Business date.", required=True)),
    "Where former customer ids went; of an id that was split, the part that keeps it.",
)  # fmt: skip

CUSTOMER_IDENTITIES = Table(
    "customer_identities", ("customer_id", "source", "source_id_hash"),
    (CUSTOMER, SNAPSHOT, Column("source", "STRING", "Source of the record.", required=True),
     Column("source_id_hash", "STRING", "Keyed hash of source and source id: the record.", required=True),
     Column("linked_by", "STRING", "The strongest link to another record of the customer.", required=True,
            values=(FIRST_RECORD, *LINKED_BY)),
     Column("score", "DOUBLE", "Probability of that link where values were compared, else null.", minimum=0,
            maximum=1),
     Column("first_linked_on", "DATE", "Since when the record is this customer's.", required=True)),
    "Which records are one customer, and by what.", restricted=True,
)  # fmt: skip

IDENTITY_LEDGER = Table(
    "identity_ledger", ("event_id",),
    (Column("event_id", "STRING", "Date, event and both ids.", required=True), SNAPSHOT,
     Column("event", "STRING", "merged: the old id ended in the new one; split: the new one came off the old one.",
            required=True, values=EVENTS),
     Column("old_customer_id", "STRING", "Id before.", required=True),
     Column("new_customer_id", "STRING", "Id after.", required=True),
     Column("occurred_on", "DATE", "Business date of the night.", required=True),
     Column("cause", "STRING", "What linked the two, or why a link is gone.", required=True, values=CAUSES)),
    "Everything that ever happened to customer ids.", restricted=True,
)  # fmt: skip

CUSTOMER_CROSSWALK = Table(
    "customer_crosswalk", ("source", "source_customer_id", "valid_from"),
    (Column("source", "STRING", "Source.", required=True), SNAPSHOT,
     Column("source_customer_id", "STRING", "The source's own id.", required=True), CUSTOMER,
     Column("valid_from", "DATE", "First business date, inclusive.", required=True),
     Column("valid_to", "DATE", "Exclusive; 9999-12-31 while it lasts.", required=True)),
    "How a warehouse joins its own orders to customers. A period that ended may name an id that customer_aliases leads "
    "on from.", restricted=True,
)  # fmt: skip
