"""What a real browser makes of the page."""

import re
import shutil
import xml.etree.ElementTree

import pytest

from tests_fast.report.test_page import made  # noqa: F401, a fixture

BROWSER, DRIVER = (
    next(filter(None, map(shutil.which, names)), None)
    for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",))
)


@pytest.fixture(scope="module")
def browser():
    if not (BROWSER and DRIVER):
        pytest.skip("needs Chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def sized(browser, width, path, scheme="light"):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(path.as_uri())


def column(browser, place):
    cells = browser.find_elements("css selector", f"#claims tbody tr:not([hidden]) td:nth-child({place})")
    return [cell.get_attribute("data-value") for cell in cells]


def test_a_browser_sorts_and_filters_the_claims(browser, made):
    sized(browser, 1400, made[2])
    assert browser.get_log("browser") == []
    heads = browser.find_elements("css selector", "#claims th button")
    heads[4].click()
    effects = [float(effect) for effect in column(browser, 5)]
    assert effects == sorted(effects)
    assert heads[4].find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    heads[4].click()
    assert [float(effect) for effect in column(browser, 5)] == effects[::-1]
    heads[3].click()
    assert column(browser, 4) == ["9.0000", "", "", "", ""]  # none stands last, either way
    heads[3].click()
    assert column(browser, 4) == ["9.0000", "", "", "", ""]
    heads[0].click()
    assert [int(place) for place in column(browser, 1)] == [0, 1, 2, 3, 4]

    browser.find_element("css selector", "#filter input[value=INCONCLUSIVE]").click()
    assert set(column(browser, 8)) == {"REPRODUCED", "TOO SMALL", "CONTRADICTED"}
    assert browser.find_element("id", "shown").text == "3 of 5 shown"
    browser.find_element("css selector", "#filter input[value=INCONCLUSIVE]").click()
    browser.find_element("css selector", "#source option:nth-child(2)").click()
    assert set(column(browser, 3)) == {"A paper"}
    browser.find_element("css selector", "#source option:nth-child(1)").click()
    browser.find_element("id", "words").send_keys("NORMS")
    assert column(browser, 2) == ["norms are alike"]
    assert browser.get_log("browser") == []


def test_a_browser_opens_evidence_copies_and_saves(browser, made):
    sized(browser, 1400, made[2])
    link = browser.find_element("css selector", "#claims a.opens")
    link.click()
    evidence = browser.find_element("css selector", "#claims tr.evidence")
    assert made[0].results[0].command in evidence.text
    assert "relu 3" in evidence.find_element("tag name", "pre").text
    assert link.get_attribute("aria-expanded") == "true"
    # It goes with its row.
    browser.find_element("css selector", "#filter input[value=REPRODUCED]").click()
    assert not evidence.is_displayed()
    browser.find_element("css selector", "#filter input[value=REPRODUCED]").click()
    # Without a clipboard, as in some browsers where the page is a file, the text is copied all the same.
    browser.execute_script(
        """Object.defineProperty(navigator, "clipboard", { value: undefined });
           document.addEventListener("copy", () => (window.copied = document.activeElement.value));"""
    )
    button = evidence.find_element("css selector", "button.copy")
    button.click()
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 5).until(lambda _: button.text == "Copied")
    assert browser.execute_script("return window.copied") == made[0].results[0].command
    link.click()
    assert not browser.find_elements("css selector", "#claims tr.evidence")
    # A figure that is saved needs no page.
    browser.execute_script(
        """HTMLAnchorElement.prototype.click = function () { window.saved = [this.download, this.href]; };"""
    )
    browser.find_element("css selector", ".story button.save").click()
    name, text = browser.execute_async_script(
        """const [name, address] = window.saved, done = arguments[0];
           fetch(address).then((answer) => answer.text()).then((text) => done([name, text]));"""
    )
    assert name == "test-x1-depth.svg"
    assert xml.etree.ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.search(r"var\(|currentColor", text)
    assert browser.get_log("browser") == []


def test_an_address_opens_what_it_points_at(browser, made):
    sized(browser, 1400, made[2])
    browser.get(f"{made[2].as_uri()}#X2b-16")
    assert made[0].results[3].command in browser.find_element("id", "X2b-16").text


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "light"), (390, "dark"), (800, "light"), (1024, "dark"), (1400, "light")]
)
def test_a_browser_shows_all_of_it_at_any_width(browser, made, width, scheme):
    sized(browser, width, made[2], scheme)
    assert browser.get_log("browser") == []
    # Opened, too, nothing makes the page itself scroll sideways.
    browser.execute_script("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    browser.execute_script("document.querySelectorAll('#claims a.opens').forEach((link) => link.click())")
    assert browser.execute_script("return document.documentElement.scrollWidth") == width
    shown = browser.execute_script(
        """return [...document.querySelectorAll("figure svg, .grid img")].map((part) => {
             const box = part.getBoundingClientRect();
             return [box.left, box.right, box.width, box.height, part.checkVisibility({ visibilityProperty: true })];
           })"""
    )
    assert len(shown) == 16 + 40
    assert all(left >= 0 and right <= width and visible for left, right, _, _, visible in shown)
    assert all(w >= 60 and h >= 60 for _, _, w, h, _ in shown)
    # Ink on paper, in either scheme.
    ink, paper = browser.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (bright[0] < bright[1] - 450) == (scheme == "light")
    assert abs(bright[0] - bright[1]) > 450


def test_on_a_phone_the_claims_are_sorted_by_a_list(browser, made):
    sized(browser, 390, made[2])
    browser.find_element("css selector", "#sort option[value='4 1']").click()
    effects = [float(effect) for effect in column(browser, 5)]
    assert effects == sorted(effects, reverse=True)
