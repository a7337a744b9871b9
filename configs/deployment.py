"""Section `deployment`: where the pipeline runs when it does not run here."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator

from configs.section import Section

# A registry with a port has a colon, too; a tag is in the last part.
_TAGGED = re.compile(r"^[^\s@]+(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$")


class DeploymentConfig(Section):
    """What Kubeflow and Vertex must be told. Not needed for `segments run`."""

    image: str | None = Field(
        None,
        description="the container image of this project, with a tag or a digest (`make image` builds it)",
    )
    workspace: str | None = Field(
        None,
        description="the pipeline's folder there: gs://bucket/folder; on Kubeflow also a folder all containers mount",
    )
    cpu: Annotated[float, Field(gt=0)] | None = Field(None, description="cores that each container may use")
    memory_gb: Annotated[float, Field(gt=0)] | None = Field(
        None, description="memory that each container may use, GB"
    )

    @field_validator("image")
    @classmethod
    def _has_a_tag(cls, value: str | None) -> str | None:
        if value is not None and not (
            _TAGGED.match(value) and ("@" in value or ":" in value.rsplit("/", 1)[-1])
        ):
            raise ValueError("needs a tag or a digest, such as registry.example.org/segments:1.0")
        return value
