"""The quality page, drawn from literal records and read back as a browser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from expectations import words
from expectations.report import Stopped, render
from expectations.trends import HEIGHT, LOWEST, WIDTH, Nights, Told, share_failed
from tests.quality import HOSTILE, account, hostile_night, landing, night, verdict

LOADS = {"script", "img", "iframe", "object", "embed", "audio", "video", "form", "base", "source", "use", "image"}
VOID = {"meta", "link"}
STOPPED = Stopped("gate_raw", "gate_raw blocks the night", "regulars quarantine show")


class Read(HTMLParser):
    """Elements with their attributes, and every text of the body with the ids of the sections it is in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.below: dict[str, list[str]] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(tag in ("style", "svg", "head") for tag, _ in self._open):
            self.texts.append(data)
            for place in filter(None, (place for _, place in self._open)):
                self.below.setdefault(place, []).append(data)

    def said(self, place: str | None = None) -> str:
        return re.sub(r"\s+", " ", " ".join(self.below[place] if place else self.texts))


def drawn(tonight: Told, *earlier: Told, stopped: Stopped | None = None) -> Read:
    return Read(render(tonight, earlier, stopped))


def rows(page: str, place: str) -> list[list[str]]:
    """The cells of the table rows of a section, as text."""
    section = page[page.index(f'id="{place}"') :].split("</section>", maxsplit=1)[0]
    bare = [re.sub(r"<svg.*?</svg>", "", row, flags=re.S) for row in re.findall(r"<tr.*?</tr>", section, re.S)]
    cells = [
        [re.sub(r"<[^>]+>", " ", cell) for _, cell in re.findall(r"<(th|td)\b(.*?)</\1>", row, re.S)] for row in bare
    ]
    return [[" ".join(cell.partition(">")[2].split()) for cell in row] for row in cells]


def test_a_good_night_says_so() -> None:
    page = drawn(night(1, 0), night(0, 0))
    assert "Published All 3 rules passed." in page.said()
    assert "No rule failed" in page.said("failed")
    assert "No row was set aside." in page.said("aside")
    assert "Every row is accounted for" in page.said("rows")
    assert "Ties to the cent" in page.said("money")


def test_a_night_with_warnings_names_rule_owner_counts_and_what_to_do() -> None:
    page = drawn(night(2, 50, aside=60), night(0, 10), night(1, 0))
    assert "Published with warnings 1 rule of 3 failed, none of them critical. 63 rows were set aside" in page.said()
    assert "regulars quarantine show --date 2026-06-30" in page.said()
    failed = page.said("failed")
    for expected in ("order_lines.quantity.readable holds.", "finance 1 rule", "5.0%", "50 of 1,000", "Rows set aside"):
        assert expected in failed
    assert "failed on 1 of 2 earlier nights, at most 1.0%" in failed


def test_a_blocked_night_names_the_rule_and_the_next_command() -> None:
    rule = verdict("conformed.order_lines", "order_lines.quarantine_share", 500, 1000, "critical", rule="At most 5%.")
    records = night(2, 500).records | {"gate_raw": {"verdicts": [rule], "quarantined": {}}}
    kept = {name: records[name] for name in ("begin", "extract.pos", "gate_arrived", "gate_raw")}
    page = drawn(Told(night(2, 0).day, "r", kept), night(1, 0), stopped=STOPPED)
    said = page.said()
    assert "Not published: a rule stopped the night" in said
    assert (
        "At most 5%. order_lines.quarantine_share in order_lines · 500 of 1,000 failed (50.0%) · owner: finance" in said
    )
    assert "What to do next regulars quarantine show" in said
    assert "stopped before its rows were merged" in page.said("rows")
    assert "money" not in page.below
    assert "Stopped the night" in page.said("failed")


def test_a_night_that_stopped_on_an_error_before_anything_was_judged() -> None:
    stopped = Stopped("extract crm", "sources.crm: wrong password", "check CRM_PASSWORD")
    page = drawn(Told(night(0, 0).day, "r", {"begin": {"base": None}}), stopped=stopped)
    assert "Not published: the night stopped on an error" in page.said()
    assert "Step extract crm said: sources.crm: wrong password" in page.said()
    assert "What to do next check CRM_PASSWORD" in page.said()
    assert "before any rule was asked" in page.said("failed")
    assert "before anything had arrived" in page.said("rows")


UNUSUAL = verdict(
    "raw.pos.receipts", "pos.receipts.rows.usual", 1, 16, "critical", rule="Tonight 16, usually 18 to 86."
)
SHIFTED = verdict("conformed.orders", "orders.online_share.usual", 1, 16, "critical", rule="Tonight 0.9.")


