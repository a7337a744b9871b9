"""Section `schedule`: when runs happen by themselves, and who hears of their end."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Literal, Union

from pydantic import Field, field_validator, model_validator

from configs.cron import parse_cron
from configs.section import Section

Seconds = Annotated[float, Field(ge=0)]
Ending = Literal["pushed", "kept", "up_to_date", "not_blessed", "rejected", "failed"]
Retried = Literal["failed", "timed_out", "usage", "not_blessed", "rejected"]


class HookConfig(Section):
    """Someone to tell how a run ended: a command, which gets the result as JSON on its standard input, or a URL that
    it is posted to. A hook that fails makes no run fail."""

    when: list[Ending] = Field(
        ["pushed", "kept", "not_blessed", "rejected", "failed"],
        min_length=1,
        description="how runs ended",
    )
    command: Union[str, list[str], None] = Field(
        None, description="a list of words, or a line for the shell; runs in the config's folder"
    )
    url: str | None = Field(None, description="http or https; gets a POST")
    timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    retries: Annotated[int, Field(ge=0, le=10)] = Field(2, description="attempts after the first one failed")

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> HookConfig:
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either 'command' or 'url'")
        return self


class ScheduleConfig(Section):
    """One run at a time; one that is due while another is at work is left out."""

    cron: str | None = Field(None, description="five fields as in crontab, in wall-clock time")
    timezone: str = Field("UTC", description="IANA name, such as Europe/Berlin")
    misfire_grace_seconds: Annotated[float, Field(ge=1)] = Field(
        3600.0,
        description="how late a run may begin that was due while the machine slept; several become one",
    )
    timeout_seconds: Annotated[float, Field(gt=0)] | None = Field(
        86_400.0, description="a run that takes longer is ended; null: none is"
    )
    retries: Annotated[int, Field(ge=0)] = Field(3, description="attempts after the first one failed")
    retry_on: list[Retried] = Field(
        ["failed", "timed_out"],
        description="how a run must have ended to be tried again",
    )
    backoff_seconds: Seconds = Field(60.0, description="wait before the first retry; doubles with each")
    max_backoff_seconds: Seconds = 3600.0
    stop_seconds: Seconds = Field(
        60.0,
        description="how long a run may go on when the scheduler is told to stop; 0: it is ended at once",
    )
    hooks: list[HookConfig] = Field(default_factory=list)

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is not None:
            parse_cron(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone; use an IANA name, such as Europe/Berlin") from error
        return value
