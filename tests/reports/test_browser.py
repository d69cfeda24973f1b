"""The page in a real browser: Chromium without a window, driven by Selenium."""

import dataclasses
import itertools
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.reports.large import large

from assay.analysis.compare import Evidence, compare
from assay.reports.html import Html
from assay.testing.simulated_study import simulate_study

webdriver = pytest.importorskip("selenium.webdriver")
pytest.importorskip("altair")
pytest.importorskip("vl_convert")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
EVIL = "<script>alert(1)<script>"
LONG = "vit_huge_patch14_clip_quickgelu_378.dfn5b_ft_member_"
BOARD = "#task-1 .leaderboard"

pytestmark = [
    pytest.mark.enable_socket,  # the driver listens on this machine
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator["webdriver.Chrome"]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def study() -> Evidence:
    many = _renamed(simulate_study(more_models=30), "timm:member_007", EVIL)
    return _renamed(many, "timm:member_", f"timm:{LONG}")


@pytest.fixture(scope="module")
def page(study, folder) -> Path:
    Html().render(compare(study, ranked_by=None, seed=0), folder / "study.html")
    return folder / "study.html"


def _renamed(study: Evidence, old: str, new: str) -> Evidence:
    jobs = [
        dataclasses.replace(result.job, model=result.job.model.replace(old, new)) for result in study.results
    ]
    results = tuple(
        dataclasses.replace(result, job=job) for result, job in zip(study.results, jobs, strict=True)
    )
    models = tuple(dataclasses.replace(row, address=row.address.replace(old, new)) for row in study.models)
    return dataclasses.replace(study, results=results, models=models)


def _open(browser, path: Path, *, charts: bool = True) -> None:
    """Open a page and wait until its charts are drawn; what was logged before is forgotten."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(path.as_uri())
    if not charts:
        return
    WebDriverWait(browser, 60).until(
        lambda driver: driver.execute_script("return document.documentElement.dataset.charts") == "drawn"
    )


def _complaints(browser) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser")]


def _requests(browser) -> list[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in asked if not url.startswith(("data:", "blob:"))]


def _models(browser, table: str = BOARD) -> list[str]:
    """Return the models that a reader sees in a table, in order."""
    script = (
        "return [...document.querySelector(arguments[0]).tBodies[0].rows].filter((row) => !row.hidden)"
        ".map((row) => row.querySelector('a.model').textContent)"
    )
    return browser.execute_script(script, table)


def _column(browser, column: int) -> list[str]:
    script = (
        f"return [...document.querySelector('{BOARD}').tBodies[0].rows].filter((row) => !row.hidden)"
        f".map((row) => row.cells[{column}].textContent)"
    )
    return browser.execute_script(script)


def _sort(browser, column: int) -> None:
    browser.find_elements(By.CSS_SELECTOR, f"{BOARD} thead th")[column].find_element(
        By.TAG_NAME, "button"
    ).click()


def _filter(browser, text: str) -> None:
    search = browser.find_element(By.CSS_SELECTOR, ".tools input")
    search.clear()
    search.send_keys(text)


def test_a_page_draws_its_charts_without_a_complaint_or_a_request(browser, page):
    _open(browser, page)

    assert _complaints(browser) == []
    assert _requests(browser) == [page.as_uri()]
    left = "return [...document.querySelectorAll('figure.chart:not([data-drawn])')].map((one) => one.id)"
    assert browser.execute_script(left) == ["heat-image"]  # folded
    drawn = {
        figure.get_attribute("id")
        for figure in browser.find_elements(By.CSS_SELECTOR, "figure:has(svg.marks)")
    }
    assert {"index-image", "task-1-cost", "task-3-cost", "alike-errors-image"} <= drawn


@pytest.mark.parametrize(("models", "tasks"), [(1, 1), (50, 20), (200, 60)])
def test_the_smallest_and_the_largest_study_are_drawn(browser, folder, models, tasks):
    path = folder / f"{models}_{tasks}.html"
    Html().render(large(models, tasks), path)

    _open(browser, path, charts=models > 1)

    browser.execute_script("document.querySelector('.chart, .leaderboard').scrollIntoView()")
    drawn = "return document.querySelectorAll('figure[data-drawn] svg.marks').length"
    WebDriverWait(browser, 30).until(lambda driver: models == 1 or driver.execute_script(drawn))
    assert _complaints(browser) == []
    assert len(browser.find_elements(By.CSS_SELECTOR, "table.leaderboard")) == tasks
    assert len(_models(browser)) == min(models, 20)


def test_names_of_a_chart_on_a_narrow_screen_differ(browser, page):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True},
    )
    _open(browser, page)

    names = browser.execute_script(
        "return [...document.querySelectorAll('#index-image svg .role-axis-label text')]"
        ".map((one) => one.textContent).filter((text) => /[a-z]/.test(text))"
    )
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len(names) > 20
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("width", [390, 1600])
def test_no_text_of_a_chart_overlaps_another_or_is_cut(browser, page, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    _open(browser, page)
    boxes = browser.execute_script(
        "const box = (one) => { const at = one.getBoundingClientRect();"
        " return [at.left, at.top, at.right, at.bottom]; };"
        "const isSeen = (text) => text.textContent.trim() && text.getAttribute('opacity') !== '0';"
        "return [...document.querySelectorAll('figure svg.marks')].map((svg) => [box(svg),"
        "[...svg.querySelectorAll('text')].filter(isSeen).map((text) => [text.textContent, box(text)])])"
    )  # fmt: skip
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    assert len(boxes) > 5
    for (left, _, right, _), texts in boxes:
        assert [text for text, box in texts if box[0] < left - 1 or box[2] > right + 1] == []
        pairs = itertools.combinations(texts, 2)
        assert [(first, second) for (first, a), (second, b) in pairs if _overlap(a, b)] == []


def _overlap(first: list[float], second: list[float]) -> bool:
    """Return whether two boxes share more than their borders."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return wide > 1 and high > 2


def test_a_cost_without_a_pareto_front_is_drawn_too(browser, study, folder):
    found = compare(study, ranked_by=None, seed=0)
    tasks = tuple(dataclasses.replace(findings, fronts={}) for findings in found.tasks)
    Html().render(dataclasses.replace(found, tasks=tasks), folder / "no_front.html")

    _open(browser, folder / "no_front.html")

    assert _complaints(browser) == []


def test_the_recommended_model_has_its_name_in_the_chart_of_costs(browser, page):
    _open(browser, page)

    (name,) = browser.execute_script(
        "return [...document.querySelectorAll('#task-1-cost svg .role-mark text')]"
        ".filter((one) => one.getAttribute('font-weight') === 'bold').map((one) => one.textContent)"
    )

    head, _, tail = name.partition("…")
    recommended = browser.find_element(By.CSS_SELECTOR, f"{BOARD} .recommended a.model").text
    assert recommended.startswith(head)
    assert recommended.endswith(tail)


def test_fifty_models_on_twenty_tasks_fit_into_two_megabytes(folder):
    Html().render(large(50, 20), folder / "page.html")

    assert (folder / "page.html").stat().st_size < 2_000_000


def test_a_name_that_is_a_script_stays_text(browser, page):
    browser.get(page.as_uri())

    _filter(browser, "alert")

    assert _models(browser) == [EVIL]
    assert browser.execute_script("return document.querySelectorAll('script').length") == 5  # ours alone


def test_a_column_sorts_both_ways_and_says_so(browser, page):
    browser.get(page.as_uri())

    _sort(browser, 2)
    rising = [float(text) for text in _column(browser, 2)]
    _sort(browser, 2)
    falling = [float(text) for text in _column(browser, 2)]

    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > rising[0]
    heads = browser.find_elements(By.CSS_SELECTOR, f"{BOARD} thead th[aria-sort]")
    assert [head.get_attribute("aria-sort") for head in heads] == ["descending"]


def test_latencies_sort_by_time_and_not_by_their_letters(browser, page):
    browser.get(page.as_uri())

    _sort(browser, 7)

    times = [float(text.split()[0]) for text in _column(browser, 7)]
    assert times == sorted(times)


def test_a_filter_leaves_the_models_that_hold_all_words(browser, page):
    browser.get(page.as_uri())

    _filter(browser, "MEMBER 01")

    assert all("member" in name and "01" in name for name in _models(browser))
    assert len(_models(browser)) == len(_models(browser, ".heat")) == 11  # 001, and 010 to 019
    assert browser.find_element(By.CSS_SELECTOR, ".tools .matches").text == "11 of 42"


def test_a_pinned_model_stays_on_top_of_every_table_and_in_the_charts(browser, page):
    _open(browser, page)
    last = "resnet18(pretrained=False)"
    _filter(browser, "resnet18")
    browser.find_element(By.CSS_SELECTOR, f"{BOARD} .pin[aria-label='Pin {last}']").click()

    _filter(browser, "member_003")

    for table in (BOARD, ".heat", "#task-2 .leaderboard"):
        assert _models(browser, table) == [last, _models(browser)[1]]
        assert "member_003" in _models(browser, table)[1]
    texts = "return [...document.querySelectorAll('#task-1-cost svg text')].map((one) => one.textContent)"
    WebDriverWait(browser, 5).until(lambda driver: last in driver.execute_script(texts))


def test_everything_is_done_by_keyboard_too(browser, page):
    browser.get(page.as_uri())
    body = browser.find_element(By.TAG_NAME, "body")

    body.send_keys("/")
    browser.switch_to.active_element.send_keys("resnet50")
    assert _models(browser) == ["resnet50.a1_in1k"]
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    browser.execute_script(f"document.querySelector('{BOARD} thead button').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    falling = [int(text) for text in _column(browser, 0)]
    assert falling == sorted(falling, reverse=True)
    browser.execute_script(f"document.querySelector('{BOARD} .pin').focus()")
    browser.switch_to.active_element.send_keys(Keys.SPACE)
    assert browser.switch_to.active_element.get_attribute("aria-pressed") == "true"


def test_charts_can_be_saved_as_svg_and_png(browser, page):
    _open(browser, page)

    menu = browser.find_elements(By.CSS_SELECTOR, "#task-1-cost .vega-actions a")

    assert [link.get_attribute("textContent") for link in menu] == ["Save as SVG", "Save as PNG"]
    assert [link.get_attribute("download") for link in menu] == [
        "assay-task-1-cost.svg",
        "assay-task-1-cost.png",
    ]


def test_on_a_phone_interval_and_parameters_are_seen_without_scrolling_sideways(browser, page):
    metrics = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        _open(browser, page, charts=False)
        table = browser.find_element(By.CSS_SELECTOR, ".leaderboard")
        heads = [
            head.text for head in table.find_elements(By.CSS_SELECTOR, "thead th") if head.is_displayed()
        ]
        hidden = "return arguments[0].parentElement.scrollWidth - arguments[0].parentElement.clientWidth"

        assert [" ".join(head.split()) for head in heads[1:]] == [
            "Model",
            "accuracy",
            "95 % CI",
            "Parameters",
        ]
        assert browser.execute_script(hidden, table) <= 0
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [390, 1600])
def test_a_page_is_as_wide_as_its_window(browser, page, width):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    _open(browser, page)

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_page_of_a_running_study_loads_itself_unless_its_reader_is_busy(browser, folder):
    Html(refresh_seconds=0.5).render(large(2, 1), folder / "running.html")
    browser.get((folder / "running.html").as_uri())
    is_new = "return window.isSeen === undefined"

    browser.execute_script("window.isSeen = true")
    WebDriverWait(browser, 10).until(lambda driver: driver.execute_script(is_new))

    browser.execute_script(
        "const search = document.querySelector('.tools input'); search.value = 'network';"
        "search.dispatchEvent(new Event('input')); window.isSeen = true"
    )
    time.sleep(1.2)
    assert not browser.execute_script(is_new)


def test_a_page_without_javascript_still_answers(browser, page):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(page.as_uri())

    text = browser.find_element(By.TAG_NAME, "body").text

    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "Recommended for images: " in text
    assert f"timm:{LONG}029" in text
    assert "against latency" not in text  # what only a script could fill is not there


@pytest.mark.parametrize("dark", [True, False])
def test_text_stands_out_from_the_page_by_day_and_by_night(browser, page, dark):
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    _open(browser, page)

    page_colour, ink, quiet, accent = browser.execute_script(
        "const style = getComputedStyle(document.documentElement);"
        "return ['page', 'ink', 'quiet', 'accent'].map((name) => style.getPropertyValue(`--${name}`).trim())"
    )

    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert (_luminance(page_colour) < 0.1) == dark
    assert min(_contrast(page_colour, colour) for colour in (ink, quiet, accent)) >= 4.5  # WCAG 2.2, AA


def _contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours by WCAG 2.2."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_table_of_a_notebook_is_sorted_and_filtered(browser, folder):
    path = folder / "notebook.html"
    path.write_text(
        f"<meta charset='utf-8'>{compare(simulate_study(), ranked_by=None, seed=0)._repr_html_()}"
    )
    browser.get(path.as_uri())
    table = browser.find_element(By.TAG_NAME, "table")

    def column(at: int) -> list[str]:
        rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
        return [row.find_elements(By.TAG_NAME, "td")[at].text for row in rows if row.is_displayed()]

    before = column(0)
    table.find_elements(By.TAG_NAME, "th")[7].click()
    counts = [int(count.replace(",", "")) for count in column(7) if count]
    table.find_elements(By.TAG_NAME, "th")[2].click()
    table.find_elements(By.TAG_NAME, "th")[2].click()
    values = [float(value) for value in column(2)]
    browser.find_element(By.TAG_NAME, "input").send_keys("ResNet18")
    names = column(1)

    assert counts == sorted(counts)
    assert values == sorted(values, reverse=True)
    assert len(before) > len(names) == 1
    assert "resnet18" in names[0]
