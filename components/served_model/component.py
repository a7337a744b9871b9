"""`ServedModel`: what customers get today, to be compared with and to start from."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.served_model import executor


class ServedModelSpec(types.ComponentSpec):
    """Specification of `ServedModel`."""

    PARAMETERS = {
        "serving_dir": ExecutionParameter(type=str),
        "version": ExecutionParameter(type=str),
        "known": ExecutionParameter(type=str, optional=True),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict[str, ChannelParameter] = {}
    OUTPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
    }


class ServedModel(base_component.BaseComponent):
    """Publishes the served version as a Model artifact: always one, with `served` 0 where there is none.

    And as a PushedModel, for what works with the version that customers get, be it new or kept.

    The last blessed model will not do in its place: it may never have been pushed, and a rollback changes
    what is served without a blessing.

    ```
    served = ServedModel(serving_dir=serving, version=served_version(serving) or "")
    ```
    """

    SPEC_CLASS = ServedModelSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        serving_dir: str,
        version: str,
        known: Optional[str] = "",
        code_version: Optional[str] = "",
    ) -> None:
        """Names the version.

        Args:
          serving_dir: The served folder.
          version: The version that is served, as `components.served_model.versions.served_version` finds it;
            "" where there is none. It is a parameter, so that TFX's cache knows when it changed. `NEWEST` is for
            platforms, where nobody can look before the run: whichever is served when the component works, with no
            need of `known`.
          known: Every segment id that was ever served, as `components.served_model.known.known_to_json` writes it: a
            rollback makes an older version the parent, whose successor must not use the ids of later ones again.
          code_version: Hash of the code that runs, for TFX's cache key.

        Raises:
          ValueError: `version` is not the name of a version.
        """
        if (
            version
            and version != executor.NEWEST
            and not (version.isascii() and version.isdigit() and version[0] != "0")
        ):
            raise ValueError(f'version is "{version}"; it must be a whole number from 1 on, or "" for none')
        spec = ServedModelSpec(
            serving_dir=serving_dir,
            version=version,
            known=known,
            code_version=code_version,
            model=types.Channel(type=standard_artifacts.Model),
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        super().__init__(spec=spec)
