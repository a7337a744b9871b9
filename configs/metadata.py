"""Section `metadata`: the database that ML Metadata keeps its records in."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from configs.section import Section

# ML Metadata puts these into a connection string as they are: a blank or a quote would end the value there.
Word = Annotated[str, StringConstraints(pattern=r"^[^\s'\"\\=]+$")]
DatabaseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_$-]{1,63}$")]

_PORTS = {"postgresql": 5432, "mysql": 3306}


class MetadataSslConfig(Section):
    """Encryption of the connection. `mode` is PostgreSQL's; `capath`, `cipher`, `verify_server_cert` are MySQL's."""

    mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        None, description="PostgreSQL's sslmode"
    )
    ca: Word | None = Field(None, description="file with the certificates of authorities to trust")
    cert: Word | None = Field(None, description="file with the client's certificate")
    key: Word | None = Field(None, description="file with the client's private key, without a passphrase")
    capath: Word | None = Field(None, description="MySQL: folder of such certificates")
    cipher: Word | None = Field(None, description="MySQL: ciphers to allow")
    verify_server_cert: bool | None = Field(
        None, description="MySQL: whether the certificate must be of the host"
    )


class MetadataConfig(Section):
    """A file in the workspace, or a database server. Passwords are never here: what names them is."""

    backend: Literal["sqlite", "postgresql", "mysql"] = "sqlite"
    host: Word | None = Field(None, description="the server's name or address")
    port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(None, description="else the server's usual")
    database: DatabaseName | None = Field(None, description="must exist; its tables are made")
    user: Word | None = None
    password_env: str | None = Field(None, description="environment variable that holds the password")
    password_file: str | None = Field(None, description="file whose first line is the password")
    ssl: MetadataSslConfig | None = None

    @field_validator("password_env")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        # A message of ours, so that what may be a password is not shown.
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("must be the name of an environment variable, not the password itself")
        return value

    @model_validator(mode="after")
    def _keys_fit_the_backend(self) -> MetadataConfig:
        given = [
            name for name in type(self).model_fields if name != "backend" and getattr(self, name) is not None
        ]
        if self.backend == "sqlite":
            if given:
                raise ValueError(
                    f"{given[0]} is for a server; say which with backend: postgresql or backend: mysql"
                )
            return self
        for name in ("host", "database", "user"):
            if name not in given:
                raise ValueError(f"{name} is required with backend: {self.backend}")
        if self.password_env and self.password_file:
            raise ValueError("give password_env or password_file, not both")
        if self.backend == "mysql" and "-" in str(self.database):
            raise ValueError(f"database {self.database} holds a '-', which ML Metadata cannot say to MySQL")
        self._check_ssl()
        return self

    def _check_ssl(self) -> None:
        foreign = ("mode",) if self.backend == "mysql" else ("capath", "cipher", "verify_server_cert")
        for name in foreign:
            if self.ssl is not None and getattr(self.ssl, name) is not None:
                raise ValueError(f"ssl.{name} is not for {self.backend}")

    @property
    def server_port(self) -> int:
        """`port`, or the one that such servers listen on."""
        return self.port or _PORTS[self.backend]
