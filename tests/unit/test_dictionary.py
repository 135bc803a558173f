"""The data dictionary is whole, readable Markdown, and what is in the repository is fresh."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jobs import dictionary
from jobs.definitions import canonical, features, published, segments


def section(title: str) -> str:
    text = dictionary.dictionary()
    start = text.index(f"\n{title}\n") + 1
    end = min((n for n in (text.find("\n### ", start), text.find("\n## ", start)) if n > 0), default=len(text))
    return text[start:end]


def test_every_table_says_grain_load_and_columns() -> None:
    for table in published.TABLES:
        words = section(f"### {table.name}")
        assert table.description in words
        assert dictionary.LOADS[table.load] in words
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} |" in words
        for reference in table.references:
            assert f"`{reference.column}` names a row of `{reference.table}`" in words


def test_features_schemes_and_inputs_are_there() -> None:
    text = dictionary.dictionary()
    assert all(f"| `{feature.name}` | {feature.over} |" in text for feature in features.FEATURES)
    assert "| null | 0 or more | Web and app sessions in 30 days. Null without a feed of web_sessions. |" in text
    for scheme in segments.SCHEMES:
        assert all(f"| `{one.code}` | {one.label_en} | {one.label_zh} |" in text for one in scheme.segments)
    for entity in canonical.ENTITIES:
        assert f"### Entity {entity.name}\n" in text
    assert "| `loyalty_card` | STRING | contact |" in section("### Entity orders")
    assert "| `ordered_at` | TIMESTAMP | required |" in section("### Entity orders")


def test_every_grid_has_cells_for_its_header() -> None:
    grid: list[str] = []
    for line in [*dictionary.dictionary().splitlines(), ""]:
        if line.startswith("|"):
            grid.append(line)
            continue
        widths = {row.replace("\\|", "").count("|") for row in grid}
        assert len(widths) <= 1, grid[0]
        grid = []


def test_check_fails_on_a_stale_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "docs" / "data-dictionary.md"
    monkeypatch.setattr(dictionary, "PATH", path)
    monkeypatch.setattr(sys, "argv", ["dictionary", "--check"])
    with pytest.raises(SystemExit):
        dictionary.main()
    monkeypatch.setattr(sys, "argv", ["dictionary"])
    dictionary.main()
    monkeypatch.setattr(sys, "argv", ["dictionary", "--check"])
    dictionary.main()
    path.write_text(path.read_text("utf-8") + "x", "utf-8")
    with pytest.raises(SystemExit):
        dictionary.main()
