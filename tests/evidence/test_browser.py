"""The page in Chromium, as Debian packages it: what a reader sees, hears and can do by keyboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.evidence.render.page import render_page
from tests.support.evidence_documents import CITED, batch_audit, batch_report, table_audit, table_report
from tests.support.evidence_impacts import whole_batch

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install '.[dev]'"
)
CHROMIUM = shutil.which("chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")

# Every text of the page against what it stands on, as WCAG reckons contrast; gives those that are too faint.
FAINT = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return Array.from(canvas.getImageData(0, 0, 1, 1).data.slice(0, 3), (each) => each / 255);
  };
  const luminance = (rgb) => rgb
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    const colours = [];
    for (let at = element; at; at = at.parentElement) colours.unshift(getComputedStyle(at).backgroundColor);
    return colours;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, title, desc")) continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const text = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [luminance(over([...ground, text])), luminance(over(ground))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (contrast < 4.5) faint.push([walker.currentNode.data.trim(), contrast]);
  }
  return { seen, faint };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window, with a profile of its own that is gone afterwards."""
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a batch, on disk."""
    path = tmp_path_factory.mktemp("page") / "m.html"
    path.write_bytes(render_page(*whole_batch(), CITED))
    return path


@pytest.fixture
def page(browser: Any, written: Path) -> Iterator[Any]:
    """The page, opened from disk."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.goto(written.as_uri())
    yield opened
    opened.close()


def test_it_loads_nothing_and_complains_of_nothing(browser: Any, written: Path) -> None:
    """Opening the page asks for the file alone, and the console stays empty."""
    requests, messages = [], []
    opened = browser.new_page()
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    opened.goto(written.as_uri(), wait_until="networkidle")
    opened.close()
    assert [url for url in requests if not url.startswith("data:")] == [written.as_uri()]
    assert messages == []


def test_what_is_not_the_page_s_own_is_refused(browser: Any, written: Path, tmp_path: Path) -> None:
    """Were a script, a style sheet or an image of elsewhere to get in, the page's policy would stop it."""
    intruders = (
        '<img src="https://host.invalid/a.png"><script>document.title = "seized"</script>'
        '<link rel="stylesheet" href="https://host.invalid/a.css"><script src="https://host.invalid/a.js"></script>'
    )
    seized = tmp_path / "m.html"
    seized.write_text(written.read_text("utf-8").replace("<main", f"{intruders}<main"), "utf-8")
    refusals: list[str] = []
    opened = browser.new_page()
    opened.on("console", lambda message: refusals.append(message.text))
    opened.goto(seized.as_uri(), wait_until="networkidle")
    assert opened.title() == "Second opinion: manifests/corpora.json"
    opened.close()
    assert len(refusals) == 4
    assert all("Content Security Policy" in each for each in refusals)


def test_every_figure_is_read_out(page: Any) -> None:
    """Each figure is one image to a screen reader, by a name and a description that are not empty."""
    figures = page.locator("svg")
    assert (
        figures.count() == page.get_by_role("img").count() == page.get_by_role("img", name="a").count() > 20
    )
    forest = page.get_by_role("img", name="What the scores are worth, on complete rows (1,180)").first
    assert "base+shuffled (control)" in forest.locator("desc").text_content()


def test_tables_sort_by_keyboard(page: Any) -> None:
    """Enter on a heading sorts its table up, then down; what is missing stays last, and a reader is told the order."""
    table = page.locator("table", has_text="The tables of the batch").first
    heading = table.get_by_role("columnheader", name="Change of SRCC")

    def column() -> list[str]:
        return [text.split("[")[0] for text in table.locator("tbody tr td:nth-child(7)").all_text_contents()]

    def names() -> list[str]:
        return list(table.locator("tbody tr td:first-child").all_text_contents())

    missing = ["\N{EN DASH}"] * 3
    assert column() == ["+0.100", "+0.010", *missing]
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert column() == ["+0.010", "+0.100", *missing]
    assert heading.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Space")
    assert column() == ["+0.100", "+0.010", *missing]
    assert heading.get_attribute("aria-sort") == "descending"
    for _ in range(6):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert names() == ["konvid-1k", "lost", "ungrouped", "unlabelled", "youtube-ugc"]
    assert table.locator("th[aria-sort]").all_text_contents() == ["Table"]


def test_a_list_of_disagreement_sorts_by_click(page: Any) -> None:
    """A click on a heading sorts the clips by it, by number and not by text, and says so to a screen reader."""
    table = page.locator("table", has_text="second_opinion_dover_technical_score and mos").first
    heading = table.get_by_role("columnheader", name="Difference")

    def differences() -> list[str]:
        return list(table.locator("tbody tr td:last-child").all_text_contents())

    assert differences() == ["+1.100", "\N{MINUS SIGN}1.000"]
    heading.get_by_role("button").click()
    assert differences() == ["\N{MINUS SIGN}1.000", "+1.100"]
    assert heading.get_attribute("aria-sort") == "ascending"


def test_without_scripts_it_can_be_read(browser: Any, written: Path) -> None:
    """All stands in the file: tables and figures are there, and no button that would do nothing."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(written.as_uri())
    assert opened.get_by_text("The scores improve the prediction of the label.", exact=True).is_visible()
    assert opened.locator("table").first.is_visible()
    assert opened.get_by_role("button").count() == 0
    assert not opened.get_by_text("Click a heading").is_visible()
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("names", ["as usual", "n" * 300, "long name " * 40])
def test_no_width_overflows(browser: Any, width: int, names: str, tmp_path: Path) -> None:
    """The page is as wide as the window, on a phone too; what is wider scrolls within itself."""
    path = tmp_path / "m.html"
    tables = [f"{names} {at}" for at in range(12)]
    audit = batch_audit([table_audit(tables[0], [names], target=names)])
    audit["tables"] += [{**audit["tables"][0], "id": name, "figures": {"scatter": [], "histograms": [], "correlations": {"columns": [], "spearman": []}}} for name in tables[1:]]  # fmt: skip
    path.write_bytes(
        render_page(batch_report([table_report(name, [names]) for name in tables]), audit, None, CITED)
    )
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.goto(path.as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(page: Any, scheme: str) -> None:
    """Every text has a contrast of 4.5 or more with what is behind it (WCAG 2, level AA), and the schemes differ."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}[scheme]
    found = page.evaluate(FAINT)
    assert found["seen"] > 500
    assert found["faint"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_prints(page: Any, scheme: str) -> None:
    """On paper it is dark on white, whatever the screen has, without what only a screen can do."""
    page.emulate_media(media="print", color_scheme=scheme)
    assert not page.get_by_role("navigation").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate(FAINT)["faint"] == []
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_a_picture_of_it_shows_its_figures(page: Any) -> None:
    """The figures are there to see: each takes room, and one of dots is not of one colour."""
    for svg in page.locator("figure svg").all():
        assert min(svg.bounding_box()["width"], svg.bounding_box()["height"]) > 100
    scatter = page.locator("#table-1-scatter-1").first
    painted = scatter.screenshot()
    page.add_style_tag(content="#table-1-scatter-1 path { visibility: hidden }")
    assert len(painted) > 1.5 * len(scatter.screenshot())
