"""Files as they really come: damaged, growing, delivered twice, in every encoding."""

from __future__ import annotations

import csv
import gzip
import io
import random
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import ContractError, TransientFault
from jobs.extract import csv_blocks
from jobs.extract.feed import FeedState, Landing, Window
from jobs.extract.feeds import extract
from jobs.extract.keys import Keys
from jobs.source_settings import Feed, Source

KEYS = Keys.from_master("k1", "0123456789abcdef")
WINDOW = Window(date(2024, 3, 10), datetime(2024, 3, 11, tzinfo=UTC))


class Result:
    def __init__(self, folder: Path, settle: float = 0.0, seen: dict[str, str] | None = None, **feed: Any) -> None:
        settings = Feed(**feed)
        source = Source(kind="files", location=str(folder), feeds={"f": settings}, settle_seconds=settle)
        extraction = extract("pos", source, "f", settings, FeedState(seen=seen or {}), WINDOW, KEYS, "US")
        parts = list(extraction)
        assert extraction.landing is not None
        self.landing: Landing = extraction.landing
        self.rows = [row for part in parts if part.raw is not None for row in part.raw.to_pylist()]
        self.rejected = [row for part in parts if part.rejected is not None for row in part.rejected.to_pylist()]
        self.vault = [row for part in parts if part.vault is not None for row in part.vault.to_pylist()]
        assert (self.landing.rows, self.landing.rejected) == (len(self.rows), len(self.rejected))

    def column(self, name: str) -> list[str | None]:
        return [row.get(name) for row in self.rows]

    def reasons(self) -> list[tuple[int, str]]:
        return [(row["_row"], row["reason"]) for row in self.rejected]

    def statuses(self) -> dict[str, str]:
        return {str(entry["name"]): str(entry["status"]) for entry in self.landing.files}


def test_plain_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfid,name\r\n1,"x, ""y"""\r\n2,\r\n')
    result = Result(tmp_path, pattern="*.csv")
    assert result.rows == [
        {"id": "1", "name": 'x, "y"', "_file": "a.csv", "_row": 2, "_person_hash": None},
        {"id": "2", "name": None, "_file": "a.csv", "_row": 3, "_person_hash": None},
    ]
    assert result.landing.columns == ["id", "name"]
    assert result.rejected == []


BROKEN = (
    b"id,text,n\n"  # 1
    b"1,a,1\n"
    b"2,b,2,9\n"  # 3 column count
    b'3,"stray,3\n'  # 4 quote
    b"4,d,4\n"
    b"5,n\x00ul,5\n"  # 6 NUL
    b"6,\xff\xfe,6\n"  # 7 encoding
    b'7,"two\nlines",7\n'  # 8, 9 fine
    b"\n"  # 10 blank
    b'8,5" pipe,8\n'  # 11 quote
    b'9,"x"y,9\n'  # 12 quote
    b"10\n"  # 13 column count
    b'11,"ok",11'  # 14 fine, no line break
)


@pytest.mark.parametrize("piece", [64 << 10, 1])
@pytest.mark.parametrize("block", [4 << 20, 64, 40, 24])
def test_broken_lines_are_rejected_and_the_rest_goes_on(
    tmp_path: Path, block: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
    monkeypatch.setattr(csv_blocks, "PIECE_BYTES", piece)
    (tmp_path / "a.csv").write_bytes(BROKEN)
    result = Result(tmp_path)
    assert [(r["id"], r["text"], r["n"], r["_row"]) for r in result.rows] == [
        ("1", "a", "1", 2),
        ("4", "d", "4", 5),
        ("7", "two\nlines", "7", 8),
        ("11", "ok", "11", 14),
    ]
    assert result.reasons() == [
        (3, "unparsable.column_count"),
        (4, "unparsable.quote"),
        (6, "unparsable.nul_byte"),
        (7, "unparsable.encoding"),
        (11, "unparsable.quote"),
        (12, "unparsable.quote"),
        (13, "unparsable.column_count"),
    ]
    assert result.rejected[0]["text"] == "2,b,2,9"


def test_block_size_does_not_change_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(BROKEN + b"\n" + b"".join(b"%d,x%d,\n" % (i, i) for i in range(20, 400)))
    hashes = set()
    for block, piece in ((4 << 20, 64 << 10), (4 << 20, 10), (1000, 100), (33, 7)):
        monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block)
        monkeypatch.setattr(csv_blocks, "PIECE_BYTES", piece)
        hashes.add(Result(tmp_path).landing.content_hash)
    assert len(hashes) == 1


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8", "shift_jis"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("番号|名\n1|東京\n2|大\n".encode(encoding))
    result = Result(tmp_path, encoding=encoding, delimiter="|")
    assert result.column("名") == ["東京", "大"]
    assert result.rejected == []


def test_gbk_text_in_a_utf8_file_is_not_silently_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,name\n1,ok\n" + "2,张三\n".encode("gbk") + b"3,ok\n")
    result = Result(tmp_path)
    assert result.column("id") == ["1", "3"]
    assert result.reasons() == [(3, "unparsable.encoding")]


