"""The page in a browser: at desk and phone width, offline, on paper. Needs ``vdf-bench[browser]`` and Chromium."""

import base64
import json
import os
import re
import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="needs vdf-bench[browser]")
DRIVER = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
BINARY = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not (DRIVER and BINARY), reason="needs chromium and chromedriver on the PATH")


@pytest.fixture(scope="module")
def page(built):
    """A browser that has the page open, and has written down what it asked the network for."""
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BINARY
    # --no-sandbox: containers run tests as root; the page is the test's own.
    for switch in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))  # a given driver: nothing is looked for
    driver.get((built / "report.html").resolve().as_uri())
    yield driver
    driver.quit()


def resize(page, width: int) -> None:
    shape = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)


def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(page):
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert any(url.endswith("report.html") for url in asked)
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1
    assert page.get_log("browser") == []


@pytest.mark.parametrize("width", [375, 768, 1200])
def test_only_tables_scroll_sideways(page, width):
    resize(page, width)
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    root = "document.documentElement"
    assert page.execute_script(f"return {root}.scrollWidth") <= width
    out = "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && e.checkVisibility()"
    out += " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))"
    assert page.execute_script(f"return {out}") == []


def test_every_picture_loads_and_says_what_it_shows(page):
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    shown = page.execute_script(
        "return Promise.all([...document.images].map(i => i.decode().then(() => [i.alt, i.naturalWidth])))"
    )
    assert len(shown) > 20
    assert all(len(alt) > 20 and width > 0 for alt, width in shown)
    assert page.execute_script("return [...document.querySelectorAll('video')].every(v => v.ariaLabel.length > 20)")


def test_what_folds_and_scrolls_is_reached_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = false); scrollTo(0, 0)")
    page.execute_script("document.querySelector('summary').focus()")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.execute_script("return document.querySelector('details').open")
    boxes = "[...document.querySelectorAll('.scroll')]"
    assert page.execute_script(f"return {boxes}.every(e => e.tabIndex === 0 && e.ariaLabel && e.role === 'region')")
    links = "[...document.querySelectorAll('nav a')]"
    assert page.execute_script(f"return {links}.length > 4 && {links}.every(a => document.querySelector(a.hash))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(page, scheme):
    """WCAG AA: a contrast of 4.5 for text in every colour of the style sheet."""
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    names = ["paper", "ink", "dim", "good", "middle", "bad", "link"]
    style = "getComputedStyle(document.documentElement)"
    values = {n: page.execute_script(f"return {style}.getPropertyValue('--{n}').trim()") for n in names}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    paper = luminance(values["paper"])
    for name in names[1:]:
        light, dark = sorted((luminance(values[name]), paper), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name


def test_on_paper_everything_folded_is_open_on_white(page):
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = false)")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    resize(page, 703)  # A4 without its margins
    folded = "[...document.querySelectorAll('details > :not(summary)')]"
    assert page.execute_script(f"return {folded}.every(e => e.getBoundingClientRect().height > 0)")
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.execute_script("return document.querySelector('nav').checkVisibility()") is False
    assert page.execute_script("return document.documentElement.scrollWidth") <= 703
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 3
