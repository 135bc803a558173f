"""The reviewed file of who is who: what is in it counts, and a line that decides nothing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.errors import UsageError
from jobs.steps import decisions

HEADER = "decision,source_a,id_a,source_b,id_b,decided_by,decided_on\n"
GOOD = "link,crm,1,crm,2,j.doe,2026-06-12\n"


def _file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "decisions.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_what_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, f'{HEADER}\n{GOOD}never_link , crm,"3",online,"A,4", "j.doe" ,2026-06-13\n', "utf-8-sig")
    one, other = decisions.read(path)
    assert list(one.values()) == ["link", "crm", "1", "crm", "2", "j.doe", "2026-06-12"]
    assert (other["decision"], other["id_b"], other["decided_by"]) == ("never_link", "A,4", '"j.doe"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER.replace(",decided_by", ""), "lacks the column decided_by"),
        (f"{HEADER}{GOOD}\n\nmaybe,crm,1,crm,2,j.doe,2026-06-12\n", "line 5: decision is none of link, never_link"),
        (f"{HEADER}\nlink,crm,1,crm,,j.doe,2026-06-12\n", "line 3: nothing in id_b"),
        (f"{HEADER}link,crm,1,crm,2\n", "line 2: nothing in decided_by, decided_on"),
        (f"{HEADER}link,crm,1,crm,2,j.doe,2026-06-12,and,more\n", "line 2: more values than columns"),
        (f"{HEADER}link,crm,1,crm,2,j.doe,last week\n", "line 2: decided_on is no date"),
        (f"{HEADER}link,crm,1,crm, 1,j.doe,2026-06-12\n", "line 2: a record is one person's with itself"),
        (f"{HEADER}{GOOD}\nnever_link,crm,2,crm,1,j.doe,2026-06-13\n", "line 4 decides the opposite of line 2"),
        (f'{HEADER}{GOOD}link,crm,"1,crm,2,j.doe,2026-06-12\n{GOOD}', "is no CSV in UTF-8 behind line 2"),
    ],
)
def test_a_line_that_decides_nothing_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(UsageError) as told:
        decisions.read(path)
    assert told.value.message.startswith(str(path))
    assert said in told.value.message
    assert told.value.next_command == f"edit {path}: {', '.join(decisions.COLUMNS)}"


def test_another_encoding_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no CSV in UTF-8"):
        decisions.read(_file(tmp_path, f"{HEADER}link,crm,ü,crm,2,j.doe,2026-06-12\n", "latin-1"))
    with pytest.raises(UsageError, match="no file of decisions"):
        decisions.read(tmp_path / "absent.csv")
