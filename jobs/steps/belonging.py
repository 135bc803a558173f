"""Whether a warehouse is this chain's: its pseudonyms are of the same key, its money is the same, its sources are ours.

Asked before a night begins, because rows of two chains or of two keys in one warehouse can never be told apart again.
"""

from __future__ import annotations

import pyarrow.parquet as pq

from jobs.errors import EnvironmentFault, UsageError
from jobs.extract.keys import Keys
from jobs.settings import Settings
from jobs.storage.night import Night
from jobs.storage.warehouse import Warehouse

SEPARATE = "set warehouse in regulars.toml (or REGULARS_WAREHOUSE) to a folder of this chain's own"


def check(settings: Settings, warehouse: Warehouse) -> None:
    """Hold a warehouse to the settings; an empty one is anybody's.

    Raises:
        EnvironmentFault: the pseudonym key is missing, or is not the warehouse's.
        UsageError: the warehouse holds another chain.
    """
    check_key(settings.privacy.key_id, warehouse)
    check_chain(settings, warehouse)


def check_key(key_id: str, warehouse: Warehouse) -> str:
    """The key of the settings is there and is the one that the newest night was made with; says so.

    Raises:
        EnvironmentFault: the key is missing, or is another.
    """
    held = Keys.from_environment(key_id)
    nights = warehouse.published()
    entry = vault_entry(nights[-1]) if nights else None
    if entry is None:
        return f"{key_id}; the warehouse holds no pseudonym yet"
    used = entry["hash"].partition(":")[0]
    if used != key_id:
        raise EnvironmentFault(
            f"the pseudonyms of {warehouse.root} are of key {used}, the settings name {key_id}",
            next_command=f'set privacy.key_id = "{used}", or {SEPARATE}',
        )
    if held.pseudonym(entry["field"], entry["normalised"]) != entry["hash"]:
        variable = f"REGULARS_KEY_{key_id.upper()}"
        raise EnvironmentFault(
            f"{variable} is not the value that the pseudonyms of {warehouse.root} were made with",
            next_command=f"export the former {variable}, or {SEPARATE}",
        )
    return f"{key_id}, the one of the warehouse"


def vault_entry(night: Night) -> dict[str, str] | None:
    """Some contact value that has a normal form, with its hash; stays in this process."""
    for table in night.tables("vault"):
        for part in reversed(night.parts("vault", table)):
            for batch in pq.ParquetFile(part).iter_batches(100, columns=["field", "hash", "normalised"]):
                for row in batch.to_pylist():
                    if row["normalised"]:
                        return dict(row)
    return None


def check_chain(settings: Settings, warehouse: Warehouse) -> str:
    """The newest night is in the settings' currency and from one of their sources at least; says so.

    Raises:
        UsageError: it is another chain's.
    """
    nights = warehouse.published()
    if nights:
        _compare(settings, nights[-1])
    return f"{settings.currency}, sources {', '.join(sorted(settings.sources))}"


def _compare(settings: Settings, night: Night) -> None:
    begun = night.manifest()["steps"]["begin"]
    currency = begun.get("currency", settings.currency)
    if currency != settings.currency:
        raise UsageError(
            f"the nights of {night.path.parent} are in {currency}, the settings say {settings.currency}",
            next_command=SEPARATE,
        )
    before = {feed.partition(".")[0] for feed in night.tables("raw")}
    if before and not before & settings.sources.keys():
        raise UsageError(
            f"the nights of {night.path.parent} are of sources {', '.join(sorted(before))}, and the settings name "
            f"none of them but {', '.join(sorted(settings.sources))}",
            next_command=SEPARATE,
        )
