"""A person decides: what a circuit breaker asks is put on Airflow's page and told like a failure is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.definitions.context import Context
from airflow.sdk.exceptions import AirflowFailException
from failure_notifier import FailureNotifier
from regulars_command import Launcher, executable

#: no answer by then is a no; the engine of a waiting night stops after ``engine_options.idle_minutes``
WAIT = timedelta(minutes=float(os.environ.get("REGULARS_APPROVAL_MINUTES", "50")))


class AskPerson(Launcher, ApprovalOperator):
    """Waits for a yes where the gate asks for one, and keeps it with ``regulars approve``; else passes at once.

    Args:
        questions_of: the task whose result may hold ``asked``, a list of sentences.
        begun_by: the task whose result holds ``date``, the business date.
    """

    ui_color = "#f5e8c7"

    def __init__(self, *, questions_of: str, begun_by: str, **kwargs: Any) -> None:
        """Declare the task; the questions are looked up when it runs."""
        super().__init__(
            subject="May tonight be published all the same?",
            response_timeout=WAIT,
            notifiers=[FailureNotifier()],
            **kwargs,
        )
        self.questions_of = questions_of
        self.begun_by = begun_by

    def execute(self, context: Context) -> Any:
        """Ask, or pass on at once where there is nothing to ask."""
        result = context["ti"].xcom_pull(task_ids=self.questions_of) or {}
        asked: Sequence[str] = result.get("asked", [])
        if not asked:
            return None
        self.body = "\n".join(f"- {question}" for question in asked)
        if result.get("report"):
            self.body += f"\n\nThe night so far, as a page: {result['report']}"
        context["exception"] = f"question: {'; '.join(asked)}\n next: {self._how(context)}"
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep a yes with its giver; anything else leaves yesterday's tables standing."""
        try:
            answer = super(ApprovalOperator, self).execute_complete(context, event)
        except HITLTimeoutError:
            raise AirflowFailException(f"error: nobody has answered\n next: {self._how(context)}") from None
        by = str((answer["responded_by_user"] or {}).get("name") or "somebody on Airflow's page")
        if answer["chosen_options"] != [self.APPROVE]:
            raise AirflowFailException(f"error: {by} said no; yesterday's tables stand\n next: mend the source")
        command = [executable(), "approve", "--date", self._date(context), "--by", by, "--reason", "Airflow"]
        return self.launch(command)

    def _date(self, context: Context) -> str:
        return str(context["ti"].xcom_pull(task_ids=self.begun_by)["date"])

    def _how(self, context: Context) -> str:
        day = self._date(context)
        return f"answer it under Required Actions, or regulars approve --date {day} and trigger the date again"
