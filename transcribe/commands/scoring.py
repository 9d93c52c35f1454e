"""Commands of error rates: score one model by dialect, compare two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transcribe.commands.app import ML_TEAMS, AsJson, Debug, Workspace, app, console, open_workspace
from transcribe.console import Answer, Console
from transcribe.errors import GateFailed, UsageError

if TYPE_CHECKING:
    from transcribe.scoring.report import ScoreReports
    from transcribe.scoring.rules import ScoreRequest

_Normaliser = Annotated[str | None, typer.Option(help="One normaliser for all; default: by language and script.")]
_Variants = Annotated[
    list[Path] | None, typer.Option(help="Allowed spellings: TAG.tsv, or a folder of them. May be repeated.")
]
_By = Annotated[
    list[str] | None,
    typer.Option(
        help="A table by dialect, speaker, session, language, codeswitch, context, duration, snr, script or overlap, "
        "or several as a,b."
    ),
]


@app.command(rich_help_panel=ML_TEAMS, epilog="Example: boli wer --split test --out reports/today")
def wer(
    pairs: Annotated[Path | None, typer.Option(help="Score this CSV, JSONL or Parquet; no workspace needed.")] = None,
    model: Annotated[str | None, typer.Option(help="Whose drafts; default: the promoted model's.")] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "all",
    normaliser: _Normaliser = None,
    variants: _Variants = None,
    by: _By = None,
    next_points: Annotated[
        float | None,
        typer.Option("--next", min=0.1, help="What to record next, to bring intervals within so many points."),
    ] = None,
    conversations: Annotated[
        bool, typer.Option(help="Errors with the right name: cpWER, tcpWER, cost of diarisation, DER.")
    ] = False,
    train: Annotated[
        Path | None, typer.Option(help="Manifest of the training; a speaker or sentence of it is refused.")
    ] = None,
    allow_seen: Annotated[bool, typer.Option(help="What the training knew in rows of its own, not refused.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report as one page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report as a folder, each segment in it.")] = None,
    desk: Annotated[str | None, typer.Option(help="Address of the desk that examples on the page link to.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace what is there.")] = False,
    fail_if: Annotated[
        list[str] | None, typer.Option(help='Exit code 7 if it holds: "worst_reportable_wer>0.35". May be repeated.')
    ] = None,
    fail_if_regressed: Annotated[
        Path | None, typer.Option(help="Exit code 7 if a dialect is worse than in this report or table.")
    ] = None,
    privacy_floor: Annotated[bool, typer.Option(help="Leave the numbers of small groups out of --json too.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Score WER per dialect, with intervals by speaker; as a table, a page or a folder, and as a gate."""
    from transcribe.scoring.rules import ScoreRequest

    request = ScoreRequest(
        model=model,
        split=split,
        normaliser=normaliser,
        variants=tuple(variants or ()),
        by=tuple(by or ()),
        next=next_points,
        conversations=conversations,
        train=train,
        allow_seen=allow_seen,
        html=html,
        desk=desk,
        out=out,
        overwrite=overwrite,
        fail_if=tuple(fail_if or ()),
        fail_if_regressed=fail_if_regressed,
        privacy_floor=privacy_floor,
    )
    console.answer(score_table(pairs, request, console) if pairs else score_corrections(workspace, request, console))


@app.command("compare", rich_help_panel=ML_TEAMS, epilog="Example: boli compare base tuned --split test")
def compare_models(
    a: Annotated[str, typer.Argument(help="A model, a report that --out wrote, or a table of pairs.")],
    b: Annotated[str, typer.Argument(help="Another one on the same speech.")],
    pairs: Annotated[Path | None, typer.Option(help="The table that has both models.")] = None,
    split: Annotated[str, typer.Option(help="train, dev, test or all.")] = "all",
    normaliser: _Normaliser = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two models on each dialect, paired by speaker."""
    from transcribe.scoring.comparison import ComparisonRequest, compare

    request = ComparisonRequest(a=a, b=b, pairs=pairs, split=split, normaliser=normaliser)
    comparison, warnings = compare(workspace, request)
    console.answer(Answer(data=comparison.data(), text=comparison.text(), warnings=warnings))


def score_corrections(workspace: Path | None, request: ScoreRequest, console: Console | None = None) -> Answer:
    """
    Score WER per dialect of a workspace's corrections against one model's drafts.

    Raises:
        GateFailed: A condition holds that must not. With a *console* for people the report is printed first.
    """
    from transcribe.scoring.workspace import pause_garbage_collection, score_workspace
    from transcribe.workspace import find_next_step

    with pause_garbage_collection(), open_workspace(workspace) as wiring:
        scores = score_workspace(wiring, request)
        is_empty = not any(scored.report.overall.tally.segments for scored in scores.reports)
        step = find_next_step(wiring.store) if is_empty else None
        if step is not None:
            scores = replace(scores, warnings=(*scores.warnings, f"W_EMPTY: there is nothing to score yet; {step}"))
        return _answer(scores, request, console)


def score_table(file: Path, request: ScoreRequest, console: Console | None = None) -> Answer:
    """
    Score WER per dialect of a table of references and hypotheses, without a workspace; one report per model.

    Raises:
        GateFailed: As of `score_corrections`.
    """
    from transcribe.scoring.pairs import read_table
    from transcribe.scoring.report import report_scores
    from transcribe.scoring.workspace import pause_garbage_collection
    from transcribe.wiring import read_settings

    if request.conversations:
        raise UsageError("--conversations was asked for with --pairs, whose rows have no labels and no times")
    with pause_garbage_collection():
        models = read_table(file, request.model)
        return _answer(report_scores(models, request, read_settings(None).report), request, console)


def _answer(scores: ScoreReports, request: ScoreRequest, console: Console | None) -> Answer:
    """Make one answer of all reports; where a condition fails, print it for people and raise."""
    floor, alone = request.privacy_floor, len(scores.reports) == 1
    documents = [scored.data(privacy_floor=floor) for scored in scores.reports]
    texts = [scored.text(privacy_floor=floor) for scored in scores.reports]
    if not alone:
        texts = [f"model {scored.report.model}\n{text}" for scored, text in zip(scores.reports, texts, strict=True)]
    if scores.files:
        texts.append("\n".join(f"wrote {file}" for file in scores.files))
    answer = Answer(
        data=documents[0] if alone else {"models": documents}, text="\n\n".join(texts), warnings=scores.warnings
    )
    if scores.failures:
        if console is not None and not console.as_json:
            console.answer(answer)
        hint = "the report says which dialects and how sure that is"
        raise GateFailed("; ".join(scores.failures), hint=hint, item=scores.failures[0])
    return answer
