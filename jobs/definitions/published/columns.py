"""What several published tables share: columns, values, references."""

from __future__ import annotations

from jobs.definitions.model import Column, Reference
from jobs.definitions.segments import SCHEMES

DAYPARTS = ("breakfast", "lunch", "afternoon", "evening", "late_night")
DAY_TYPES = ("weekday", "weekend", "holiday")
CAUSES = ("moved", "joined", "left", "merged", "split", "consent", "correction", "erased", "rules", "model")
OUTSIDE = "_outside"
OPEN_END = "9999-12-31"

SNAPSHOT = Column("snapshot_date", "DATE", "Business date of the snapshot.", required=True)
CUSTOMER = Column("customer_id", "STRING", "Persistent opaque id of a person.", required=True)
SEGMENT_KEY = Column("segment_key", "STRING", "scheme:segment, as in rfm:champions.", required=True)
SCHEME = Column("scheme", "STRING", "Segment scheme.", required=True, values=tuple(s.name for s in SCHEMES))
SEGMENT = Column("segment", "STRING", "Segment code.", required=True)
IS_ALLOWED = Column("is_marketing_allowed", "BOOLEAN", "Consented to be addressed.", required=True)
TO_CUSTOMER = Reference("customer_id", "customer_segments", "customer_id")
TO_SEGMENT = Reference("segment_key", "dim_segment", "segment_key")
AT_RISK = "predicted_clv_365d times churn_probability_90d"