def test_undecodable_gb18030_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("编号,名\n1,张\n".encode("gb18030") + b"2,\xff\xff\n" + "3,李\n".encode("gb18030"))
    result = Result(tmp_path, encoding="gb18030")
    assert (result.column("名"), result.reasons()) == (["张", "李"], [(3, "unparsable.encoding")])


def test_gzip_whole_and_truncated(tmp_path: Path) -> None:
    data = gzip.compress(b"id,v\n" + b"".join(b"%d,%d\n" % (i, i * 7919) for i in range(50_000)))
    (tmp_path / "a.csv.gz").write_bytes(data)
    assert Result(tmp_path).landing.rows == 50_000
    (tmp_path / "a.csv.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(ContractError, match=r"a\.csv\.gz"):
        Result(tmp_path)


def test_parquet_values_are_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int64()),
            "d": pa.array([Decimal("0.00000001"), Decimal("12.50000000")], pa.decimal128(20, 8)),
            "t": pa.array([datetime(2024, 1, 2, 3, 4, 5, 6), None], pa.timestamp("us")),
            "z": pa.array([datetime(2024, 1, 2, tzinfo=UTC)] * 2, pa.timestamp("ns", "Asia/Shanghai")),
            "b": pa.array([True, False]),
            "y": pa.array([b"x\xff", b""]),
            "n": pa.array([{"a": [1, 2]}, None]),
            "c": pa.array(["k", "k"]).dictionary_encode(),
            "f": pa.array([0.1, 1e300]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    result = Result(tmp_path, format="parquet")
    first = result.rows[0]
    assert (first["i"], first["d"], first["b"], first["y"]) == ("1", "0.00000001", "true", "x\ufffd")
    assert (first["t"], first["z"]) == ("2024-01-02T03:04:05.000006", "2024-01-02T00:00:00.000000Z")
    assert (first["n"], first["c"], float(first["f"])) == ('{"a":[1,2]}', "k", 0.1)
    assert result.column("d")[1] == "12.50000000"
    assert result.column("y")[1] is None


def test_truncated_parquet_names_the_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": list(range(10_000))}), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(ContractError, match=r"a\.parquet"):
        Result(tmp_path, format="parquet")


def test_an_object_whose_columns_are_taken_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": {"b": 1}, "a_b": 2, "c": {"d_e": 3}, "c_d": {"e": 4}}')
    (row,) = Result(tmp_path, format="jsonl").rows
    assert {name: row[name] for name in ("a", "a_b", "c_d_e", "c_d")} == {
        "a": '{"b":1}', "a_b": "2", "c_d_e": "3", "c_d": '{"e":4}',
    }  # fmt: skip


def test_json_lines_with_a_list_are_a_row_per_element(tmp_path: Path) -> None:
    lines = [b'{"no": 1, "at": {"shop": 7}, "items": [{"sku": "a"}, {"sku": "b"}]}', b'{"no": 2, "items": []}']
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    result = Result(tmp_path, format="jsonl", explode="items")
    found = [(row["no"], row["at_shop"], row["items_sku"], row["_row"]) for row in result.rows]
    assert found == [("1", "7", "a", 1), ("1", "7", "b", 1), ("2", None, None, 2)]


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        b'{"id": 1.10, "big": 12345678901234567890123, "ok": true, "in": {"a": [1.0, "x"], "b": {"c": 2}}, "e": ""}',
        b'{"id": ',
        b"[1]",
        b'{"id": "\xff"}',
        b'{"id": "a\\u0000b"}',
        b"",
        b'{"id": "\\ud800", "late": null}',
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    result = Result(tmp_path, format="jsonl")
    assert result.column("id") == ["1.10", "?"]
    assert result.rows[0]["big"] == "12345678901234567890123"
    nested = [result.rows[0][name] for name in ("ok", "in_a", "in_b_c", "e")]
    assert nested == ["true", '[1.0,"x"]', "2", None]
    assert result.reasons() == [
        (2, "unparsable.json"),
        (3, "unparsable.json"),
        (4, "unparsable.encoding"),
        (5, "unparsable.nul_byte"),
    ]
    assert result.rows[1]["_row"] == 7
    assert "late" in result.landing.columns


def test_once_only_by_content(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("id\n1\n")
    (tmp_path / "a.csv").write_text("id\n1\n")
    result = Result(tmp_path)
    assert result.statuses() == {"a.csv": "landed", "b.csv": "seen"}
    sha = str(result.landing.files[0]["sha256"])
    again = Result(tmp_path, seen={sha: "a.csv"})
    assert again.statuses() == {"a.csv": "seen", "b.csv": "seen"}
    assert (again.landing.rows, again.rows) == (0, [])


def test_empty_files_and_new_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("id,old\n")
    (tmp_path / "c.csv").write_text("id,old,new\n1,2,3\n")
    result = Result(tmp_path)
    assert result.statuses() == {"a.csv": "empty", "b.csv": "empty", "c.csv": "landed"}
    assert result.landing.columns == ["id", "old", "new"]


def test_dates_in_names(tmp_path: Path) -> None:
    for day in ("20240309", "2024-03-10", "20240311", "2024-03", "2024-02", "99999999"):
        (tmp_path / f"s_{day}.csv").write_text(f"id\n{day}\n")
    result = Result(tmp_path, date_in_name=r"s_([\d-]+)\.csv")
    landed = {name for name, status in result.statuses().items() if status == "landed"}
    assert landed == {"s_20240309.csv", "s_2024-03-10.csv", "s_2024-02.csv"}
    assert result.statuses()["s_2024-03.csv"] == "later"
    assert result.statuses()["s_99999999.csv"] == "undated"


def test_growing_file_is_left_for_later(tmp_path: Path) -> None:
    (tmp_path / "done.csv").write_text("id\n1\n")
    stop = threading.Event()

    def grow() -> None:
        with (tmp_path / "grows.csv").open("a", buffering=1) as file:
            file.write("id\n")
            while not stop.is_set():
                file.write("1\n")
                time.sleep(0.01)

    writer = threading.Thread(target=grow)
    writer.start()
    time.sleep(0.05)
    try:
        result = Result(tmp_path, settle=0.2)
    finally:
        stop.set()
        writer.join()
    assert result.statuses() == {"done.csv": "landed", "grows.csv": "growing"}
    assert result.column("id") == ["1"]


def test_file_that_changes_under_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id\n1\n")
    feed = Feed()
    source = Source(kind="files", location=str(tmp_path), feeds={"f": feed}, settle_seconds=0)
    batches = iter(extract("pos", source, "f", feed, FeedState(), WINDOW, KEYS, "US"))
    next(batches)
    path.write_text("id\n1\n2\n")
    with pytest.raises(TransientFault, match=r"a\.csv"):
        list(batches)


def test_header_faults(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,ID\n1,2\n")
    with pytest.raises(ContractError, match=r"a\.csv: column ID is there twice"):
        Result(tmp_path)
    for name in ("_row", "_Landed"):
        (tmp_path / "a.csv").write_text(f"id,{name}\n1,2\n")
        with pytest.raises(ContractError, match=f"a.csv: column {name} has a reserved name"):
            Result(tmp_path)
    with pytest.raises(ContractError, match="no folder"):
        Result(tmp_path / "absent")


def test_cards_in_receipts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("no,card\n1,ab-1\n2,AB1\n3,\n")
    result = Result(tmp_path, maps={"orders": {"order_id": "no", "loyalty_card": "card"}})
    expected = KEYS.pseudonym("loyalty_card", "AB1")
    assert result.column("card") == [expected, expected, None]
    assert [(row["value"], row["_person_hash"]) for row in result.vault] == [("ab-1", None), ("AB1", None)]


def test_nothing_shows_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,mail\n1,canary@example.com\n"canary,2\n')
    feed = Feed(maps={"customers": {"source_customer_id": "id", "email": "mail"}})
    source = Source(kind="files", location=str(tmp_path), feeds={"f": feed}, settle_seconds=0)
    extraction = extract("pos", source, "f", feed, FeedState(), WINDOW, KEYS, "US")
    shown = "".join(repr(part) for part in extraction) + repr(extraction.landing)
    assert "Landing(" in shown
    assert "canary" not in shown


TOKENS = [
    b"a",
    b"b,",
    b",",
    b'"',
    b'""',
    b"\n",
    b"\r\n",
    b'"x",',
    b'"y"',
    b" ",
    b"\r",
    b"\0",
    b"\xff",
    b'"q\nw"',
]
WEIGHTS = [10, 10, 10, 2, 1, 6, 1, 4, 2, 1, 0.2, 0.1, 0.1, 1]


def parsed(data: bytes) -> tuple[list[tuple[Any, ...]], list[tuple[int, str, str]]]:
    rows: list[tuple[Any, ...]] = []
    rejects: list[tuple[int, str, str]] = []
    for chunk in csv_blocks.read_csv(io.BytesIO(data), "x.csv", "utf-8", ","):
        assert chunk.columns is not None and chunk.rows is not None
        values = zip(*(column.to_pylist() for column in chunk.columns.columns), strict=True)
        rows += zip(chunk.rows.to_pylist(), ((a or None, b or None) for a, b in values), strict=True)
        rejects += [(reject.row, reject.reason, reject.text) for reject in chunk.rejects]
    return rows, rejects


def test_fast_way_careful_way_and_standard_library_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    files = [b"h1,h2\n" + b"".join(chance.choices(TOKENS, WEIGHTS, k=chance.randrange(1, 40))) for _ in range(400)]
    expected = [parsed(data) for data in files]
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 16)
    monkeypatch.setattr(csv_blocks, "PIECE_BYTES", 3)
    assert [parsed(data) for data in files] == expected
    monkeypatch.setattr(csv_blocks._File, "_fast", lambda *_: None)
    assert [parsed(data) for data in files] == expected
    for data, (rows, rejects) in zip(files, expected, strict=True):
        if rejects or b"\r" in data:
            continue
        reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        assert [(a or None, b or None) for a, b in list(filter(None, reader))[1:]] == [row for _, row in rows]
