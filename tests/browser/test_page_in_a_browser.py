"""The quality page in a real browser: no request, no complaint, nothing runs, all can be read, wide and narrow.

``SCREENSHOTS=folder`` keeps the pictures.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from expectations.report import Stopped, render
from jobs.storage.night import Night
from tests.browser.devtools import Page, chromium
from tests.quality import HOSTILE, hostile_night, night
from tests.support import Site, business

NAMES = ("published", "stopped", "hostile")
#: texts whose contrast with what is behind them is less than WCAG's AA asks for
FAINT = """
(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = rgb => rgb.slice(0, 3).map(c => c / 255)
    .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [.2126, .7152, .0722][at], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(one).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.body.querySelectorAll('*')) {
    const texts = [...element.childNodes].filter(node => node.nodeType === 3 && node.data.trim());
    if (!texts.length || element.closest('svg') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [one, other] = [light(parts(style.color)), light(behind(element))].sort((a, b) => b - a);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if ((one + .05) / (other + .05) < needed) faint.push(texts[0].data.trim() + ' ' + style.color);
  }
  return faint;
})()
"""
#: what sticks out of the window, but for what scrolls by itself
TOO_WIDE = """
[...document.body.querySelectorAll('*')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.wide'))
  .map(one => one.tagName + ' ' + one.className)
"""


def unreadable(path: Path) -> None:
    """Turn every quantity of a receipts file into words."""
    header, *rows = path.read_text().splitlines()
    place = header.split(",").index("quantity")
    cells = [row.split(",") for row in rows]
    path.write_text("\n".join([header, *(",".join([*one[:place], "many", *one[place + 1 :]]) for one in cells)]) + "\n")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name -> page: of two real nights, one of them stopped, and of one whose every name is an attack."""
    place = tmp_path_factory.mktemp("pages")
    with business(place / "business", customers=300) as found:
        site = Site(found, place / "warehouse")
        site.night(found.nights[0])
        for path in (found.folder / "pos").glob(f"receipts_*_{found.nights[1]}.csv"):
            unreadable(path)
        assert site.regulars("run", "--date", str(found.nights[1])).code == 1
    nights: list[Night] = [*site.warehouse.published(), *site.warehouse.open_nights()]
    hostile = place / "hostile.html"
    hostile.write_text(render(hostile_night(), [night(0, 3), night(1, 9)], Stopped(*HOSTILE[:3])), "utf-8")
    return dict(zip(NAMES, (nights[0].report, nights[1].report, hostile), strict=True))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_without_a_request_or_a_complaint(name: str, pages: dict[str, Path], browser: Page) -> None:
    browser.look(width=1280)
    browser.open(pages[name].as_uri())
    assert browser.compute("document.querySelector('h1').innerText").startswith(
        "Published" if name == "published" else "Not published"
    )
    browser.compute("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.requests() == [pages[name].as_uri()]
    assert browser.complaints() == []
    assert (
        browser.compute("document.querySelectorAll('script, img, iframe, object, embed, [onerror], [onload]').length")
        == 0
    )
    assert browser.compute("typeof window.broken") == "undefined"


@pytest.mark.parametrize("name", NAMES)
def test_a_server_is_asked_for_the_page_and_for_nothing_else(name: str, pages: dict[str, Path], browser: Page) -> None:
    asked: list[str] = []

    class Listening(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            asked.append(str(args[0]))

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Listening, directory=str(pages[name].parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser.open(f"http://127.0.0.1:{server.server_port}/{pages[name].name}")
    browser.compute("document.title")
    server.shutdown()
    server.server_close()
    assert asked == [f"GET /{pages[name].name} HTTP/1.1"]


def test_its_policy_would_stop_what_slipped_through(pages: dict[str, Path], browser: Page) -> None:
    browser.open(pages["published"].as_uri())
    browser.compute("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
    browser.compute(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.broken = 1'}))"
    )
    assert browser.compute("typeof window.broken") == "undefined"
    assert len([said for said in browser.complaints() if "Content Security Policy" in said]) == 2


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read(
    name: str, width: int, dark: bool, pages: dict[str, Path], browser: Page, pictures: Path
) -> None:
    browser.look(width=width, dark=dark)
    browser.open(pages[name].as_uri())
    picture = pictures / f"{name}-{width}-{'dark' if dark else 'light'}.png"
    browser.picture(picture)
    assert struct.unpack(">I", picture.read_bytes()[16:20]) == (width,)
    browser.compute("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.compute(TOO_WIDE) == []
    assert browser.compute("document.documentElement.scrollWidth") == width
    assert browser.compute(FAINT) == []


def test_it_is_printed_in_light_colours(pages: dict[str, Path], browser: Page) -> None:
    browser.look(width=794, media="print", dark=True)
    browser.open(pages["published"].as_uri())
    assert browser.compute("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.compute("getComputedStyle(document.querySelector('.tile')).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.compute(FAINT) == []
