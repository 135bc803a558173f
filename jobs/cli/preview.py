"""``regulars preview``: what changed rules would do to the customers of the newest night, before any night has them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from jobs.cli import output
from jobs.cli.app import say
from jobs.errors import ContractError, UsageError
from jobs.settings import Settings, load_settings
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("preview")(preview)


def preview(
    file: Annotated[Path, typer.Argument(help="TOML with [segments...] as regulars.toml would have it.")],
) -> None:
    """Who would go where under other rules: sizes, flows, net revenue moved; nothing is written."""
    from jobs import reachable

    settings = _with_rules(file)
    reachable.check(settings)
    night = Warehouse(settings.warehouse).current()
    if night is None:
        raise ContractError(f"nothing is published in {settings.warehouse}", next_command="regulars run --date D")
    night = Night.at(night.path.resolve())
    sizes, flows = _computed(settings, night)
    if not sizes:
        say(f"{file} changes no rule of the night of {night.date}")
        return
    say(f"customers of the night of {night.date} under the rules of {file}; next: put them into regulars.toml")
    output.print_table(("scheme", "segment", "customers now", "by other rules"), sizes, title="sizes")
    print()
    output.print_table(("scheme", "from", "to", "customers", "net revenue in 365 days"), flows, title="who goes where")


def _with_rules(file: Path) -> Settings:
    load_settings()  # says what is wrong with regulars.toml itself
    try:
        said = tomllib.loads(file.read_text("utf-8"))
        if not isinstance(said.get("segments"), dict) or said.keys() != {"segments"}:
            raise UsageError(f"{file} holds something else than [segments...]", next_command=f"edit {file}")
        return Settings(segments=said["segments"])  # what regulars.toml has of its own stays
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", next_command="regulars preview FILE") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}", next_command=f"edit {file}") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{file}: {problems}", next_command=f"edit {file}") from None


def _computed(settings: Settings, night: Night) -> tuple[list[Any], list[Any]]:
    """Sizes before and after of the segments that change, and flows; both as rows to print."""
    from jobs.cli.expressions import session
    from jobs.definitions import published as p
    from jobs.steps import themes
    from jobs.steps.models import Models
    from jobs.steps.segments import changed_schemes
    from jobs.storage.parquet import read
    from jobs.transforms import history, segments

    fits, was = Models.of(night), night.records()["segments"]
    chosen = fits.schemes(settings.schemes, settings.privacy.min_group_size)
    now = {"rules": {scheme.name: scheme.version for scheme in chosen}, "model_version": was["model_version"]}
    changed = changed_schemes(was, now)
    if not changed:
        return [], []
    with session(settings) as spark:
        codes, features, worth = (
            read(spark, night, "published", p.folder(table), table.columns)
            for table in (p.CUSTOMER_SEGMENTS, p.CUSTOMER_FEATURES, p.CUSTOMER_VALUE)
        )
        asked = [scheme for scheme in chosen if scheme.name in changed]
        money = features.select("customer_id", "net_revenue_365d")
        before = codes.join(money, "customer_id", "left")
        ruled = segments.as_ruled(codes, fits.scored(features, themes.kept(spark, night), worth), chosen, changed)
        after = before if ruled is None else ruled.join(money, "customer_id", "left")
        nobody = spark.createDataFrame([], "customer_id STRING, event STRING")
        moved = history.migrations(before, after, ruled, nobody, nobody, asked, changed, str(night.date)).collect()
        sizes = [_sizes(segments.codes_of(rows, asked)) for rows in (before, after)]
    flows = sorted(
        (row["scheme"], row["from_segment"], row["to_segment"], row["customers"], row["net_revenue_365d"])
        for row in moved
    )
    every = sorted(sizes[0].keys() | sizes[1].keys())
    return [(*key, sizes[0].get(key, 0), sizes[1].get(key, 0)) for key in every], flows


def _sizes(rows: DataFrame) -> dict[tuple[str, str], int]:
    counted = rows.groupBy("scheme", "segment").count().collect()
    return {(row["scheme"], row["segment"]): row["count"] for row in counted}