def unusual(**more: str) -> Told:
    return night(
        2, 0, gate_arrived={"verdicts": [UNUSUAL | more]},
        gate_raw={"verdicts": [], "measures": {"orders": {"orders.online_share.usual": 0.9}}},
        **{"extract.pos": {"pos.receipts": landing(16)}},
    )  # fmt: skip


def test_a_night_that_waits_for_a_person_says_what_is_asked_and_how_to_answer() -> None:
    question = Stopped("gate_raw", "2026-06-30 waits for a person", "regulars approve --date 2026-06-30 --by NAME")
    page = drawn(unusual(action="asked"), night(0, 0), night(1, 0), stopped=question)
    said = page.said()
    assert "Not published yet: somebody has to say whether it may be" in said
    assert "Tonight 16, usually 18 to 86. pos.receipts.rows.usual in pos.receipts · owner: finance" in said
    assert "What to do next regulars approve --date 2026-06-30 --by NAME" in said
    assert "Waits for a person's answer" in page.said("failed")


def test_a_night_that_a_person_let_through_says_so() -> None:
    page = drawn(unusual(action="asked"), night(1, 0))  # it is published, so it has been answered
    assert "Published with warnings 1 rule of 2 failed; a person has let the night through all the same." in page.said()
    assert "the whole table Let through by a person" in page.said("failed")
    given = {"given": [{"table_name": "raw.pos.receipts", "rule_id": "pos.receipts.rows.usual", "by": "Ann"}]}
    stopped = Told(unusual().day, "r", unusual(action="asked").records | {"approvals": given})
    page = drawn(stopped, stopped=Stopped("clean", "the disk is full", "make room"))
    assert "Not published: the night stopped on an error" in page.said()
    assert "Ann" not in page.said()


def test_a_rule_that_compares_nights_shows_what_it_measured() -> None:
    before = night(1, 0, gate_raw={"verdicts": [], "measures": {"orders": {"orders.online_share.usual": 0.3}}})
    tonight = unusual()
    tonight.records["gate_raw"]["verdicts"].append(SHIFTED)  # type: ignore[index]  # a literal dict
    labels = [
        a.get("aria-label") for tag, a in drawn(tonight, night(0, 0), before, stopped=STOPPED).elements if tag == "svg"
    ]
    assert "Measured by night: 29 Jun 1,000, 30 Jun 16" in labels
    assert "Measured by night: 29 Jun 0.3, 30 Jun 0.9" in labels


def test_notices_alone_make_no_warning() -> None:
    noticed = verdict("conformed.order_lines", "order_lines.sold_at.spelling", 8, 1000, "info", action="repaired")
    page = drawn(night(1, 0, gate_more={"verdicts": [noticed]}), night(0, 0))
    assert "Published None of 4 rules failed; 1 rule noticed something worth knowing." in page.said()
    assert "No rule failed, 1 noticed something" in page.said("failed")
    assert "Repaired; counted here" in page.said("failed")


def test_failed_rules_come_first_worst_first_and_passed_ones_are_folded() -> None:
    more = [
        verdict("conformed.orders", "passes", 0, 10), verdict("conformed.orders", "few", 1, 10),
        verdict("conformed.orders", "many", 9, 10), verdict("conformed.orders", "told", 10, 10, "info"),
        verdict("published.dim_date", "dim_date.key", 1, 365, "critical"),
    ]  # fmt: skip
    page = render(night(2, 0, gate_more={"verdicts": more}), [], STOPPED)
    assert [row[1].split()[-1] for row in rows(page, "failed")[1:]] == ["dim_date.key", "many", "few", "told"]
    of_orders = page[page.index("<strong>orders</strong>") :]
    order = [of_orders.index(f">{rule}</code>") for rule in ("many", "few", "told", "passes")]
    assert order == sorted(order)
    elements = Read(page).elements
    assert [attributes for tag, attributes in elements if tag == "details" and "open" in attributes] == [
        {"class": "stage", "open": None}, {"class": "stage", "open": None},
    ]  # fmt: skip


