"""Runs a compiled pipeline as its platform would: each task's container command, in the order of the tasks.

What a platform does between tasks is done here by the book of the pipeline specification: inputs are what the
producers' `executor_output.json` says, conditions are evaluated on them, parameters come from the submission.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor

from tests.end_to_end.command import PROJECT

BUCKET = "gs://bucket"
_CONDITION = re.compile(
    r"\(inputs\.artifacts\['([^']+)'\]\.artifacts\[0\]\.metadata\['([^']+)'\] == ([0-9.]+)\)"
)


def in_a_process(command: list[str], log: Path) -> None:
    """As a container is started."""
    command = [sys.executable if part == "python" else part for part in command]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with log.open("wb") as file:
        done = subprocess.run(
            command, stdout=file, stderr=subprocess.STDOUT, env=environment, timeout=300, check=False
        )
    assert done.returncode == 0, log.read_text(errors="replace")[-4000:]


def in_this_process(command: list[str], log: Path) -> None:
    """The same entry point, without loading TensorFlow for every task."""
    assert command[:2] == ["python", "-m"]
    assert command[2] == kubeflow_v2_run_executor.__name__
    kubeflow_v2_run_executor.main(kubeflow_v2_run_executor._parse_flags(["", *command[3:]][1:]))
    log.touch()


class Backend:
    """One project on a platform. `bucket` stands for gs://bucket."""

    def __init__(self, bucket: Path, execute: Callable[[list[str], Path], None]):
        self.bucket, self._execute = bucket, execute
        self._submissions = 0

    def submit(self, job: Mapping[str, Any], **parameters: Any) -> dict[str, dict[str, Any]]:
        """Runs the job to its end; returns the outputs of the tasks that ran: task -> output -> artifact."""
        self._submissions += 1
        text = json.dumps(job).replace(BUCKET, str(self.bucket))
        spec = json.loads(text)["pipelineSpec"]
        root = Path(json.loads(text)["runtimeConfig"]["gcsOutputDirectory"]) / f"job-{self._submissions}"
        given = {**_given(json.loads(text)), **parameters}
        assert set(given) == set(spec["root"]["inputDefinitions"]["parameters"])
        outputs: dict[str, dict[str, Any]] = {}
        tasks = dict(spec["root"]["dag"]["tasks"])
        skipped: set[str] = set()
        while tasks:
            ready = [n for n, task in tasks.items() if not set(task.get("dependentTasks", [])) & set(tasks)]
            assert ready, f"no order among {sorted(tasks)}"
            for name in sorted(ready):
                task = tasks.pop(name)
                inputs = _artifacts(task, outputs)
                if set(task.get("dependentTasks", [])) & skipped or not _applies(task, inputs):
                    skipped.add(name)
                    continue
                outputs[name] = self._run(spec, name, task, inputs, given, root)
        return outputs

    def _run(
        self,
        spec: Mapping[str, Any],
        name: str,
        task: Mapping[str, Any],
        inputs: Mapping[str, Any],
        given: Mapping[str, Any],
        root: Path,
    ) -> dict[str, Any]:
        component = spec["components"][task["componentRef"]["name"]]
        is_2_1 = spec["schemaVersion"] == "2.1.0"
        values = {key: _value(source, given) for key, source in task["inputs"].get("parameters", {}).items()}
        made = {
            key: {
                "artifacts": [
                    {
                        "name": f"projects/1/artifacts/{name}-{key}-{self._submissions}",
                        "type": output["artifactType"],
                        "uri": str(root / name / key),
                    }
                ]
            }
            for key, output in component.get("outputDefinitions", {}).get("artifacts", {}).items()
        }
        parameters = (
            {"parameterValues": values}
            if is_2_1
            else {"parameters": {key: _typed(value) for key, value in values.items()}}
        )
        told = root / name / "executor_output.json"
        told.parent.mkdir(parents=True)
        invocation = {
            "inputs": {
                "artifacts": {key: {"artifacts": [artifact]} for key, artifact in inputs.items()},
                **parameters,
            },
            "outputs": {"artifacts": made, "outputFile": str(told)},
        }
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        assert "lifecycle" not in container, "Kubeflow runs no drivers"
        arguments = [json.dumps(invocation) if part == "{{$}}" else part for part in container["args"]]
        self._execute([*container["command"], *arguments], root / name / "log")
        content = json.loads(told.read_text())
        found = {key: value["artifacts"][0] for key, value in content.get("artifacts", {}).items()}
        assert set(found) == set(made)
        return {
            key: {**artifact, "type": made[key]["artifacts"][0]["type"]} for key, artifact in found.items()
        }


def _given(job: Mapping[str, Any]) -> dict[str, Any]:
    runtime = job["runtimeConfig"]
    typed = {name: next(iter(value.values())) for name, value in runtime.get("parameters", {}).items()}
    # 64-bit numbers are text in JSON.
    kinds = job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
    typed = {name: int(value) if kinds[name].get("type") == "INT" else value for name, value in typed.items()}
    return {**typed, **runtime.get("parameterValues", {})}


def _artifacts(task: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    sources = {key: each["taskOutputArtifact"] for key, each in task["inputs"].get("artifacts", {}).items()}
    return {
        key: outputs[source["producerTask"]][source["outputArtifactKey"]]
        for key, source in sources.items()
        if source["producerTask"] in outputs
    }


def _applies(task: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    condition = task.get("triggerPolicy", {}).get("condition")
    if condition is None:
        return True
    match = _CONDITION.fullmatch(condition)
    assert match, condition
    key, name, value = match.groups()
    return float(inputs[key]["metadata"][name]) == float(value)


def _value(source: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    if "componentInputParameter" in source:
        return given[source["componentInputParameter"]]
    value = source["runtimeValue"]
    if "constant" in value:
        return value["constant"]
    ((kind, constant),) = value["constantValue"].items()
    return int(constant) if kind == "intValue" else constant


def _typed(value: Any) -> dict[str, Any]:
    kind = {int: "intValue", float: "doubleValue"}.get(type(value), "stringValue")
    return {kind: str(value) if kind == "intValue" else value}
