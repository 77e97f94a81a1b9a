import json
import re
import shutil

import pytest

from serbench.errors import ResultsError, UnknownName
from serbench.reporting.loading import load_records
from serbench.reporting.page import render
from serbench.reporting.page.details import Texts, row_details
from serbench.reporting.page.render import write_index, write_page
from serbench.reporting.page.summary import summarise
from serbench.reporting.papers.details import class_report, pooled_confusion, speaker_report


@pytest.fixture(scope="module")
def page(report_results, report_records, report_board):
    return write_page(report_results, "toy", records=report_records, board=report_board)


def data_of(page) -> dict:
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def test_the_page_needs_no_network_and_hides_no_markup_from_results(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:,|#|\.\./\.\./index\.html)', text)
    assert "url(" not in text and "@import" not in text and "fetch(" not in text
    assert "<no>" not in text and "&lt;no&gt;" in text


def test_every_row_stands_with_its_protocol_and_numbers(page, report_board):
    text = page.read_text(encoding="utf-8")
    lines = {item[1]: item[0] for item in re.findall(r'(<tr class="row.*?id="(\w{8})".*?</tr>)', text, re.S)}
    assert set(lines) == set(report_board["row"])
    for entry in report_board.to_dict("records"):
        line = lines[entry["row"]]
        assert entry["protocol"] in line and entry["standing"] in line and entry["features"] in line
        if entry["folds_done"]:
            low, high = (f"{100 * entry[f'uar_{end}']:.1f}" for end in ("low", "high"))
            assert f"{100 * entry['uar']:.1f}" in line and f"[{low}–{high}]" in line
        assert ("incomplete" in line) != entry["complete"]


def test_details_hold_what_the_tables_hold(page, report_records, report_board):
    data = data_of(page)
    for row in report_board.loc[report_board["folds_done"] > 0, "row"]:
        cells, own = report_records[report_records["row"] == row], data["rows"][row]
        labels, confusion = pooled_confusion(cells)
        assert data["texts"][own["labels"]].split("\n") == labels
        assert own["confusion"] == confusion.ravel().tolist()
        assert [entry[4] for entry in own["classes"]] == [entry["support"] for entry in class_report(cells)]
        speakers = {entry["name"]: entry for entry in speaker_report(cells)}
        assert {name: uar for name, _, uar, *_ in own["speakers"]} == {
            name: pytest.approx(100 * entry["uar"], abs=0.051) for name, entry in speakers.items()
        }
        assert {gender for _, gender, *_ in own["speakers"]} == {"f", "m"}
        assert bool(own["curves"]) == (cells["model"].iloc[0] == "cnn")
    broken = data["rows"][report_board.loc[report_board["model"] == "broken", "row"].iloc[0]]
    assert data["texts"][broken["bad"][0][2]] == "ValueError: <no> luck & no C_max" and "confusion" not in broken


def test_every_row_has_the_command_that_makes_it_again(page, report_board):
    # tests/cli/test_rows_again.py runs such commands.
    commands = {row: details["run"] for row, details in data_of(page)["rows"].items()}
    assert commands == {row: f"serbench run toy --row {row}" for row in report_board["row"]}


def test_the_summary_says_what_won_by_how_much_and_what_failed(report_records, report_board):
    lines = summarise(report_records, report_board)
    text = "\n".join(lines)
    honest = report_board[(report_board["standing"] == "speaker-independent") & report_board["complete"]]
    first, second = honest.sort_values("rank").to_dict("records")[:2]
    assert "25 of 30 cells finished" in lines[0]
    assert f"{first['model']} · {first['features']} is best" in text
    assert f"{100 * (first['uar'] - second['uar']):.1f} points ahead of {second['model']}" in text
    assert "broken · handcrafted (0/3 folds) (official)" in text and "ValueError: <no> luck" in text
    random = report_board[report_board["protocol"] == "stratified_kfold"].set_index("model")["uar"]
    own = honest[honest["trials"] == 0].set_index("model")["uar"]
    drop = 100 * (random - own[random.index]).mean()
    assert f"give {drop:.0f} points more on average" in text


def test_a_suite_without_a_speaker_independent_row_is_told_plainly(report_records, report_board):
    random = report_board[report_board["protocol"] == "stratified_kfold"]
    assert any(
        "nothing here tells how a model does on new speakers" in line for line in summarise(report_records, random)
    )


def test_three_hundred_rows_stay_below_three_megabytes(report_records, report_board):
    texts, size = Texts(), 0
    deep = report_board[(report_board["model"] == "cnn")].to_dict("records")[0]
    cells = report_records[report_records["row"] == deep["row"]]
    for _ in range(3):
        details = row_details(cells, deep, {}, texts)
        size += len(json.dumps(details, separators=(",", ":")))
    assert 300 * size / 3 + sum(map(len, texts.values)) < 2_000_000
    assert len(texts.values) == len(set(texts.values)) < 40


def test_a_page_of_too_many_rows_is_cut_with_a_word(report_results, report_records, report_board, monkeypatch):
    monkeypatch.setattr(render, "MOST_LISTED", 2)
    text = render.write_page(report_results, "toy", records=report_records, board=report_board)
    text = text.read_text(encoding="utf-8")
    shown = re.findall(r'<tr class="row.*?id="(\w{8})"', text, re.S)
    kept = report_board.groupby(["corpus", "protocol", "labels", "options"], sort=False).head(2)
    assert shown == list(kept["row"]) and len(kept) < len(report_board)
    assert f"{len(report_board) - len(kept)} more are in `serbench leaderboard toy --format csv`" in text
    assert "more are in" not in write_page(
        report_results, "toy", records=report_records, board=report_board.head(2)
    ).read_text(encoding="utf-8")
    write_page(report_results, "toy", records=report_records, board=report_board)


def test_the_index_links_every_suite(report_results, page):
    path = write_index(report_results)
    text = path.read_text(encoding="utf-8")
    assert 'href="toy/report/index.html"' in text and "cnn" in text and "25 of 30 cells" in text
    assert (path.parent / "toy/report/index.html").is_file()


def test_published_claims_stand_on_the_page_and_on_the_index(report_results, report_records, report_board, tmp_path):
    numbers = {
        "reported": 0.947,
        "own": 0.81,
        "mistake": None,
        "mistake_made": "",
        "speaker_independent": 0.52,
        "gap": 0.29,
        **{"reported_place": "above all 10", "separated_by": "mistake", "own_min": 0.79, "own_max": 0.83},
        **{"own_trained": 1080, "mistake_trained": None, "speaker_independent_trained": 1200},
    }
    claim = {"claim": "P9", "model": "<CNN>", "metric": "macro_f1", **numbers, "gap_low": 0.2, "gap_high": 0.38}
    results = shutil.copytree(report_results, tmp_path / "results")
    path = write_page(results, "toy", records=report_records, board=report_board, claims=[claim])
    for text in (path.read_text(encoding="utf-8"), write_index(results, [claim]).read_text(encoding="utf-8")):
        (line,) = re.findall(r'<tr class="row"><td data-name="claim">.*</tr>', text)
        cells = re.findall(r">([^<>]+)</td>", line)
        assert cells == [
            "P9",
            "&lt;CNN&gt;",
            "macro f1",
            "94.7",
            "81.0 (79.0 to 83.0)",
            "–",
            "52.0",
            "above all 10",
            "mistake",
            "+29.0 [+20.0, +38.0]",
            "1080 / 1200",
        ]
    assert "Published claims" not in write_page(results, "toy").read_text(encoding="utf-8")


def test_pages_of_nothing_are_clear_errors(tmp_path, report_results, report_records):
    with pytest.raises(ResultsError, match="no results yet"):
        write_index(tmp_path)
    with pytest.raises(UnknownName, match="nosuch"):
        write_page(report_results, "nosuch")
    (tmp_path / "toy").write_text("a file where the folder should be")
    with pytest.raises(ResultsError, match="cannot write"):
        write_page(tmp_path, "toy", records=load_records(report_results, "toy").query("status == 'failed'"))


def binaries() -> tuple[str, str] | None:
    found = shutil.which("chromium"), shutil.which("chromedriver")
    return found if all(found) else None


@pytest.fixture(scope="module")
def browser():
    if binaries() is None:
        pytest.skip("no chromium with its driver here")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.binary_location, driver_path = binaries()
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    yield driver
    driver.quit()


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1600])
def test_the_page_works_in_a_browser(browser, page, report_board, tmp_path, width):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())

    def shown(column: str) -> list[str]:
        script = "return [...document.querySelectorAll('tr.row:not([hidden])')].map((row) => row.dataset[arguments[0]])"
        return browser.execute_script(script, column)

    def choose(selector: str, value: str) -> None:
        script = (
            "const item = document.querySelector(arguments[0]); item.value = arguments[1];"
            "item.dispatchEvent(new Event('input', {bubbles: true}));"
            "item.dispatchEvent(new Event('change', {bubbles: true}));"
        )
        browser.execute_script(script, selector, value)

    choose("#order", "uar")
    values = [float(value) for value in shown("uar") if value]
    assert values == sorted(values, reverse=True) and shown("uar")[-1] == ""
    choose("#order", "seconds")
    values = [float(value) for value in shown("seconds") if value]
    assert values == sorted(values)
    choose("[data-filter=standing]", "speaker-independent")
    assert set(shown("standing")) == {"speaker-independent"}
    choose("#search", "cnn")
    assert shown("model") == ["cnn"]
    assert browser.find_element(By.ID, "count").text == f"1 of {len(report_board)} rows"

    button = browser.find_element(By.CSS_SELECTOR, "tr.row:not([hidden]) button.open")
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-expanded") == "true"
    detail = browser.find_element(By.ID, button.get_attribute("aria-controls"))
    for title in ("Confusion matrix", "Per class", "Per speaker", "Loss (nats)", "Folds", "Parameters and provenance"):
        assert title in detail.text
    assert "serbench run toy --row " in detail.text
    button.send_keys(Keys.SPACE)
    assert button.get_attribute("aria-expanded") == "false" and not detail.is_displayed()
    button.send_keys(Keys.SPACE)

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    picture = tmp_path / "page.png"
    assert browser.save_screenshot(str(picture)) and picture.stat().st_size > 10_000


@pytest.mark.browser
def test_headings_sort_by_keyboard_and_say_so(browser, page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    size = {"width": 1600, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())
    head = browser.find_element(By.CSS_SELECTOR, "th[data-key=accuracy]")
    for expected in ("descending", "ascending"):
        head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
        assert head.get_attribute("aria-sort") == expected
    sorted_heads = browser.find_elements(By.CSS_SELECTOR, "th[aria-sort]")
    assert len(sorted_heads) == 1


@pytest.mark.browser
def test_a_link_to_a_row_opens_it(browser, page, report_board):
    from selenium.webdriver.common.by import By

    row = report_board["row"].iloc[2]
    browser.get(f"{page.as_uri()}#{row}")
    browser.refresh()
    assert browser.find_element(By.ID, f"details-{row}").is_displayed()
