"""Whether every segment can be given: random customers at and around every threshold, put through the rules.

Part of ``make check`` (``python -m jobs.reachable``): a rule that never holds, or never gets its turn because an
earlier one always holds first, is a mistake in the rules. DuckDB computes them, so no engine is started.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import duckdb

from jobs.definitions.features import FEATURES
from jobs.definitions.published.customers import FORETOLD
from jobs.definitions.rfm import SCORES
from jobs.definitions.segments import SCHEMES, Scheme, schemes
from jobs.definitions.segments.scheme import PRESETS
from jobs.errors import ContractError, UsageError
from jobs.settings import Settings

CUSTOMERS = 100_000
_TYPES = {feature.name: feature.type for feature in FEATURES} | SCORES | FORETOLD
_BOUNDS: dict[str, tuple[float | None, float | None]] = {f.name: (f.minimum, f.maximum) for f in FEATURES}
_BOUNDS |= {"churn_probability_90d": (0, 1)} | {name: (1, 5) for name in SCORES if name.endswith("_score")}
_LITERAL = re.compile(r"'([^']*)'|(?<![\w.])(\d+(?:\.\d+)?)")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_FINEST = 0.000001
_EDIT = "edit [segments] of regulars.toml, then regulars doctor"


def unreached(chosen: Sequence[Scheme]) -> list[str]:
    """``scheme:segment`` of every segment that none of the random customers got."""
    # a scheme sees the columns of those before it, as the pipeline computes them one after the other
    inner = "customer"
    for scheme in chosen:
        cases = " ".join(f"WHEN {one.when} THEN '{one.code}'" for one in scheme.segments)
        inner = f"(SELECT *, CASE {cases} END AS {scheme.column} FROM {inner})"
    counts = ", ".join(
        f"count(*) FILTER (WHERE {scheme.column} = '{one.code}') AS \"{scheme.name}:{one.code}\""
        for scheme in chosen
        for one in scheme.segments
    )
    with duckdb.connect() as database:
        database.execute("CREATE MACRO regexp_like(value, pattern) AS regexp_matches(value, pattern)")
        database.execute(_customers(chosen))
        found = database.execute(f"SELECT {counts} FROM {inner}")
        names = [column[0] for column in found.description or ()]
        return [name for name, count in zip(names, found.fetchall()[0], strict=True) if not count]


def check(settings: Settings) -> str:
    """Every segment can be given by the chain's own rules; says how many there are.

    Raises:
        UsageError: a rule is no condition over what there is, or a segment can never be given.
    """
    try:
        missing = unreached(settings.schemes)
    except duckdb.Error as error:
        said = str(error).partition("\n")[0]
        raise UsageError(f"a rule below [segments] cannot be computed: {said}", next_command=_EDIT) from error
    if missing:
        raise UsageError(f"no customer can get {', '.join(missing)}", next_command=_EDIT)
    return f"{sum(len(rules) for rules in settings.segments.values())} rules of this chain's own"


def _customers(chosen: Sequence[Scheme]) -> str:
    """A statement that makes the random customers, one column per feature or score that a rule names."""
    columns = []
    for name, values in _candidates(chosen).items():
        listed = ", ".join("NULL" if value is None else f"'{value}'" for value in values)
        # of texts, because hash(n, seed) of two seeds differ by the same bits whatever n is, and so by power-of-two
        # counts of values everybody's two columns would go together; of the first customer nothing is known
        place = f"CASE WHEN n > 0 THEN CAST(1 + hash(n || '{name}') % {len(values)} AS INT) END"
        columns.append(f"CAST(([{listed}])[{place}] AS {_TYPES[name]}) AS {name}")
    return f"CREATE TABLE customer AS SELECT {', '.join(columns)} FROM range({CUSTOMERS}) AS t(n)"


def _candidates(chosen: Sequence[Scheme]) -> dict[str, list[str | None]]:
    """Feature or score -> the values that rules compare it with, those next to them, and nothing."""
    found: dict[str, dict[str | None, None]] = {}
    for one in (segment for scheme in chosen for segment in scheme.segments):
        texts, numbers = _literals(one.when)
        for name in (n for n in _NAME.findall(re.sub(r"'[^']*'", "", one.when)) if n in _TYPES):
            values = found.setdefault(name, {None: None})
            values.update(dict.fromkeys(_near(name, texts, numbers)))
    return {name: list(values) for name, values in found.items()}


def _literals(rule: str) -> tuple[list[str], list[float]]:
    matches = _LITERAL.findall(rule)
    texts = [part.strip("%") for text, number in matches if not number for part in text.split("|")]
    return texts, [float(number) for _, number in matches if number]


def _near(name: str, texts: Sequence[str], numbers: Sequence[float]) -> list[str]:
    type_ = _TYPES[name]
    if type_ == "STRING":
        return [*texts, "something else"]
    if type_ == "BOOLEAN":
        return ["true", "false"]
    step = _FINEST if type_ == "DOUBLE" else 1
    near = [value for number in (0, *numbers) for value in (number - step, number, number + step, 4 * number)]
    low, high = _BOUNDS.get(name, (None, None))
    real = [v for v in near if (low is None or v >= low) and (high is None or v <= high)]
    return [f"{value:.6f}" if type_ == "DOUBLE" else f"{value:.0f}" for value in real]


def main() -> None:
    """Fail if a segment of some preset cannot be given.

    Raises:
        SystemExit: naming the segments.
    """
    missing = {preset: unreached(schemes(preset)) for preset in PRESETS}
    said = [f"{preset}: {', '.join(names)}" for preset, names in missing.items() if names]
    if said:
        fault = ContractError(f"no customer gets {'; '.join(said)}", next_command="edit jobs/definitions/segments")
        sys.exit(f"error: {fault.message}\n next: {fault.next_command}")
    print(f"{sum(len(scheme.segments) for scheme in SCHEMES)} segments of {len(SCHEMES)} schemes can be given")


if __name__ == "__main__":
    main()
