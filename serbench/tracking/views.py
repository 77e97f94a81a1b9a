"""Views that the experiment's page offers by name: which rows, which columns, in which order.

MLflow's pages keep a saved view as a tag of the experiment; a link can open one by its key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TAG = "mlflow.sharedViewState."
UNSEEN, ALL_ROWS, COMPARISON, CURVES = "unseen", "rows", "comparison", "folds"
NAMES = {
    UNSEEN: "Unseen speakers, best UAR first",
    ALL_ROWS: "All rows, best UAR first",
    COMPARISON: "Models side by side",
    CURVES: "Folds and their epoch curves",
}
FILTERS = {
    UNSEEN: 'tags.level = "row" and tags.speaker_independent = "true"',
    ALL_ROWS: 'tags.level = "row"',
    COMPARISON: 'tags.level = "row" and tags.speaker_independent = "true"',
    CURVES: 'tags.level = "fold"',
}
AS_CHARTS = (COMPARISON, CURVES)
RUN_NAME, CREATED = "attributes.`Run Name`", "runDateAndNestInfo"
WIDTHS = {RUN_NAME: 340, CREATED: 150, "tags.`verdict`": 180}
ROW_COLUMNS = (
    *(f"metrics.`{name}`" for name in ("uar", "uar_low", "uar_high", "accuracy", "macro_f1", "fit_seconds")),
    *(f"tags.`{name}`" for name in ("folds", "verdict")),
)
FOLD_COLUMNS = tuple(f"metrics.`{name}`" for name in ("fold_uar", "fold_accuracy", "fold_macro_f1", "fit_seconds"))
EPOCHS = ("val_uar", "uar", "val_loss", "loss")
# MLflow asks when a view was made; ours come with the program.
MADE = 1_700_000_000_000


def view_tags(*, curves: bool = True) -> dict[str, str]:
    """Tags of an experiment that make the views; without any epoch `curves` there is no view of them."""
    return {
        f"{TAG}{key}": json.dumps(
            {"name": name, "createdAt": MADE, "updatedAt": MADE, "state": json.dumps(_state(key))}, ensure_ascii=False
        )
        for key, name in NAMES.items()
        if curves or key != CURVES
    }


def view_address(page: str, key: str) -> str:
    """Address of a view below the address of the experiment's run list."""
    mode = "&compareRunsMode=CHART" if key in AS_CHARTS else ""
    return f"{page}?workflowType=machine_learning&viewStateShareKey={key}{mode}"


def _state(key: str) -> Mapping[str, Any]:
    columns = FOLD_COLUMNS if key == CURVES else ROW_COLUMNS
    order = [RUN_NAME, CREATED, *columns]
    state = {
        "searchFilter": FILTERS[key],
        "orderByKey": columns[0],
        "orderByAsc": False,
        "selectedColumns": list(columns),
        "columnOrder": order,
        "columnWidths": {name: WIDTHS.get(name, 100) for name in order},
    }
    return state | CHARTS.get(key, dict)()


def _comparison() -> dict[str, Any]:
    common = _common("comparison", runs=50)
    parallel = {"selectedParams": ["features", "model"], "selectedMetrics": ["accuracy", "macro_f1", "uar"]}
    charts = [
        {"uuid": "uar", "type": "BAR", "metricKey": "uar", "displayName": "uar", **common},
        {"uuid": "parallel", "type": "PARALLEL", "showAllRuns": True, **parallel, **common},
    ]
    return {"compareRunCharts": charts, **_sections("comparison", "Comparison", columns=1)}


def _curves() -> dict[str, Any]:
    common = {"type": "LINE", "xAxisKey": "step", "lineSmoothness": 0, **_common("curves", runs=10)}
    charts = [
        {"uuid": name, "metricKey": f"epoch/{name}", "selectedMetricKeys": [f"epoch/{name}"], **common}
        for name in EPOCHS
    ]
    return {"compareRunCharts": charts, **_sections("curves", "Epoch by epoch", columns=2)}


def _common(section: str, runs: int) -> dict[str, Any]:
    return {"metricSectionId": section, "runsCountToCompare": runs, "isGenerated": False, "deleted": False}


def _sections(key: str, name: str, columns: int) -> dict[str, Any]:
    sections = [
        {"uuid": key, "name": name, "display": True, "isReordered": True, "columns": columns},
        {"uuid": "others", "name": "Model metrics", "display": True, "isReordered": True},
    ]
    return {"compareRunSections": sections, "isAccordionReordered": True}


CHARTS = {COMPARISON: _comparison, CURVES: _curves}