def test_the_flow_of_rows_is_told_number_by_number() -> None:
    fates = account(extracted=1000, inserted=400, superseding=100, unchanged=300, duplicate=50, excluded=40,
                    quarantined=60, held=30, unexplained=20)  # fmt: skip
    page = render(night(1, 0, conservation={"pos.receipts order_lines": fates}), [])
    (_, arrived, _, flow) = rows(page, "rows")
    assert arrived[:4] == ["pos.receipts", "1,000", "3", "2 taken in, 1 known already"]
    assert flow == [
        "order_lines from pos.receipts", "1,000", "", "400", "100", "300", "50", "40", "60", "30", "20",
    ]  # fmt: skip
    assert "20 rows are unexplained" in Read(page).said("rows")
    bar = [
        (a["class"], a["x"], a["width"])
        for tag, a in Read(page).elements
        if tag == "rect" and "%" in (a.get("x") or "")
    ]
    assert bar[:3] == [
        ("inserted", "0.0%", "40.0%"),
        ("superseding", "40.0%", "10.0%"),
        ("unchanged", "50.0%", "30.0%"),
    ]
    assert bar[-1] == ("unexplained", "98.0%", "2.0%")


def test_rows_set_aside_are_told_by_reason_and_by_feed() -> None:
    held = verdict("clean.orders", "orders.business_date.late_horizon", 7, 100, action="held")
    page = render(night(2, 50, aside=50, gate_clean={"verdicts": [held]}), [night(1, 20)])
    told = rows(page, "aside")
    assert [(row[0].split()[-1], row[3], row[5]) for row in told[1:3]] == [
        ("order_lines.quantity.readable", "50", "5.0%"), ("orders.business_date.late_horizon", "7", "7.0%"),
    ]  # fmt: skip
    assert told[4:] == [
        ["pos.receipts", "not known: the line cannot be read", "3", "0"], ["pos.receipts", "order_lines", "50", "0"],
    ]  # fmt: skip


def of_members(number: int, again: int) -> Told:
    """A night of 1,000 members of whom 50 are never mended, as a CRM sends them that is read whole."""
    rule = verdict("conformed.customers", "customers.gender.readable", 50, 1000, rows_repeated=again)
    fates = account(extracted=1000, quarantined=50, unchanged=950) | {"repeated": again}
    aside = {"quarantined": {"customers": {"crm.members": 50}}, "repeated": {"customers": {"crm.members": again}}}
    return night(number, 0, gate_raw={"verdicts": [rule], **aside}, conservation={"crm.members customers": fates})


def test_rows_that_an_earlier_night_set_aside_are_told_apart_and_no_trend_counts_them_again() -> None:
    page = render(of_members(2, 47), [of_members(0, 0), of_members(1, 50)])
    read = Read(page)
    assert "53 rows were set aside, 47 of them repeated from earlier nights; everything else" in read.said()
    assert "5.3% of the rows read, 47 of them repeated from earlier nights" in read.said()
    assert "5.0% 50 of 1,000, 47 of them repeated from earlier nights" in read.said("failed")
    labels = [str(a.get("aria-label")) for tag, a in read.elements if tag == "svg"]
    assert labels.count("Newly failed share by night: 28 Jun 5.0%, 29 Jun 0%, 30 Jun 0.3%") == 3
    # of 1,003 rows 53, 3 and 6: three lines of the till could not be read on each night
    assert "Share newly set aside by night: 28 Jun 5.3%, 29 Jun 0.3%, 30 Jun 0.6%" in labels
    assert rows(page, "rows")[-1][-3] == "50 47 repeated"
    told = rows(page, "aside")
    assert told[1][3:6] == ["50", "47", "5.0%"]
    assert told[3:] == [
        ["pos.receipts", "not known: the line cannot be read", "3", "0"], ["crm.members", "customers", "50", "47"],
    ]  # fmt: skip


def test_money_that_does_not_tie_is_loud() -> None:
    cents = dict(night(1, 0).records["features"]["net_revenue_cents"])
    page = render(night(1, 0, features={"net_revenue_cents": cents | {"customer_days": 99_999_99, "tips": -1}}), [])
    assert "Does not tie." in Read(page).said("money")
    assert rows(page, "money")[1:] == [
        ["All order lines that were accepted", "150,000.05"],
        ["less orders that do not count: cancelled, void, after this business date", "10,000.05"],
        ["Completed orders", "140,000.00"], ["of it from guests, whom nobody knows", "30,000.00"],
        ["of it from people who do not allow profiling", "10,000.00"], ["of it from people who do", "100,000.00"],
        ["In the published table customer_days", "99,999.99"], ["tips", "−0.01"],
    ]  # fmt: skip


