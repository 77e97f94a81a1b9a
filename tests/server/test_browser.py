"""The page in a real headless browser, with a microphone that hears a WAV file."""

import shutil

import numpy as np
import pytest
import soundfile

from serbench.inference.model import load_model

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no browser with a driver is installed"),
]
RATE = 48_000


def write_tone(path, pitch, seconds=20):
    times = np.arange(seconds * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.02, len(times))
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * times) + noise, RATE)
    return path


@pytest.fixture
def open_browser():
    """Open a browser: ``open_browser(*flags)``; it has no microphone unless the flags give it one."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    opened = []

    def start(*flags, width=900):
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        usual = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
        for flag in (*usual, f"--window-size={width},1200", *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        opened.append(webdriver.Chrome(options=options, service=Service(DRIVER)))
        opened[-1].set_page_load_timeout(120)
        return opened[-1]

    yield start
    for driver in opened:
        driver.quit()


def microphone(path):
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    )


def text_of(driver, element):
    return driver.find_element("id", element).text


def wait(driver, condition, seconds=120):
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(driver, seconds).until(lambda _: condition())


def severe(driver):
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_page_hears_from_the_microphone_what_predict_hears_in_the_file(open_browser, served, trained, tmp_path):
    path = write_tone(tmp_path / "voice.wav", 150)
    driver = open_browser(*microphone(path))
    driver.get(served)
    button = driver.find_element("id", "record")
    wait(driver, lambda: "trained on tiny" in text_of(driver, "model"))
    button.click()
    # The stream answers while the recording goes on.
    wait(driver, lambda: "Recording … low" in text_of(driver, "status"))
    assert button.get_attribute("aria-pressed") == "true" and button.text == "Stop"
    button.click()
    wait(driver, lambda: text_of(driver, "label"))
    assert text_of(driver, "label") == load_model(trained).predict(path) == "low"
    assert "When it says low to people it has not heard, it is right" in text_of(driver, "worth")
    wait(driver, lambda: driver.find_element("id", "windows").find_elements("tag name", "tr"))
    assert not text_of(driver, "problem") and not severe(driver)


def test_a_file_is_answered_drawn_and_told_on_a_narrow_screen(open_browser, served, trained, tmp_path):
    path = write_tone(tmp_path / "voice.wav", 600, seconds=8)
    expected = load_model(trained).predict(path)
    driver = open_browser(width=500)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    )
    driver.get(served)
    driver.find_element("id", "file").send_keys(str(path))
    wait(driver, lambda: text_of(driver, "status").startswith(f"voice.wav: {expected}, "))
    wait(driver, lambda: driver.find_element("id", "windows").find_elements("tag name", "tr"))
    assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    drawn = """return [...document.querySelectorAll("canvas")].map((canvas) => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.some((value) => value > 0);
    })"""
    assert driver.execute_script(drawn) == [True, True, True]
    widths = [bar.size["width"] for bar in driver.find_elements("css selector", "#bars .bar span")]
    assert widths == sorted(widths, reverse=True) and widths[0] > 2 * widths[-1]
    assert expected in driver.find_element("id", "timeline").get_attribute("aria-label")
    for live in ("status", "problem"):
        assert driver.find_element("id", live).get_attribute("role") in ("status", "alert")
    unnamed = """return [...document.querySelectorAll("button, input, canvas, a")]
        .filter((it) => !(it.textContent.trim() || it.ariaLabel || (it.labels || []).length)).map((it) => it.id)"""
    assert driver.execute_script(unnamed) == []


def test_the_keyboard_reaches_everything(open_browser, served):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    driver = open_browser()
    driver.get(served)
    reached = []
    for _ in range(4):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        reached.append(driver.switch_to.active_element.get_attribute("id") or driver.switch_to.active_element.text)
    assert reached == ["record", "file", "The interface for programs", "sheet"]


def test_the_interface_is_shown_and_nobody_else_is_asked(open_browser, served):
    driver = open_browser()
    driver.get(f"{served}/docs")
    wait(driver, lambda: "/predict" in driver.find_element("tag name", "body").text)
    asked = driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(asked) >= 3 and all(name.startswith((f"{served}/", "data:")) for name in asked)
    assert not severe(driver)


def test_what_is_wrong_is_told(open_browser, served, tmp_path):
    driver = open_browser("--deny-permission-prompts", "--use-fake-device-for-media-stream")
    driver.get(served)
    driver.find_element("id", "record").click()
    wait(driver, lambda: "No permission to use the microphone" in text_of(driver, "problem"))
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    driver.find_element("id", "file").send_keys(str(tmp_path / "broken.wav"))
    wait(driver, lambda: "broken.wav: cannot be decoded" in text_of(driver, "problem"))
    assert not driver.find_element("id", "answer").is_displayed()


def test_a_machine_without_a_microphone_is_told_of(open_browser, served):
    driver = open_browser("--use-fake-ui-for-media-stream")
    driver.get(served)
    driver.find_element("id", "record").click()
    wait(driver, lambda: "No microphone was found" in text_of(driver, "problem"))
