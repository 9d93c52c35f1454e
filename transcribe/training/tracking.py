"""Records of a tuning run: plain files in a folder, and MLflow where the settings ask for it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from transcribe.errors import MissingError

#: A parameter or a measurement, as files and MLflow take it.
Value: TypeAlias = str | int | float | bool | None

PARAMETERS: Final = "parameters.json"
CURVES: Final = "curves.csv"
RESULT: Final = "result.json"


def track(
    folder: Path,
    *,
    parameters: Mapping[str, Value],
    curves: Sequence[Mapping[str, Value]],
    outcome: Mapping[str, Any],
    to: Literal["files", "mlflow"] = "files",
) -> tuple[Path, ...]:
    """
    Record a run in *folder*: the same run again gives the same files.

    Args:
        parameters: The settings that it was made with.
        curves: The measurements on the way, a row each; the columns are all names that occur.
        outcome: The decision and its evidence.
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
    _write_json(folder / RESULT, outcome)
    files = (folder / PARAMETERS, folder / CURVES, folder / RESULT)
    if to == "mlflow":
        _log_to_mlflow(folder.name, parameters, curves, files)
    return files


def _log_to_mlflow(
    name: str, parameters: Mapping[str, Value], curves: Sequence[Mapping[str, Value]], files: Sequence[Path]
) -> None:
    try:
        import mlflow
    except ModuleNotFoundError as error:
        message = "improve.tracking is mlflow, and it is not installed"
        raise MissingError(message, hint="pip install 'boli[mlflow]', or set improve.tracking to files") from error
    mlflow.set_experiment("boli")
    with mlflow.start_run(run_name=name):
        mlflow.log_params({key: parameter for key, parameter in parameters.items() if parameter is not None})
        for row in curves:
            step = row.get("step")
            metrics = {key: float(point) for key, point in row.items() if key != "step" and _is_number(point)}  # type: ignore[arg-type]
            mlflow.log_metrics(metrics, step=int(step) if isinstance(step, int) else 0)
        for file in files:
            mlflow.log_artifact(str(file))


def _is_number(parameter: Value) -> bool:
    return isinstance(parameter, int | float) and not isinstance(parameter, bool)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False)
    part = path.with_name(path.name + ".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
