"""Tells people of a failed night: by webhook (``REGULARS_ALERT_WEBHOOK``) or e-mail (``REGULARS_ALERT_SMTP``) or both.

The message names the DAG, the task, the business date, what failed (the rule, the file) and the next command, as
``regulars`` printed them. It holds no row of anybody's data.
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import urllib.request
from email.message import EmailMessage
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.context import Context

WEBHOOK_VARIABLE = "REGULARS_ALERT_WEBHOOK"
SMTP_VARIABLE = "REGULARS_ALERT_SMTP"
TIMEOUT_SECONDS = 10


class FailureNotifier(BaseNotifier):
    """Sends one message per task that failed for good.

    ``REGULARS_ALERT_WEBHOOK`` is an ``https`` or ``http`` address that takes JSON, ``REGULARS_ALERT_SMTP`` is
    ``smtp://[user:password@]host:port/?to=a@example.com&from=b@example.com`` (``smtps`` for TLS from the start).
    With neither set, the message is only logged.
    """

    def notify(self, context: Context) -> None:
        """Send what is known about the failure to everybody who wants it; one deaf receiver does not stop the other."""
        alert = describe(context)
        self.log.error("%s", as_text(alert))
        senders = ((WEBHOOK_VARIABLE, send_webhook), (SMTP_VARIABLE, send_mail))
        for variable, send in senders:
            if address := os.environ.get(variable):
                self._try(variable, send, address, alert)

    def _try(self, variable: str, send: Any, address: str, alert: dict[str, str]) -> None:
        try:
            send(address, alert)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            self.log.error("%s: alert not sent: %s", variable, type(error).__name__)


def describe(context: Context) -> dict[str, str]:
    """DAG, task, run, business date, error and next command of a failed task."""
    ti = context["ti"]
    text = str(context.get("exception") or "error: the task ended without a message\n next: read the task's log")
    error, _, following = text.partition("\n next:")
    source = context.get("source")
    return {
        "dag": str(ti.dag_id),
        "task": f"{ti.task_id} {source}" if source else str(ti.task_id),
        "run": str(ti.run_id),
        "business_date": business_date(context),
        "error": error.removeprefix("error:").strip(),
        "next": following.strip().split("\n")[0] or "read the task's log",
    }


def business_date(context: Context) -> str:
    """The night's date as ``begin`` opened it, else as it was asked for."""
    begun: Any = None
    with contextlib.suppress(Exception):
        begun = context["ti"].xcom_pull(task_ids="begin")
    if isinstance(begun, dict) and begun.get("date"):
        return str(begun["date"])
    return str((context.get("params") or {}).get("business_date") or "not known")


def as_text(alert: dict[str, str]) -> str:
    """The message for people."""
    return (
        f"{alert['dag']}: {alert['task']} failed for business date {alert['business_date']}\n"
        f"error: {alert['error']}\nnext: {alert['next']}\nrun: {alert['run']}"
    )


def send_webhook(address: str, alert: dict[str, str]) -> None:
    """POST the alert as JSON; ``text`` is the whole message, as chat tools want it.

    Raises:
        ValueError: the address is not one of the web.
        OSError: the receiver did not take it.
    """
    if urlsplit(address).scheme not in ("http", "https"):
        raise ValueError(f"{WEBHOOK_VARIABLE} wants an http or https address")
    body = json.dumps({"text": as_text(alert), **alert}).encode()
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310  # the scheme is checked above
        pass


def send_mail(address: str, alert: dict[str, str]) -> None:
    """Send the alert as an e-mail.

    Raises:
        ValueError: the address names no host or no receiver.
        OSError: the server did not take it.
    """
    url = urlsplit(address)
    options = {name: values[-1] for name, values in parse_qs(url.query).items()}
    if url.scheme not in ("smtp", "smtps") or not url.hostname or "to" not in options:
        raise ValueError(f"{SMTP_VARIABLE} wants smtp://host:port/?to=...&from=...")
    message = EmailMessage()
    message["Subject"] = f"[regulars] {alert['task']} failed for {alert['business_date']}"
    message["From"] = options.get("from", "regulars@localhost")
    message["To"] = options["to"]
    message.set_content(as_text(alert))
    _deliver(url, message)


def _deliver(url: SplitResult, message: EmailMessage) -> None:
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with kind(url.hostname or "", url.port or 0, timeout=TIMEOUT_SECONDS) as server:
        if url.username:
            if url.scheme == "smtp":
                server.starttls()
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
