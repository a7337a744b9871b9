"""`segments compile`: the pipeline as a file for Kubeflow or Vertex."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from pipeline.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    errors_for_people,
    load,
    out,
    print_json,
)
from pipeline.cli.quiet import quiet_tensorflow
from pipeline.platform.targets import check_target


def compile_(
    config: ConfigArgument,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where the specification goes.")
    ],
    target: Annotated[str, typer.Option("--target", metavar="vertex|kubeflow", help="Who is to run it.")],
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile the pipeline for Vertex AI Pipelines or Kubeflow Pipelines, without credentials or network."""
    with errors_for_people(as_json):
        loaded, _ = load(config, overrides, None)
        check_target(loaded, target)
        quiet_tensorflow()
        from pipeline.platform.compiling import as_text, compile_pipeline

        job = compile_pipeline(loaded, target)
        partial = f"{output}.partial"
        with open(partial, "w", encoding="utf-8") as file:
            file.write(as_text(job))
        os.replace(partial, output)
    content = _told(job, target, output)
    if as_json:
        print_json(content)
        return
    out.print(f"{output}: {len(content['components'])} components for {target}", markup=False)
    for name, default in content["parameters"].items():
        out.print(f"  parameter {name}: {default!r} unless it is set at submission", markup=False)


def _told(job: dict[str, Any], target: str, output: str) -> dict[str, Any]:
    spec = job["pipelineSpec"]
    runtime = job.get("runtimeConfig", {})
    given = {**runtime.get("parameters", {}), **runtime.get("parameterValues", {})}
    return {
        "status": "ok",
        "target": target,
        "file": os.path.abspath(output),
        "schema_version": spec["schemaVersion"],
        "components": sorted(spec["components"]),
        "parameters": {name: _plain(value) for name, value in sorted(given.items())},
    }


def _plain(value: Any) -> Any:
    """Specification 2.0 says of each value what it is."""
    return next(iter(value.values()), None) if isinstance(value, dict) else value
