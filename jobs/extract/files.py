"""Files of a folder: each taken once, by content, when it is complete and its date has come."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import IO, Any, cast

from jobs.errors import TransientFault
from jobs.extract.chunks import Chunk, Outcome, Request
from jobs.extract.csv_blocks import read_csv
from jobs.extract.folder import Folder, Look, date_in_name
from jobs.extract.tabular import damaged, read_jsonl, read_parquet


def read(request: Request, outcome: Outcome) -> Iterator[Chunk]:
    """Rows of the files that are new.

    ``outcome.files`` lists every matching file with its status: ``landed`` (with sha256, rows, rejected),
    ``empty`` (no row and nothing rejected), ``seen`` (an earlier night, or another file of this night,
    had the same bytes), ``growing`` (changed while it was looked at), ``later`` (its date is after the
    business date), ``undated`` (``date_in_name`` finds no date). Only ``landed`` ones belong into the
    feed's ``seen``.

    Raises:
        ContractError: no such folder, or a damaged file.
        TransientFault: a file changed while its rows were on their way.
    """
    folder = Folder(request.source)
    looks, changed = folder.settled(request.feed.pattern)
    taken = dict(request.state.seen)
    for name, look in looks.items():
        status = _waiting(name, request) or ("growing" if name in changed else None)
        sha = "" if status else folder.sha256(name)
        if not status and folder.look(name) != look:
            status = "growing"
        if not status and sha in taken:
            outcome.files.append({"name": name, "sha256": sha, "status": "seen", "as": taken[sha]})
        elif status:
            outcome.files.append({"name": name, "status": status})
        else:
            entry = yield from _take(folder, name, sha, look, request)
            outcome.files.append(entry)
            if entry["status"] == "landed":
                taken[sha] = name
    landed = sum(entry["status"] == "landed" for entry in outcome.files)
    outcome.source_version = f"{landed} of {len(outcome.files)} files"


def _waiting(name: str, request: Request) -> str | None:
    if request.feed.date_in_name is None:
        return None
    day = date_in_name(name, request)
    if day is None:
        return "undated"
    return "later" if day > request.window.business_date else None


def _take(
    folder: Folder, name: str, sha: str, look: Look, request: Request
) -> Generator[Chunk, None, dict[str, object]]:
    """Yield a file's chunks and return its entry; a generator, delegated to."""
    rows = rejected = 0
    if look.size:
        with closing(folder.open(name)) as stream:
            for chunk in _parse(stream, name, request):
                rows += 0 if chunk.columns is None else chunk.columns.num_rows
                rejected += len(chunk.rejects)
                yield chunk
    if folder.look(name) != look:
        raise TransientFault(
            f"{request.label}: {name} changed while it was read; the feed has to be read again",
            next_command="run the night again once the file is complete",
        )
    status = "landed" if rows or rejected else "empty"
    return {"name": name, "sha256": sha, "rows": rows, "rejected": rejected, "status": status}


def _parse(stream: Any, name: str, request: Request) -> Iterator[Chunk]:
    feed = request.feed
    if feed.format == "parquet":
        yield from read_parquet(stream, name)
        return
    is_gzip = name.endswith(".gz")
    plain = gzip.GzipFile(fileobj=stream) if is_gzip else io.BufferedReader(stream)
    try:
        if feed.format == "jsonl":
            yield from read_jsonl(cast(IO[bytes], plain), name, feed.encoding, feed.explode)
        else:
            yield from read_csv(cast(IO[bytes], plain), name, feed.encoding, feed.delimiter)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(name, "gzip", type(error).__name__) from None
    except OSError as error:
        raise TransientFault(f"{request.label}: {name} could not be read to its end ({type(error).__name__})") from None
