"""A tuning is written down in plain files, and in MLflow where that is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from transcribe.training.tracking import CURVES, PARAMETERS, RESULT, track

PARAMETERS_OF_A_RUN = {"rank": 8, "rate": 0.01, "focus": "en-scotland", "window_ms": None}
POINTS = [{"step": 0, "loss": None, "wer hi": 0.5}, {"step": 50, "loss": 1.25, "wer hi": 0.25, "wer ta": 0.125}]


def test_a_run_is_three_files_that_any_program_reads(tmp_path: Path) -> None:
    files = track(tmp_path / "run", parameters=PARAMETERS_OF_A_RUN, curves=POINTS, outcome={"promoted": True})
    assert [file.name for file in files] == [PARAMETERS, CURVES, RESULT]
    assert json.loads(files[0].read_text()) == PARAMETERS_OF_A_RUN
    assert files[1].read_text() == "step,loss,wer hi,wer ta\n0,,0.5,\n50,1.25,0.25,0.125\n"
    assert json.loads(files[2].read_text()) == {"promoted": True}


def test_the_same_run_again_gives_the_same_files(tmp_path: Path) -> None:
    for _ in range(2):
        files = track(tmp_path, parameters=PARAMETERS_OF_A_RUN, curves=POINTS, outcome={"why": "क"})
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_mlflow_is_told_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="MLflow is an extra: pip install 'boli[mlflow]'")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    track(tmp_path / "tuned-1", parameters=PARAMETERS_OF_A_RUN, curves=POINTS, outcome={"promoted": True}, to="mlflow")
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlflow").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("boli").experiment_id])
    assert run.data.params["rank"] == "8"
    assert run.data.metrics["wer ta"] == 0.125
    assert {artefact.path for artefact in client.list_artifacts(run.info.run_id)} == {PARAMETERS, CURVES, RESULT}
