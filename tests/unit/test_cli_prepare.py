"""init, check-source and doctor, without Spark and without a network."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

from jobs import engine, settings, source_settings
from jobs.cli import app as frame
from jobs.cli import checks, prepare, sampling
from jobs.cli.template import template
from jobs.definitions.canonical import ENTITIES
from jobs.errors import EnvironmentFault, RegularsError, UsageError
from jobs.extract.contacts import exact_columns
from jobs.extract.keys import Keys
from jobs.mapping import check_mappings, problems, propose
from jobs.settings import load_settings
from jobs.source_settings import Feed, Source
from jobs.steps import belonging

KEY = "0123456789abcdef0123456789abcdef"
CANARY = "zoe.canary@example.org"


def run(*arguments: str) -> str:
    app = typer.Typer()
    prepare.register(app)
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        result.exception.add_note(result.stdout)
        raise result.exception
    return result.stdout


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with sqlite3.connect(tmp_path / "crm.sqlite") as database:
        columns = "member_id INT, fullName TEXT, mail TEXT, opt_in INT, shoe TEXT, note TEXT"
        database.execute(f"CREATE TABLE members ({columns})")
        database.execute("INSERT INTO members VALUES (41, 'Zoe Canary', ?, 1, '38,5', ?)", (CANARY, CANARY))
    write(tmp_path, '[sources.crm.feeds.members.maps.customers]\nsource_customer_id = "member_id"\n')
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    monkeypatch.setenv("REGULARS_KEY_K1", KEY)
    monkeypatch.setattr(engine, "java_problem", lambda: None)
    return tmp_path


def write(folder: Path, maps: str) -> None:
    text = f"""
