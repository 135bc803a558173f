"""Secret keys and the pseudonyms made with them; keys never leave this process."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field

from jobs.errors import EnvironmentFault

MIN_KEY_LENGTH = 16
HASH_DIGITS = 32
DOMAINS = (
    "email",
    "phone",
    "loyalty_card",
    "payment_token",
    "name",
    "address",
    "birth_date",
    "person",
)
_UNUSABLE = "!"


@dataclass(frozen=True)
class Keys:
    """One key per domain, derived from a master key, so that equal texts of two domains never match."""

    key_id: str
    subkeys: dict[str, bytes] = field(repr=False)

    @classmethod
    def from_master(cls, key_id: str, master: str) -> Keys:
        """Derive HMAC-SHA256(master, "regulars:" + domain) for every domain."""
        secret = master.encode()
        return cls(key_id, {name: hmac.digest(secret, f"regulars:{name}".encode(), "sha256") for name in DOMAINS})

    @classmethod
    def from_environment(cls, key_id: str) -> Keys:
        """The key whose value is in ``REGULARS_KEY_<KEY_ID>``.

        Raises:
            EnvironmentFault: the variable is missing or too short to be a secret.
        """
        variable = f"REGULARS_KEY_{key_id.upper()}"
        master = os.environ.get(variable, "")
        if len(master) < MIN_KEY_LENGTH:
            what = f"is shorter than {MIN_KEY_LENGTH} characters" if master else "is not set"
            raise EnvironmentFault(
                f"pseudonym key {variable} {what}; contact data is never hashed without a key",
                next_command=f'export {variable}=$(python -c "import secrets; print(secrets.token_hex(32))")'
                ", and keep it: another key makes other pseudonyms",
            )
        return cls.from_master(key_id, master)

    def pseudonym(self, domain: str, value: str) -> str:
        """``<key_id>:`` and 32 hex digits of the keyed hash of a normalised value."""
        return f"{self.key_id}:{self._digits(domain, value)}"

    def unusable(self, domain: str, text: str) -> str:
        """``<key_id>:!`` and the keyed hash of the text as it came: it is there, but no such value."""
        return f"{self.key_id}:{_UNUSABLE}{self._digits(domain, text)}"

    def person(self, source: str, source_customer_id: str) -> str:
        """The hash by which everything held about one person of one source is found."""
        return self.pseudonym("person", f"{source}\x1f{source_customer_id}")

    def _digits(self, domain: str, value: str) -> str:
        data = value.encode("utf-8", "surrogatepass")
        return hmac.digest(self.subkeys[domain], data, "sha256").hex()[:HASH_DIGITS]


def is_unusable(pseudonym: str) -> bool:
    """Whether a hash in raw stands for a text that could not be normalised; such hashes identify nobody."""
    return pseudonym.partition(":")[2].startswith(_UNUSABLE)
