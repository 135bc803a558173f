"""Pages of an HTTP endpoint, each asked for until it comes or patience ends."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from jobs.errors import ContractError, EnvironmentFault, TransientFault, UsageError
from jobs.extract.chunks import Request
from jobs.extract.records import PathMissing, at_path
from jobs.extract.text import compact, parse_json
from jobs.settings import expand

#: seconds before the second attempt where the server states none; doubles, up to the longest
BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0
#: a server that asks for more than this is taken at its word: not now
LONGEST_RETRY_AFTER_SECONDS = 600.0
#: an endpoint that gives the same full page this often in a row does not know its page parameter
SAME_PAGES = 3


@dataclass(frozen=True)
class Page:
    """One parsed answer."""

    body: Any = field(repr=False)
    link: str | None = field(repr=False)  #: the address of the RFC 8288 ``next`` link


class _TryAgain(TransientFault):
    """An answer that may be better next time."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message, next_command="run the night again later")
        self.seconds = seconds


class Pages:
    """The pages of a feed's endpoint, in order.

    The consumer calls :meth:`received` with each page's records, which is how the end of numbered pages
    and circles are noticed.

    Args:
        request: the feed.
        parameters: query parameters of the first request.
    """

    def __init__(self, request: Request, parameters: dict[str, str]) -> None:
        """See the class."""
        self._request = request
        self._feed = request.feed
        self._endpoint = f"{request.label}: {self._feed.path or '/'}"
        self._parameters = parameters
        self._client = httpx.Client(
            headers={"Accept": "application/json", **_token(request)},
            timeout=request.source.timeout_seconds,
            follow_redirects=True,
        )
        base = expand(request.source.location).rstrip("/")
        self._url = httpx.URL(f"{base}/{(self._feed.path or '').lstrip('/')}" if self._feed.path else base)
        self._known: set[str] = set()
        self._last_page = ""
        self._same = 0
        self._empty = False
        self.version = ""

    def __enter__(self) -> Pages:
        """Nothing is opened before the first page."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    def __iter__(self) -> Iterator[Page]:
        """The pages, in the order in which the server gives them."""
        url: httpx.URL | None = self._url.copy_merge_params(self._parameters)
        number = 1
        if self._feed.pagination == "page":
            url = self._numbered(number)
        while url is not None:
            page = self._get(url)
            yield page
            number += 1
            url = self._next(page, url, number)

    def received(self, records: list[dict[str, Any]]) -> None:
        """Take note of a page's records.

        Raises:
            ContractError: numbered pages do not differ.
        """
        self._empty = not records
        if self._feed.pagination != "page":
            return
        mark = hashlib.sha256(compact(records).encode("utf-8", "replace")).hexdigest()
        self._same = self._same + 1 if mark == self._last_page else 1
        self._last_page = mark
        if records and self._same >= SAME_PAGES:
            raise self._circle()

    def _next(self, page: Page, current: httpx.URL, number: int) -> httpx.URL | None:
        if self._feed.pagination == "page":
            return None if self._empty else self._numbered(number)
        if self._feed.pagination == "none":
            return None
        mark = self._mark(page)
        if mark is None:
            return None
        if mark in self._known:
            raise self._circle()
        self._known.add(mark)
        if self._feed.pagination == "cursor":
            return self._url.copy_merge_params({**self._parameters, self._feed.page_parameter: mark})
        return self._linked(current, mark)

    def _mark(self, page: Page) -> str | None:
        """The next cursor or address that a page names."""
        try:
            value = at_path(page.body, self._feed.next_page)
        except PathMissing:
            value = None
        if value in (None, "", False):
            return page.link if self._feed.pagination == "link" else None
        return str(value)

    def _numbered(self, number: int) -> httpx.URL:
        return self._url.copy_merge_params({**self._parameters, self._feed.page_parameter: str(number)})

    def _linked(self, current: httpx.URL, address: str) -> httpx.URL:
        url = current.join(address)
        if (url.scheme, url.host, url.port) != (self._url.scheme, self._url.host, self._url.port):
            raise ContractError(
                f"{self._endpoint}: the next page is on another server, which must not get the token",
                next_command="check the source's location in regulars.toml",
            )
        return url

    def _circle(self) -> ContractError:
        return ContractError(
            f"{self._endpoint}: pages go in a circle (pagination {self._feed.pagination})",
            next_command="check pagination, page_parameter and next_page in regulars.toml",
        )

    def _get(self, url: httpx.URL) -> Page:
        attempts = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_after_attempt(max(1, self._request.source.max_attempts)),
            wait=_wait,
            reraise=True,
        )
        page: Page = attempts(self._attempt, url)
        return page

    def _attempt(self, url: httpx.URL) -> Page:
        try:
            response = self._client.get(url)
        except (httpx.TransportError, httpx.TooManyRedirects) as error:
            raise _TryAgain(f"{self._endpoint}: no answer ({type(error).__name__})", None) from None
        self._check(response)
        self.version = self.version or response.headers.get("server", "http")
        try:
            body = parse_json(response.content)
        except (ValueError, RecursionError):
            raise ContractError(
                f"{self._endpoint}: the answer is not JSON", next_command="check path in regulars.toml"
            ) from None
        return Page(body, response.links.get("next", {}).get("url"))

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (401, 403):
            raise EnvironmentFault(
                f"{self._endpoint}: the token is refused (HTTP {status})",
                next_command=f"export {self._request.source.token_variable or 'the token'} anew",
            )
        if status in (408, 425, 429) or status >= 500:
            seconds = _retry_after(response.headers.get("retry-after"))
            if seconds is not None and seconds > LONGEST_RETRY_AFTER_SECONDS:
                raise TransientFault(f"{self._endpoint}: asked to come back in {seconds:.0f} s (HTTP {status})")
            raise _TryAgain(f"{self._endpoint}: no good answer in all attempts (HTTP {status})", seconds)
        if status >= 300:
            raise ContractError(
                f"{self._endpoint}: HTTP {status}",
                next_command="check location, path and parameters in regulars.toml",
            )


def _token(request: Request) -> dict[str, str]:
    variable = request.source.token_variable
    if variable is None:
        return {}
    if not os.environ.get(variable):
        raise UsageError(
            f"{request.label}: environment variable {variable} is not set",
            next_command=f"export {variable}=...",
        )
    return {"Authorization": f"Bearer {os.environ[variable]}"}


def _retry_after(text: str | None) -> float | None:
    """Seconds to wait: a number, or an HTTP date."""
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(moment.tzinfo or UTC)).total_seconds())


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _TryAgain) and error.seconds is not None:
        return error.seconds
    longest: float = min(LONGEST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2.0 ** (state.attempt_number - 1))
    # spread, so that many stores do not come back at once
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