warehouse = "{folder}/wh"
[sources.crm]
kind = "sql"
location = "sqlite:///{folder}/crm.sqlite"
[sources.crm.feeds.members]
table = "members"
[sources.crm.feeds.members.columns]
member_id = "BIGINT"
fullName = "STRING"
mail = "STRING"
opt_in = "BIGINT"
shoe = "STRING"
note = "STRING"
"""
    (folder / "regulars.toml").write_text(text + maps, "utf-8")


def models(model: type[BaseModel]) -> list[type[BaseModel]]:
    parts = [f.default for f in model.model_fields.values() if isinstance(f.default, BaseModel)]
    return [model, *(type(part) for part in parts)]


def test_init_writes_what_loads_and_never_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "regulars.toml"
    monkeypatch.setenv("REGULARS_CONFIG", str(path))
    run("init")
    assert {source.kind for source in load_settings().sources.values()} == {"sql", "files", "http"}
    check_mappings(load_settings())
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not overwritten"):
        run("init")
    assert path.read_bytes() == before


def test_the_template_names_every_option_and_every_canonical_column() -> None:
    lines = [line.removeprefix("# ") for line in template().splitlines()]
    for model in (*models(settings.Settings), source_settings.Source, source_settings.Feed):
        for name in model.model_fields:
            assert any(line.startswith((f"{name} = ", f"[{name}]", f"[{name}.")) for line in lines) or any(
                f".{name}." in line for line in lines if line.startswith("[")
            ), f"{model.__name__}.{name}"
    for entity in ENTITIES:
        assert any(line.endswith(f".maps.{entity.name}]") for line in lines), entity.name
        for column in entity.columns:
            assert column.name == "source" or any(line.startswith(f"{column.name} = ") for line in lines)


def test_defaults_in_the_template_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = template().split("# ---- sources")[0].splitlines()
    shown = [line.removeprefix("# ") if " = " in line and "(not set)" not in line else line for line in lines]
    (tmp_path / "regulars.toml").write_text("\n".join(shown), "utf-8")
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    (tmp_path / "empty.toml").write_text("")
    loaded = load_settings()
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "empty.toml"))
    assert loaded == load_settings()


def test_check_source_masks_and_proposes(site: Path) -> None:
    said = run("check-source", "crm")
    assert "Zoe" not in said
    assert "canary" not in said.lower()
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line.strip()}
    assert rows["member_id"][1:] == ["integer", "0%", "99", "customers.source_customer_id"]
    assert rows["mail"][1:] == ["e-mail", "0%", "present"]
    assert rows["note"][3] == "present"
    assert rows["fullName"][3] == "present"
    assert rows["shoe"][3] == "99,9"
    assert 'email = "mail"' in said
    assert 'marketing_consent = "opt_in"' in said
    assert "not mapped: shoe, note" in said
    assert not (site / "wh").exists()


def test_check_source_says_what_is_wrong(site: Path) -> None:
    write(site, '[sources.crm.feeds.members.maps.customers]\nemial = "mail"\nbirth_year = "shoe"\ncity = "town"\n')
    with pytest.raises(UsageError, match=r"not ready: crm\.members") as caught:
        run("check-source", "crm")
    said = "".join(caught.value.__notes__)
    assert "customers has no column emial; did you mean email?" in said
    assert "required and not mapped: source_customer_id" in said
    assert "customers.city = town: the sample has no such column" in said
    assert "shoe looks like text, customers.birth_year is INT" in said


def test_check_source_knows_its_sources(site: Path) -> None:
    with pytest.raises(UsageError, match="known: crm"):
        run("check-source", "pos")
    with pytest.raises(UsageError, match="known: members"):
        run("check-source", "crm", "--feed", "x")


def test_mappings_are_held_to_the_canonical_input() -> None:
    feed = Feed(maps={"orders": {"order_id": "a"}, "costumers": {}})
    assert problems("pos.r", feed) == [
        "pos.r.maps.orders: required and not mapped: store_id, channel, ordered_at",
        "pos.r.maps.costumers: there is no canonical entity costumers; did you mean customers?",
    ]
    expression = Feed(maps={"customers": {"source_customer_id": "id", "email": "lower(mail)"}})
    assert "must name a plain column" in problems("crm.m", expression)[0]


def test_a_constant_that_is_no_allowed_value_is_named() -> None:
    needed = {"order_id": "a", "store_id": "b", "ordered_at": "c"}
    (said,) = problems("pos.r", Feed(maps={"orders": {**needed, "channel": "'laden'"}}))
    assert said.startswith("pos.r.maps.orders.channel: 'laden' is none of store, ")


def test_a_columns_own_name_is_a_column_whatever_it_looks_like() -> None:
    present = ["artikel-nr", "total net", "net", "it`s"]
    mapping = {"product_id": "artikel-nr", "gross": " total net ", "discount": "net - 1", "name": "it`s", "x": "net"}
    assert exact_columns(mapping, present) == {
        "product_id": "`artikel-nr`", "gross": "`total net`", "discount": "net - 1", "name": "`it``s`", "x": "net",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "feed", "unheard"),
    [
        ("files", {"explode": "lines"}, "explode, which a source of kind files of csv"),
        ("http", {"delimiter": ";", "table": "t"}, "delimiter, table, which a source of kind http"),
        ("sql", {"records": "data"}, "records, which a source of kind sql"),
    ],
)
def test_options_that_nobody_would_hear_are_refused(kind: str, feed: dict[str, str], unheard: str) -> None:
    with pytest.raises(ValueError, match=f"feed f has {unheard} does not use"):
        Source(kind=kind, location="x", feeds={"f": Feed(**feed)})


def test_an_unmapped_feed_is_given_its_likeliest_entity() -> None:
    columns = ["receiptNo", "lineNo", "sku", "qty", "gross_amount"]
    assert [(one.entity, one.canonical, one.column) for one in propose(Feed(), columns)] == [
        ("order_lines", "order_id", "receiptNo"), ("order_lines", "line_id", "lineNo"),
        ("order_lines", "product_id", "sku"), ("order_lines", "quantity", "qty"),
        ("order_lines", "gross", "gross_amount"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2"], "integer"), (["1", "2.5"], "decimal"), (["true", "no"], "boolean"), (["2026-01-31"], "date"),
        (["2026-01-31 10:00", "2026-01-31T10:00:01.5Z"], "timestamp"), (["1", "x"], "text"), ([], ""),
        (["+1 (212) 555-0100"], "phone"), (["a@b.cc"], "e-mail"), (['{"a": 1}'], "json"),
    ],
)  # fmt: skip
def test_kinds(values: list[str], kind: str) -> None:
    assert sampling.kind_of(values) == kind


def test_doctor_says_ok_on_a_sound_site(site: Path) -> None:
    said = run("doctor")
    assert "FAILED" not in said
    assert "source crm: sql, feeds members" in said


def test_expressions_that_no_engine_can_compute_are_named(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_ENGINE", "sail")
    sound = 'source_customer_id = "member_id"\ngender = "\'female\'"\nregion = "upper(`fullName`) || \'(\'"\n'
    torn = 'city = "concat(shoe, "\noccupation = "no_such_function(shoe)"\n'
    write(site, "[sources.crm.feeds.members.maps.customers]\n" + sound)
    assert "expressions: 1 can be computed" in run("doctor")
    write(site, "[sources.crm.feeds.members.maps.customers]\n" + sound + torn)
    with pytest.raises(EnvironmentFault, match="1 checks failed") as doctor:
        run("doctor")
    with pytest.raises(UsageError, match=r"not ready: crm\.members") as look:
        run("check-source", "crm")
    for said in ("".join(doctor.value.__notes__), "".join(look.value.__notes__)):
        assert "crm.members.maps.customers.city: 'concat(shoe, ' cannot be computed" in said
        assert "crm.members.maps.customers.occupation: 'no_such_function(shoe)' cannot be computed" in said
        assert "customers.region:" not in said


def test_doctor_names_every_fault_and_its_mend(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULARS_KEY_K1")
    monkeypatch.setattr(engine, "java_problem", lambda: "no Java found")
    monkeypatch.setenv("REGULARS_ENGINE", "local[*]")
    (site / "crm.sqlite").unlink()
    with pytest.raises(EnvironmentFault, match="3 checks failed") as caught:
        run("doctor")
    failed = [line.split(":")[0] for line in caught.value.__notes__[0].splitlines() if line.startswith("FAILED")]
    assert failed == ["FAILED  engine", "FAILED  source crm", "FAILED  keys"]


def without_java(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    for name in ("JAVA_HOME", "REGULARS_ENGINE"):
        monkeypatch.delenv(name, raising=False)


def test_a_machine_without_java_uses_sail_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_java(tmp_path, monkeypatch)
    chosen, said = engine.choose(settings.Settings())
    assert chosen == "sail"
    assert re.fullmatch(r"no Java found; .*: Sail is used instead", said or "")


def test_doctor_says_what_is_used_without_java(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "java_problem", lambda: "no Java found")
    monkeypatch.delenv("REGULARS_ENGINE", raising=False)
    said = run("doctor")
    assert "FAILED" not in said
    assert "engine: sail (no Java found: Sail is used instead)" in said


@pytest.mark.parametrize("wanted", ["local[*]", "local[2]", "sc://spark:15002", "sail"])
def test_what_somebody_chose_is_not_replaced(wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_java(tmp_path, monkeypatch)
    monkeypatch.setenv("REGULARS_ENGINE", wanted)
    assert engine.choose(settings.Settings()) == (wanted, None)


def test_with_java_nothing_is_replaced(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULARS_ENGINE", raising=False)
    assert engine.choose(settings.Settings()) == ("local[*]", None)


def test_doctor_without_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(RegularsError) as caught:
        run("doctor")
    assert caught.value.next_command.startswith("regulars init")


def test_a_city_in_two_spellings_has_no_tier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "regulars.toml"))
    (tmp_path / "regulars.toml").write_text('[city_tiers]\nGraz = "1"\nGRAZ = "2"\nLinz = "1"\n')
    with pytest.raises(UsageError, match=r"city_tiers: .*GRAZ, Graz are one city"):
        load_settings()


def test_an_overwritten_package_is_found(tmp_path: Path) -> None:
    import importlib.metadata

    info = tmp_path / "demo-1.dist-info"
    info.mkdir()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "a.py").write_text("x = 1\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 1\n")
    (info / "RECORD").write_text("demo/a.py,sha256=7-a_Mpn9mDxUnsuxHVbPcS-iXJZj3o0n3kg4G8VI1UE,6\n")
    package = importlib.metadata.PathDistribution(info)
    assert checks.changed_files(package, "demo") == ["demo/a.py"]
    shutil.rmtree(tmp_path / "demo")
    assert checks.changed_files(package, "demo") == ["demo/a.py"]


def test_the_key_must_be_the_warehouses_own(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.storage.warehouse import Warehouse

    held = Keys.from_master("k1", KEY)
    entry = {"field": "email", "hash": held.pseudonym("email", CANARY), "normalised": CANARY}
    monkeypatch.setattr(belonging, "vault_entry", lambda night: entry)
    monkeypatch.setattr(Warehouse, "published", lambda self: [None])
    warehouse = Warehouse(site / "wh")
    assert belonging.check_key("k1", warehouse) == "k1, the one of the warehouse"
    monkeypatch.setenv("REGULARS_KEY_K1", KEY[::-1])
    with pytest.raises(EnvironmentFault, match="is not the value"):
        belonging.check_key("k1", warehouse)
    monkeypatch.setenv("REGULARS_KEY_K2", KEY)
    with pytest.raises(EnvironmentFault, match="are of key k1"):
        belonging.check_key("k2", warehouse)


def test_the_command_ends_with_the_faults_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGULARS_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setattr(sys, "argv", ["regulars", "current"])
    with pytest.raises(SystemExit) as caught:
        frame.main()
    assert caught.value.code == 2
    assert "next: regulars init" in capsys.readouterr().err


# --- a business to try with -------------------------------------------------------------------------


def test_generate_writes_a_chain_and_says_where(tmp_path: Path) -> None:
    out = tmp_path / "chain"
    said = run("generate", "--customers", "30", "--days", "8", "--last-date", "2026-03-31", "--out", str(out))
    assert said == f"{out}\n"
    assert {path.name for path in out.iterdir()} == {"crm.sqlite", "online.sqlite", "pos", "truth"}
    assert not (out / "truth" / "dirt.csv").exists()


def test_generate_with_dirt_tells_the_truth_about_it(tmp_path: Path) -> None:
    run("generate", "--customers", "400", "--days", "120", "--dirt", "0.001", "--out", str(tmp_path))
    assert (tmp_path / "truth" / "dirt.csv").read_text().startswith("kind,source,feed,place,line,key,outcome,rules,")


def test_a_declared_spelling_raises_no_alarm() -> None:
    feed = source_settings.Feed(maps={"orders": {"ordered_at": "zeit"}, "order_lines": {"gross": "preis"}})
    looks = [
        sampling.look("zeit", ["3.6.26"], feed, hidden=False),
        sampling.look("preis", ["1.234,50"], feed, hidden=False),
    ]
    plain = source_settings.Source(kind="files", location="x", feeds={"bons": feed})
    assert [said.split()[0] for said in sampling.unfit(plain, feed, looks)] == ["zeit", "preis"]
    spelled = plain.model_copy(update={"date_formats": ("d.M.yy",), "decimal_mark": ","})
    assert sampling.unfit(spelled, feed, looks) == []
