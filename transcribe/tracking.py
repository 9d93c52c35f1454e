"""Where a tuning is written down: plain files in a folder, and MLflow beside them where that is asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from transcribe.errors import MissingError

#: What may be set of a tuning, as both sides take it.
Value: TypeAlias = str | int | float | bool | None

PARAMETERS: Final = "parameters.json"
CURVES: Final = "curves.csv"
RESULT: Final = "result.json"


def track(
    folder: Path,
    *,
    parameters: Mapping[str, Value],
    curves: Sequence[Mapping[str, Value]],
    result: Mapping[str, Any],
    to: Literal["files", "mlflow"] = "files",
) -> tuple[Path, ...]:
    """
    Write a run down in *folder*: the same run again gives the same files.

    Args:
        parameters: What it was made with.
        curves: What was measured on the way, a row each; the columns are all names that occur.
        result: What came of it.
        to: ``mlflow`` logs the same there too, to the server that its environment names.

    Raises:
        MissingError: If MLflow was asked for and is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / PARAMETERS, parameters)
    columns = list(dict.fromkeys(name for row in curves for name in row))
    with (folder / CURVES).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(curves)
    _write_json(folder / RESULT, result)
    files = (folder / PARAMETERS, folder / CURVES, folder / RESULT)
    if to == "mlflow":
        _log(folder.name, parameters, curves, files)
    return files


def _log(
    name: str, parameters: Mapping[str, Value], curves: Sequence[Mapping[str, Value]], files: Sequence[Path]
) -> None:
    try:
        import mlflow
    except ModuleNotFoundError as error:
        message = "improve.tracking is mlflow, and it is not installed"
        raise MissingError(message, hint="pip install 'boli[mlflow]', or set improve.tracking to files") from error
    mlflow.set_experiment("boli")
    with mlflow.start_run(run_name=name):
        mlflow.log_params({key: value for key, value in parameters.items() if value is not None})
        for row in curves:
            step = row.get("step")
            measured = {key: float(value) for key, value in row.items() if key != "step" and _is_number(value)}  # type: ignore[arg-type]
            mlflow.log_metrics(measured, step=int(step) if isinstance(step, int) else 0)
        for file in files:
            mlflow.log_artifact(str(file))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _write_json(place: Path, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False)
    part = place.with_name(place.name + ".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(place)