def test_trends_are_of_the_nights_kept() -> None:
    nights = Nights(night(2, 50), [night(0, 10), night(1, 0)])
    rule = ("conformed.order_lines", "order_lines.quantity.readable")
    chart = nights.chart("Failed share", lambda told: share_failed(told.verdicts.get(rule)), words.share)
    assert chart is not None
    assert chart.label == "Failed share by night: 28 Jun 1.0%, 29 Jun 0%, 30 Jun 5.0%"
    assert [(bar.height, bar.label, bar.is_tonight) for bar in chart.bars] == [
        (HEIGHT / 5, "2026-06-28: 1.0%", False), (LOWEST, "2026-06-29: 0%", False), (HEIGHT, "2026-06-30: 5.0%", True),
    ]  # fmt: skip
    assert [bar.x for bar in chart.bars] == [WIDTH * 0.7, WIDTH * 0.8, WIDTH * 0.9]
    assert nights.chart("None", lambda _: 0, words.count) is None


def test_a_first_load_does_not_dwarf_the_nights_after_it() -> None:
    first = night(0, 0, **{"extract.pos": {"pos.receipts": {"rows": 9_000_000, "rejected": 0, "files": []}}})
    page = drawn(night(2, 0), first, night(1, 0))
    assert "Rows read 1,003 1,003 the night before" in page.said()
    assert "9,000,000" not in render(night(2, 0), [first, night(1, 0)])


def test_what_is_not_known_yet_is_shown_plainly_and_breaks_nothing() -> None:
    odd = verdict("drift.scores", "drift.psi", 1, 4, "major", action="escalated")
    del odd["owner"]
    records: dict[str, Any] = {"gate_drift": {"verdicts": [odd]}, "models": ["a list"], "approval": None, "refit": 3}
    page = drawn(night(2, 0, **records), night(1, 0, **records))
    failed = page.said("failed")
    for expected in ("major", "escalated", "drift.psi holds.", "not recorded", "failed on 1 of 1 earlier night"):
        assert expected in failed
    assert "drift 1 of 1 failed" in page.said("tables")


@pytest.mark.parametrize("stopped", [None, STOPPED, Stopped(HOSTILE[1], HOSTILE[0], HOSTILE[2])])
def test_names_that_are_markup_or_formulas_are_inert(stopped: Stopped | None) -> None:
    page = drawn(hostile_night(), hostile_night(), night(0, 1), stopped=stopped)
    plain = drawn(night(2, 40), stopped=stopped)
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"ul", "li"}
    values = [text.strip() for text in page.texts] + [v or "" for _, a in page.elements for v in a.values()]
    assert not [value for value in values if value.startswith(("=", "+", "-", "@"))]
    assert not [value for value in values if not value.replace("\n", "").isprintable()]
    attributes = {name for _, one in page.elements for name in one}
    assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "srcdoc", "action")]
    said = page.said()
    assert "<script>window.broken = 1</script>" in said  # as text
    assert "'=HYPERLINK" in said
    assert "{{ 7 * 7 }}" in said


def test_nothing_is_asked_of_a_network() -> None:
    page = render(night(2, 50, aside=50), [night(1, 3)], STOPPED)
    read = Read(page)
    assert not LOADS & {tag for tag, _ in read.elements}
    targets = {value for _, a in read.elements for name, value in a.items() if name in ("href", "src", "xlink:href")}
    assert {target for target in targets if not str(target).startswith("#")} == {"data:,"}
    assert not re.search(r"https?://|url\(|@import|javascript:", page)
    policy = next(a["content"] for _, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_it_can_be_read_without_seeing_it() -> None:
    page = drawn(night(2, 50, aside=50), night(1, 3), night(0, 0))
    assert not [a for tag, a in page.elements if tag == "th" and "scope" not in a]
    drawings = [a for tag, a in page.elements if tag == "svg"]
    assert not [a for a in drawings if not a.get("aria-label") and a.get("aria-hidden") != "true"]
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    named = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
    linked = {str(a["href"])[1:] for tag, a in page.elements if tag == "a"}
    assert named | linked <= set(ids)


def test_numbers_read_as_they_are() -> None:
    assert [words.share(v) for v in (None, 0, 1e-9, 0.0125, 0.99999, 1)] == [
        "–", "0%", "under 0.1%", "1.2%", "over 99.9%", "100%",
    ]  # fmt: skip
    assert [words.seconds(v) for v in (0.04, 59.9, 61, 3725)] == ["0.0 s", "59.9 s", "1 min 01 s", "1 h 02 min"]
    assert [words.money(v) for v in (0, 5, 123456, -250)] == ["0.00", "0.05", "1,234.56", "−2.50"]
    assert words.against([], words.count) == "no earlier night to compare"
    assert words.against([1, 9, 4], words.count) == "usually 4"
    assert share_failed(verdict("t", "r", 0, 0)) is None
