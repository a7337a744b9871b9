"""The command line. Each command lives in a module of its own; none imports TensorFlow here."""

from __future__ import annotations

import typer

from pipeline.cli import (
    assign,
    check,
    clean,
    compile,
    explain,
    report,
    rollback,
    run,
    runs,
    sample,
    schedule,
    schema,
)

app = typer.Typer(
    name="segments",
    help="Turns customers or transactions into segments that stay meaningful.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("sample")(sample.sample)
app.command("check")(check.check)
app.command("run")(run.run)
app.command("runs")(runs.runs)
app.command("assign")(assign.assign)
app.command("explain")(explain.explain)
app.command("schedule")(schedule.schedule)
app.command("compile")(compile.compile_)
app.command("rollback")(rollback.rollback)
app.command("clean")(clean.clean)
app.command("report")(report.report)
app.command("schema")(schema.schema)


def main() -> None:
    """The `segments` console script."""
    app()


if __name__ == "__main__":
    main()
