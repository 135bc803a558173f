"""Files in a real S3-compatible store."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import ContractError, RegularsError, TransientFault
from jobs.extract.feed import Extraction, FeedState, Window
from jobs.extract.feeds import extract
from jobs.extract.keys import Keys
from jobs.source_settings import Feed, Source

KEYS = Keys.from_master("k1", "0123456789abcdef")
WINDOW = Window(date(2024, 3, 10), datetime(2024, 3, 11, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "canary-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")


@pytest.fixture
def bucket(s3_endpoint: str) -> Any:
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="drops")
    yield client
    for entry in client.list_objects_v2(Bucket="drops").get("Contents", []):
        client.delete_object(Bucket="drops", Key=entry["Key"])
    client.delete_bucket(Bucket="drops")


def start(endpoint: str, location: str = "s3://drops/in", **feed: Any) -> Extraction:
    settings = Feed(**feed)
    source = Source(
        kind="files",
        location=location,
        endpoint=endpoint,
        region="us-east-1",
        feeds={"f": settings},
        settle_seconds=0,
        max_attempts=1,
    )
    return extract("drop", source, "f", settings, FeedState(), WINDOW, KEYS, "US")


def test_csv_gzip_and_parquet(bucket: Any, s3_endpoint: str) -> None:
    bucket.put_object(Bucket="drops", Key="in/a.csv", Body=b"id,v\n1,x\n")
    bucket.put_object(Bucket="drops", Key="in/b.csv.gz", Body=gzip.compress(b"id,v\n2,y\n"))
    bucket.put_object(Bucket="drops", Key="in/c.csv", Body=b"id,v\n1,x\n")
    bucket.put_object(Bucket="drops", Key="in/deeper/d.csv", Body=b"id,v\n9,x\n")
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": [3]}), sink)
    bucket.put_object(Bucket="drops", Key="in/p.parquet", Body=sink.getvalue().to_pybytes())
    extraction = start(s3_endpoint, pattern="*.csv*")
    rows = [row for part in extraction if part.raw is not None for row in part.raw.to_pylist()]
    assert [(row["id"], row["_file"], row["_row"]) for row in rows] == [
        ("1", "a.csv", 2),
        ("2", "b.csv.gz", 2),
    ]
    assert extraction.landing is not None
    assert [entry["status"] for entry in extraction.landing.files] == ["landed", "landed", "seen"]
    parquet = [part.raw for part in start(s3_endpoint, pattern="*.parquet", format="parquet") if part.raw]
    assert parquet[0].column("id").to_pylist() == ["3"]


def test_truncated_and_missing(bucket: Any, s3_endpoint: str) -> None:
    bucket.put_object(Bucket="drops", Key="in/a.parquet", Body=b"PAR1 and no more")
    with pytest.raises(ContractError, match=r"a\.parquet"):
        list(start(s3_endpoint, format="parquet"))
    with pytest.raises(RegularsError, match="s3://nowhere/in") as caught:
        list(start(s3_endpoint, "s3://nowhere/in"))
    assert "canary" not in str(caught.value)


def test_no_store_is_transient(s3_endpoint: str) -> None:
    with pytest.raises(TransientFault, match="s3://drops/in"):
        list(start("http://127.0.0.1:1"))
