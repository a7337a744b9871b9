"""What each platform asks of a configuration. Imports neither TensorFlow nor TFX."""

from __future__ import annotations

from typing import Literal

from components.paths import is_local
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig

Target = Literal["vertex", "kubeflow"]
TARGETS: tuple[Target, ...] = ("vertex", "kubeflow")


def check_target(config: PipelineConfig, target: str) -> Target:
    """Refuses what could not run there.

    Raises:
      ConfigError: which key, and what it must be.
    """
    if target not in TARGETS:
        raise ConfigError(f"--target {target}: must be {' or '.join(TARGETS)}")
    deployment = config.deployment
    if deployment.image is None:
        raise ConfigError("deployment.image: say which image the containers run; `make image` builds one")
    if deployment.workspace is None:
        raise ConfigError(
            "deployment.workspace: say where the pipeline keeps its models and tables, such as gs://bucket/customers"
        )
    _check_workspace(deployment.workspace, target)
    paths = {"data.path": config.data.paths}
    if config.validation.schema_path:
        paths["validation.schema"] = [config.validation.schema_path]
    if config.data.attributes:
        joined = config.data.attributes.path
        paths["data.attributes.path"] = [joined] if isinstance(joined, str) else joined
    paths |= {key: [path] for path, key in config.features.text_models.items()}
    for key, named in paths.items():
        for path in named:
            _check_reachable(key, path, deployment.workspace, target)
    if config.drift.requests:
        raise ConfigError(
            "drift.requests: requests are compared by `segments run` only; take the key out to compile"
        )
    if config.training.workers > 1:
        raise ConfigError(
            "training.workers: each component runs in one container there, on all its cores; take the key out, or "
            "--set training.workers=1"
        )
    return target


def _check_workspace(workspace: str, target: str) -> None:
    if target == "vertex" and not workspace.startswith("gs://"):
        raise ConfigError(
            f"deployment.workspace: Vertex keeps artifacts in Cloud Storage; {workspace} must be gs://bucket/folder"
        )
    if is_local(workspace) and not workspace.startswith("/"):
        raise ConfigError(
            f"deployment.workspace: {workspace} must be a URI, or the absolute path of a volume that every container "
            "mounts"
        )


def _check_reachable(key: str, path: str, workspace: str, target: str) -> None:
    """No container sees this machine's files; those on a volume that all mount are below the workspace."""
    if not is_local(path) or (target == "kubeflow" and path.startswith(f"{workspace.rstrip('/')}/")):
        return
    where = (
        f"put it below deployment.workspace ({workspace})" if is_local(workspace) else "copy it to the bucket"
    )
    raise ConfigError(f"{key}: {path} is on this machine, where no container of {target} sees it; {where}")
