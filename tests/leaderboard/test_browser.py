"""The site in a browser. Needs ``vdf-bench[browser]`` and Chromium."""

import json
import os
import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="needs vdf-bench[browser]")
DRIVER = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
BINARY = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not (DRIVER and BINARY), reason="needs chromium and chromedriver on the PATH")


@pytest.fixture(scope="module")
def driver():
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BINARY
    # --no-sandbox: containers run tests as root; the pages are the tests' own.
    for switch in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(driver, board):
    driver.get("about:blank")  # else another hash of the same page is no new page
    driver.get((board / "index.html").resolve().as_uri())
    return driver


def shown(page, column=2):
    script = "return [...document.querySelectorAll('table.board tbody tr')].filter(r => !r.hidden)"
    return page.execute_script(f"{script}.map(r => r.cells[{column - 1}].innerText.trim().split('\\n')[0])")


def names(page):
    return [name.split(" ")[0] for name in shown(page)]


def choose(page, name, value):
    page.execute_script(
        "const f = document.querySelector(`.filters [name=${arguments[0]}]`); f.value = arguments[1];"
        "f.dispatchEvent(new Event('input', {bubbles: true}))",
        name,
        value,
    )


def head(page, text):
    buttons = page.find_elements("css selector", "table.board thead button")
    return next(button for button in buttons if button.text.replace("\n", " ").startswith(text))


def resize(page, width):
    shape = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)


def test_the_first_view_holds_what_can_be_trusted(page):
    assert "claims-much" not in names(page)
    assert names(page)[:2] == ["strong", "alike"] or names(page)[:2] == ["alike", "strong"]
    assert len(names(page)) == 13


def test_filters_narrow_and_are_kept_in_the_address(page):
    choose(page, "text", "FILLER")
    assert sorted(names(page)) == [f"filler-{k}" for k in range(5)]
    choose(page, "tier", "reported")
    choose(page, "text", "")
    assert names(page) == ["claims-much"]
    choose(page, "tier", "")
    choose(page, "track", "transfer")
    assert len(names(page)) == 14
    assert page.find_element("id", "count").text == "14 of 42 rows"
    choose(page, "medium", "images")
    assert names(page) == []
    choose(page, "medium", "video")
    address = page.current_url
    page.get("about:blank")
    page.get(address)
    assert page.find_element("css selector", "[name=track]").get_attribute("value") == "transfer"
    assert len(names(page)) == 14


def test_heads_sort_both_ways_numbers_as_numbers(page):
    button = head(page, "worst net DSR")
    button.click()
    script = "return [...document.querySelectorAll('table.board tbody tr')].filter(r => !r.hidden)"
    values = page.execute_script(f"{script}.map(r => r.cells[2].dataset.value)")
    numbers = [float(value) for value in values if value]
    assert numbers == sorted(numbers, reverse=True) and values[len(numbers) :] == [""] * (len(values) - len(numbers))
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "descending"
    button.click()
    values = page.execute_script(f"{script}.map(r => r.cells[2].dataset.value)")
    assert [float(value) for value in values if value] == sorted(numbers)
    assert "sort=2a" in page.current_url


def test_sorting_works_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("arguments[0].focus()", head(page, "entry"))
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert names(page) == sorted(names(page))
    assert page.execute_script("return [...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)")
    first = "document.querySelector('a.skip')"
    assert page.execute_script(
        f"return {first}.hash === '#main' && {first}.compareDocumentPosition(document.querySelector('nav')) === 4"
    )


def test_an_entry_opens(page):
    page.find_element("link text", "strong").click()
    assert page.current_url.endswith("entries/vdf-bench-v1/strong-v1.html")
    assert page.find_element("tag name", "h1").text == "strong, a title"
    assert "other parser" in page.find_element("tag name", "main").text
    script = "return Promise.all([...document.images].map(i => i.decode().then(() => [i.alt, i.naturalWidth])))"
    ((alt, width),) = page.execute_script(script)
    assert alt.startswith("strong: synth-a, protected") and width == 512
    page.find_element("link text", "Leaderboard").click()
    assert page.current_url.endswith("index.html")


def test_what_a_stranger_wrote_does_nothing(page):
    page.find_element("link text", "hostile").click()
    assert page.title != "owned"
    assert page.find_element("tag name", "h1").text == "<script>document.title='owned'</script>"
    assert page.execute_script("return document.scripts.length + document.images.length") == 0


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize(
    "file",
    ["index.html", "entries/vdf-bench-v1/strong-v1.html", "methods.html", "claims.html", "suites/vdf-bench-v1.html"],
)
def test_only_tables_scroll_sideways(driver, board, file, width):
    resize(driver, width)
    driver.get((board / file).resolve().as_uri())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    out = (
        "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .skip, svg') && e.checkVisibility()"
    )
    out += " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))"
    assert driver.execute_script(f"return {out}") == []
    resize(driver, 1280)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(page, scheme):
    """WCAG AA: a contrast of 4.5 for text in every colour of the style sheet."""
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    style = "getComputedStyle(document.documentElement)"
    inks = ["ink", "dim", "good", "middle", "bad", "link"]
    values = {
        n: page.execute_script(f"return {style}.getPropertyValue('--{n}').trim()") for n in ["paper", "wash", *inks]
    }
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for ground in ("paper", "wash"):
        for name in inks:
            light, dark = sorted((luminance(values[name]), luminance(values[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(page, board):
    for file in sorted(board.rglob("*.html")):
        page.get(file.resolve().as_uri())
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert any(url.endswith("index.html") for url in asked)
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert page.get_log("browser") == []


def test_without_scripts_all_rows_are_there(driver, board):
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    driver.get((board / "index.html").resolve().as_uri())
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    rows = driver.find_elements("css selector", "table.board tbody tr")
    assert len(rows) == 42 and all(row.is_displayed() for row in rows)
    assert not driver.find_element("class name", "filters").is_displayed()
