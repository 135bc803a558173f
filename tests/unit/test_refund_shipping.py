"""What the engine's workers run is sent to them whole: they hold nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
from pyspark import cloudpickle

from jobs.transforms import refunds

#: a worker in which our package cannot be imported
WORKER = """
import json, pickle, sys
sys.modules["jobs"] = None
outcome, rows = pickle.load(sys.stdin.buffer)
print(json.dumps(outcome(rows).to_pylist()))
"""
PERSON = ["source_customer_id:7"]


def row(identifier: str, *, is_refund: bool, at: int) -> dict[str, object]:
    """A refund of ten, or the sale of it."""
    return {
        "source": "shop", "is_refund": is_refund, "is_named": False, "id": identifier, "line_id": "1",
        "product_id": "tea", "at": at, "tokens": PERSON, "quantity": 10_000, "cents": 1_000,
        "left_quantity": 10_000, "left_cents": 1_000,
    }  # fmt: skip


def test_a_worker_without_our_package_allocates_a_refund() -> None:
    rows = pa.Table.from_pylist([row("sale", is_refund=False, at=1), row("refund", is_refund=True, at=2)])
    sent = cloudpickle.dumps((refunds._outcome, rows))
    done = subprocess.run([sys.executable, "-c", WORKER], input=sent, capture_output=True, check=True)
    (found,) = json.loads(done.stdout)
    assert (found["refund_id"], found["order_id"], found["amount_cents"]) == ("refund", "sale", 1_000)
