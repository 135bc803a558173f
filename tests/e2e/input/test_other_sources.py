"""The same night over PostgreSQL as CRM and over an S3-compatible store for files: the same tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import boto3
import pyarrow as pa
import pytest

from tests.e2e.conftest import NIGHTS, RESTAURANT, Chain, differing

DAY = NIGHTS[0]
SQLITE = 'kind = "sql"\nlocation = "sqlite:///${REGULARS_SAMPLE}/crm.sqlite"'
FILES = 'kind = "files"\nlocation = "${REGULARS_SAMPLE}/pos"'
SCHEMA = "nightly_crm"
TABLES = (
    "members", "campaigns", "campaign_members", "coupons", "redemptions", "products", "stores", "feedback",
    "web_sessions", "social_events", "survey_answers", "customer_attributes",
)  # fmt: skip


def configured(root: Path, old: str, new: str) -> Path:
    """The restaurant's settings with one source elsewhere."""
    text = RESTAURANT.read_text("utf-8")
    assert text.count(old) == 1
    path = root / "regulars.toml"
    path.write_text(text.replace(old, new), "utf-8")
    return path


def copy_to_postgres(database: Path, uri: str) -> None:
    """All tables of a SQLite database, with the types that they declare; dates of change as what they are."""
    types = {"INTEGER": ("bigint", pa.int64()), "TEXT": ("text", pa.string())}
    changed = ("timestamptz", pa.timestamp("us", "UTC"))
    with closing(sqlite3.connect(database)) as source, adbc.connect(uri) as target, target.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            declared = {row[1]: row[2].split()[0] for row in source.execute(f"PRAGMA table_info({table})")}
            columns = {name: changed if name == "updated_at" else types[kind] for name, kind in declared.items()}
            names = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
            cursor.execute(f"CREATE TABLE {SCHEMA}.{table} ({names})")
            rows = source.execute(f"SELECT * FROM {table}").fetchall()
            values = zip(*rows, strict=True)
            arrays = {
                name: pa.array(map(datetime.fromisoformat, column) if name == "updated_at" else column, kind)
                for (name, (_, kind)), column in zip(columns.items(), values, strict=True)
            }
            cursor.adbc_ingest(table, pa.table(arrays), mode="append", db_schema_name=SCHEMA)
        target.commit()


def test_crm_in_postgresql(plain: Chain, copy_of: Callable[[str], Chain], postgres_uri: str) -> None:
    chain = copy_of("postgres")
    copy_to_postgres(chain.sample / "crm.sqlite", postgres_uri)
    (chain.sample / "crm.sqlite").unlink()
    config = configured(chain.root, SQLITE, 'kind = "sql"\nlocation = "${CRM_DATABASE}"')
    text = config.read_text("utf-8")
    for table in TABLES:
        assert text.count(f'table = "{table}"') == 1
        text = text.replace(f'table = "{table}"', f'table = "{SCHEMA}.{table}"')
    config.write_text(text, "utf-8")
    chain = replace(chain, config=config, more={"CRM_DATABASE": postgres_uri})
    chain.run(DAY)
    assert "snapshot" in chain.night(DAY).manifest()["steps"]["extract.crm"]["crm.members"]["source_version"]
    assert not differing(plain.published(DAY), chain.published(DAY))


def test_files_in_an_object_store(plain: Chain, copy_of: Callable[[str], Chain], s3_endpoint: str) -> None:
    chain = copy_of("s3")
    client = boto3.client(
        "s3", endpoint_url=s3_endpoint, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    client.create_bucket(Bucket="tills")
    for path in sorted((chain.sample / "pos").iterdir()):
        client.upload_file(str(path), "tills", f"in/{path.name}")
        path.unlink()
    store = f'kind = "files"\nlocation = "s3://tills/in"\nendpoint = "{s3_endpoint}"\nregion = "us-east-1"'
    config = configured(chain.root, FILES, store)
    chain = replace(chain, config=config, more={"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"})
    chain.run(DAY)
    assert not differing(plain.published(DAY), chain.published(DAY))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
