"""The page in a real browser: what is drawn, what buttons do, and how it looks on a phone and on paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forecast.report.page import page
from tests.report.page_runs import SCRIPT, everything, full_run

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (uv sync)")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed (apt-get install chromium)")


class Shown:
    """One page in the browser, with what it said and what it asked the network for."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.said.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def draw_all(self) -> None:
        """Bring every chart near the screen, and wait until it is drawn."""
        for chart in self.page.locator("[data-chart]").all():
            chart.scroll_into_view_if_needed()
            chart.locator(".main-svg").first.wait_for()

    def widths(self) -> list[int]:
        return self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")

    def visible(self, chart: str) -> list[str]:
        """Groups of the traces of a chart that are shown."""
        return self.page.evaluate(
            f"document.querySelector('#{chart} .plot').data"
            ".filter(trace => trace.visible !== false).map(trace => trace.legendgroup)"
        )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    run = full_run(folder)
    file: Path = folder / "report.html"
    file.write_text(page(run, everything(run, folder)), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def wide(browser: Any, address: str) -> Shown:
    shown = Shown(browser, address, viewport={"width": 1440, "height": 900}, color_scheme="light")
    shown.draw_all()
    return shown


@pytest.fixture(scope="module")
def phone(browser: Any, address: str) -> Shown:
    shown = Shown(
        browser,
        address,
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
        has_touch=True,
        is_mobile=True,
    )
    shown.draw_all()
    return shown


def test_every_chart_is_drawn_without_a_word_on_the_console_or_a_request(
    wide: Shown, phone: Shown, address: str
):
    for shown in (wide, phone):
        charts = shown.page.locator("[data-chart]").all()
        assert len(charts) >= 10
        for chart in charts:
            drawn = chart.locator("g.trace, g.scatterlayer .trace, g.bars .point, g.fills path").count()
            assert drawn > 0, chart.get_attribute("id")
        assert shown.said == []
        assert shown.asked == [address]


def test_nothing_runs_over_the_edge_on_a_phone_or_a_desk(wide: Shown, phone: Shown):
    for shown, width in ((wide, 1440), (phone, 390)):
        for details in shown.page.locator("details").all():
            details.evaluate("node => { node.open = true; }")
        assert shown.widths() == [width, width]


def test_a_title_that_is_code_shows_as_text(wide: Shown):
    assert wide.page.locator("h1").inner_text() == SCRIPT
    assert wide.page.locator("a[href^='javascript']").count() == 0


def test_a_button_hides_a_bloc_and_shows_it_again(wide: Shown):
    china = wide.page.locator("#crossings button[data-group=china]")
    assert set(wide.visible("crossings")) == {"us_allies", "china"}
    china.click()
    assert china.get_attribute("aria-pressed") == "false"
    assert set(wide.visible("crossings")) == {"us_allies"}
    china.focus()
    wide.page.keyboard.press("Enter")
    assert set(wide.visible("crossings")) == {"us_allies", "china"}


def test_density_gives_way_to_the_cumulative_curve_and_another_milestone(wide: Shown):
    chart = wide.page.locator("#crossings")
    before = chart.locator(".note").inner_text()
    assert "densities" in before
    chart.get_by_role("button", name="Cumulative").press("Space")
    assert "having crossed by each date" in chart.locator(".note").inner_text()
    top = wide.page.evaluate("document.querySelector('#crossings .plot').layout.yaxis.range[1]")
    assert top == 1
    chart.get_by_role("button", name="A big run").click()
    assert chart.locator(".note").inner_text().startswith("A big run")
    chart.get_by_role("button", name="AGI").click()
    chart.get_by_role("button", name="Density").click()
    assert chart.locator(".note").inner_text() == before


def test_a_quantity_is_chosen_from_the_list(wide: Shown):
    select = wide.page.locator("#fan select")
    for value in select.locator("option").evaluate_all("all => all.map(one => one.value)"):
        select.select_option(value)
        assert wide.page.locator("#fan .trace, #fan .fills path").count() > 0, value
        assert wide.page.locator("#fan .note").inner_text()
    select.select_option("chip_access")
    points = wide.page.locator("#fan .scatterlayer .points path")
    assert points.count() == 2
    points.first.hover(force=True)
    shown = wide.page.locator("#fan .hoverlayer .hovertext")
    shown.first.wait_for()
    assert "A shipment" in shown.first.text_content()
    assert wide.said == []


def test_years_at_the_axis_are_years(wide: Shown):
    ticks = wide.page.locator("#crossings .xtick text").all_text_contents()
    assert len(ticks) >= 4
    assert all(tick.isdigit() and len(tick) == 4 for tick in ticks)


def test_the_keyboard_goes_from_the_skip_link_to_the_answer(browser: Any, address: str):
    shown = Shown(browser, address, viewport={"width": 1000, "height": 700})
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate("document.activeElement.className") == "skip"
    shown.page.keyboard.press("Enter")
    assert shown.page.evaluate("document.activeElement.id") == "main"
    shown.context.close()


def contrasts(shown: Shown) -> list[tuple[float, str]]:
    """Contrast of every text with the colour behind it, the smallest first (WCAG 2)."""
    return shown.page.evaluate(
        """() => {
          const luminance = (rgb) => {
            const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            const [r, g, b] = rgb.map((v) => linear(v / 255));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
          const behind = (node) => {
            for (; node; node = node.parentElement) {
              const found = numbers(getComputedStyle(node).backgroundColor);
              if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
            }
            return [255, 255, 255];
          };
          const result = [];
          for (const node of document.querySelectorAll("main *, header *, nav *, footer *")) {
            if (node.closest("svg") || !node.checkVisibility()) continue;
            if (![...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim())) continue;
            const pair = [numbers(getComputedStyle(node).color).slice(0, 3), behind(node)].map(luminance);
            const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
            result.push([contrast, node.textContent.trim().slice(0, 40)]);
          }
          return result.sort((a, b) => a[0] - b[0]);
        }"""
    )


def test_text_stands_out_in_light_and_in_dark_and_a_button_changes_between_them(wide: Shown, phone: Shown):
    papers = []
    for shown in (wide, phone):
        for _ in range(2):
            worst = contrasts(shown)
            assert len(worst) > 100
            assert worst[0][0] >= 4.5, worst[:3]
            papers.append(shown.page.evaluate("getComputedStyle(document.body).backgroundColor"))
            shown.page.locator("#theme").click()
    light, dark = papers[0], papers[1]
    assert light != dark
    assert papers == [light, dark, dark, light]
    assert wide.page.locator("#theme").get_attribute("aria-pressed") == "false"
    ink = "document.querySelector('#crossings .xtick text').style.fill"
    before = wide.page.evaluate(ink)
    wide.page.locator("#theme").click()
    assert wide.page.evaluate(ink) != before
    wide.page.locator("#theme").click()


def test_paper_gets_every_chart_and_what_is_folded_stays_so(browser: Any, address: str):
    shown = Shown(browser, address, viewport={"width": 700, "height": 990}, color_scheme="dark")
    folded = shown.page.locator("details:not(.numbers):not([open])").count()
    assert folded > 3
    shown.page.emulate_media(media="print")
    for chart in shown.page.locator("[data-chart]").all():
        chart.locator(".main-svg").first.wait_for(state="attached", timeout=5000)
    assert shown.page.locator("details:not(.numbers):not([open])").count() == folded
    assert not shown.page.locator("nav").is_visible()
    assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    widths = shown.page.evaluate("[...document.querySelectorAll('.main-svg')].map(one => one.clientWidth)")
    assert max(widths) <= 660
    assert shown.widths() == [700, 700]
    shown.page.emulate_media(media="screen")
    shown.page.wait_for_function("getComputedStyle(document.querySelector('nav')).display !== 'none'")
    assert shown.said == []
    shown.context.close()


def test_without_scripts_the_answer_and_the_numbers_are_there(browser: Any, address: str):
    shown = Shown(browser, address, java_script_enabled=False)
    assert "The charts need JavaScript" in shown.page.locator("main").inner_text()
    assert "not a prophecy" in shown.page.locator("main").inner_text()
    shown.page.locator("#crossings details summary").click()
    assert "Probability of having crossed" in shown.page.locator("#crossings table").inner_text()
    shown.context.close()
