"""A folder of files, local or in an S3-compatible store, and which of its files are ready."""

from __future__ import annotations

import hashlib
import os
import re
import time
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyarrow import fs

from jobs.errors import ContractError, EnvironmentFault, RegularsError, TransientFault
from jobs.extract.chunks import Request, shown
from jobs.settings import expand
from jobs.source_settings import Source

_READ_BYTES = 4 << 20
_REFUSED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY", "SIGNATURE_DOES_NOT_MATCH", "INVALID_CLIENT_TOKEN", "403")


@dataclass(frozen=True)
class Look:
    """How a file looked at one moment."""

    size: int
    modified: int  #: nanoseconds


class Folder:
    """The folder of a source.

    Args:
        source: of kind ``files``; a path, or ``s3://bucket/prefix`` with the usual AWS variables.
    """

    def __init__(self, source: Source) -> None:
        """See the class."""
        self._source = source
        self._location = shown(source.location)
        location = expand(source.location)
        if location.startswith("s3://"):
            self._fs, self._base = _s3(source), location.removeprefix("s3://").rstrip("/")
        else:
            path = location.removeprefix("file://")
            self._fs, self._base = fs.LocalFileSystem(), str(Path(path).expanduser().absolute())

    def looks(self, pattern: str) -> dict[str, Look]:
        """Matching files by their name relative to the folder, in the order of names.

        Raises:
            ContractError: there is no such folder.
            EnvironmentFault: the store refuses the credentials.
            TransientFault: the store does not answer.
        """
        selector = fs.FileSelector(self._base, recursive="/" in pattern)
        try:
            infos = self._fs.get_file_info(selector)
        except FileNotFoundError:
            resolved = f" ({self._base})" if "$" in self._location else ""
            raise ContractError(
                f"no folder at {self._location}{resolved}", next_command="check the location in regulars.toml"
            ) from None
        except OSError as error:
            raise self.fault(error, "listing") from None
        found = {self._relative(info.path): info for info in infos if info.type == fs.FileType.File}
        return {
            name: Look(info.size, info.mtime_ns)
            for name, info in sorted(found.items())
            if fnmatchcase(name, pattern) and not name.rpartition("/")[2].startswith(".")
        }

    def settled(self, pattern: str) -> tuple[dict[str, Look], set[str]]:
        """Two looks ``settle_seconds`` apart: the files as seen last, and the names that changed between."""
        first = self.looks(pattern)
        if not first:
            return {}, set()
        time.sleep(self._source.settle_seconds)
        second = self.looks(pattern)
        return second, {name for name, look in second.items() if first.get(name) != look}

    def look(self, name: str) -> Look | None:
        """How a file looks now, None if it is gone."""
        try:
            info = self._fs.get_file_info(f"{self._base}/{name}")
        except OSError as error:
            raise self.fault(error, name) from None
        return Look(info.size, info.mtime_ns) if info.type == fs.FileType.File else None

    def sha256(self, name: str) -> str:
        """Hash of the file's bytes."""
        digest = hashlib.sha256()
        with self.open(name) as stream:
            for block in _blocks(stream):
                digest.update(block)
        return digest.hexdigest()

    def open(self, name: str) -> Any:
        """The file's bytes, seekable."""
        try:
            return self._fs.open_input_file(f"{self._base}/{name}")
        except OSError as error:
            raise self.fault(error, name) from None

    def fault(self, error: OSError, what: str) -> RegularsError:
        """The fault that an error of the store is; its text is not passed on, it may hold addresses."""
        text = str(error).upper()
        if isinstance(error, PermissionError) or any(word in text for word in _REFUSED):
            return EnvironmentFault(
                f"{self._location}: access refused ({what})",
                next_command="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the file's permissions",
            )
        if "NO_SUCH_BUCKET" in text or isinstance(error, FileNotFoundError):
            return ContractError(f"{self._location}: not found ({what})", next_command="check the location")
        return TransientFault(f"{self._location}: no answer ({what}, {type(error).__name__})")

    def _relative(self, path: str) -> str:
        return path.removeprefix(self._base).lstrip("/")


def _s3(source: Source) -> fs.S3FileSystem:
    options: dict[str, Any] = {"region": source.region or os.environ.get("AWS_REGION") or "us-east-1"}
    if source.endpoint:
        endpoint = urlsplit(source.endpoint if "//" in source.endpoint else f"https://{source.endpoint}")
        options |= {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme}
    if "AWS_ACCESS_KEY_ID" in os.environ:
        options |= {
            "access_key": os.environ["AWS_ACCESS_KEY_ID"],
            "secret_key": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
            "session_token": os.environ.get("AWS_SESSION_TOKEN"),
        }
    retry = fs.AwsStandardS3RetryStrategy(max_attempts=max(1, source.max_attempts))
    return fs.S3FileSystem(**options, retry_strategy=retry, connect_timeout=10, request_timeout=source.timeout_seconds)


def _blocks(stream: Any) -> Iterator[bytes]:
    while block := stream.read(_READ_BYTES):
        yield block


def date_in_name(name: str, request: Request) -> date | None:
    """The business date up to which a file belongs; a month means its last day; None if there is no date."""
    found = re.search(request.feed.date_in_name or "(?!)", name)
    if found is None:
        return None
    digits = re.sub(r"\D", "", found.group(1) if found.groups() else found.group(0))
    try:
        if len(digits) == 6:
            year, month = int(digits[:4]), int(digits[4:])
            return date(year, month, monthrange(year, month)[1])
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if len(digits) == 8 else None
    except ValueError:
        return None
