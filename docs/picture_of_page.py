"""Take a picture of the page of a served model: a real browser, given a recording.

    python docs/picture_of_page.py MODEL RECORDING docs/images/serve-page.png

Needs the extras `serve` and `test`, chromium and its driver.
"""

import argparse
import shutil
import threading
import time
from pathlib import Path


def main() -> None:
    """Serve, open, drop, wait, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("recording")
    parser.add_argument("picture")
    given = parser.parse_args()
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.wait import WebDriverWait

    from serbench.inference.answers import Respondent
    from serbench.inference.model import load_model
    from serbench.server.limits import Limits
    from serbench.server.run import make_server, open_port

    listener = open_port("127.0.0.1", 0)
    server = make_server(Respondent(load_model(given.model)), Limits(), None)
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    options = webdriver.ChromeOptions()
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=900,1500",
    ):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium")
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.get(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        WebDriverWait(driver, 120).until(lambda _: "trained on" in driver.find_element("id", "model").text)
        driver.find_element("id", "file").send_keys(str(Path(given.recording).resolve()))
        WebDriverWait(driver, 120).until(lambda _: driver.find_element("id", "windows").find_elements("tag name", "tr"))
        height = driver.execute_script("return document.documentElement.scrollHeight")
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 760, "height": height + 40, "deviceScaleFactor": 1, "mobile": False},
        )
        driver.save_screenshot(given.picture)
    finally:
        driver.quit()
        server.should_exit = True


if __name__ == "__main__":
    main()
