"""Settings of the service, read from the environment (``DISTILLWATCH_*``)."""

from __future__ import annotations

from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.prices import Prices


class Settings(BaseSettings):
    """Every field is an environment variable: ``data_dir`` is ``DISTILLWATCH_DATA_DIR``."""

    model_config = SettingsConfigDict(env_prefix="DISTILLWATCH_", extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in data_dir")
    host: str = "127.0.0.1"
    port: int = Field(8400, ge=1, le=65535)
    dashboard_port: int = Field(8401, ge=1, le=65535)
    max_body_mb: int = Field(
        64,
        ge=1,
        description="Largest body, before and after decompression; OpenTelemetry's exporters send up to 64 MiB",
    )
    max_batch_events: int = Field(10_000, ge=1)
    max_pending_mb: int = Field(256, ge=1, description="Bodies held in memory until they are on disk; beyond it: 503")
    parser_processes: int = Field(
        2, ge=0, description="Processes beside the API that read what takes long: OpenTelemetry and gateways' formats"
    )
    spool_mb: int = Field(
        1024, ge=0, description="Kept in files of data_dir while the database takes nothing; 0: such requests get 503"
    )
    min_free_mb: int = Field(256, ge=0, description="Below this much free space in data_dir nothing is accepted: 503")
    account_attributes: str = Field(
        "", description="Attributes and properties that name the account, before all others; separated by commas"
    )
    join_seconds: float = Field(
        15.0,
        ge=0,
        description="How long a call waits for those of its spans and log records that come in other requests",
    )
    max_ahead_days: float = Field(
        366.0, gt=0, description="Events dated later than this after their arrival are refused"
    )
    behind_seconds: float = Field(
        300.0,
        gt=0,
        description="From this age of the oldest event not yet profiled on, the worker is reported as behind",
    )
    retention_days: int | None = Field(
        None, ge=1, le=36_500, description="Events are deleted so many days after they arrived; empty: kept for ever"
    )
    content: Literal["full", "redacted", "none"] = Field(
        "full", description="What is kept of texts: all, all but personal data and secrets, or nothing"
    )
    oidc_issuer: str = Field("", description="Address of the identity provider through which people sign in")
    oidc_client_id: str = Field(
        "", validate_default=True, description="The dashboard's client id there: tokens must be made for it"
    )
    oidc_claim: str = Field(
        "email", min_length=1, description="What of a token names the person; email must be verified"
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="Hours until people sign in again")
    audit_dir: Path | None = Field(None, description="Folder whose log files can be audited from the dashboard")
    max_upload_mb: int = Field(1024, ge=1, description="Largest log file that can be uploaded for an audit")
    window_days: int = Field(28, ge=1, description="Days of traffic that an account is judged by")
    assess_seconds: float = Field(5.0, ge=0, description="Least time between two assessments")
    worker_batch: int = Field(4096, ge=1, description="Events per profile segment")
    calibration: Path | None = Field(None, description="Folder written by `distillwatch calibrate`")
    max_false_flags: float | None = Field(
        None, ge=1e-5, le=0.1, description="Share of honest accounts that may be flagged; else that of the calibration"
    )

    enforcement: Literal["all", "decisions", "none"] = Field(
        "all",
        description="What gateways are told: all actions, people's alone, or none; the switch can only be stricter",
    )
    auto_action: Literal["off", "throttle", "step_up", "reduce"] = Field(
        "off", description="Issued for new flags without a person; to block always takes people"
    )
    auto_min_risk: float = Field(0.95, ge=0, le=1, description="Least risk for an automatic action")
    auto_daily_cap: int = Field(10, ge=0, description="Most automatic actions in any 24 hours")
    auto_hours: int = Field(24, ge=1, le=720, description="Hours after which an automatic action ends")
    four_eyes: bool = Field(
        True, description="Blocks, campaign-wide and bulk actions, exceptions and unmasking wait for a second person"
    )
    max_action_days: int = Field(90, ge=1, description="Longest action that a decision may carry, longest exception")
    price_input: float = Field(
        3.0, ge=0, description="What a million input tokens cost, for estimates of what was taken"
    )
    price_output: float = Field(15.0, ge=0, description="What a million output tokens cost")
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="Currency of the prices, ISO 4217")
    claim_minutes: int = Field(30, ge=1, le=1440, description="How long a claimed case is kept for one person")
    large_customer_tokens: int = Field(
        5_000_000,
        ge=0,
        description="Tokens in the window from which an account is a large customer: its exceptions always take two people",
    )
    model_releases: str = Field(
        "", description="When models were released, for timelines: large-3=2026-09-10,small-2=2026-10-01"
    )
    public_url: str = Field("", description="Address of the dashboard for links in messages")
    webhook_allowed_networks: str = Field(
        "", description="Networks that webhooks may reach though they are not public, e.g. 10.1.0.0/16,127.0.0.0/8"
    )

    secret_key: str = Field(
        "",
        repr=False,
        description="Encrypts webhooks' secrets in the database: a Fernet key, or several by commas of which the first"
        " encrypts; empty: a key file in data_dir",
    )

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _readable(cls, value: str) -> str:
        _networks(value)
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _with_issuer(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value:
            raise ValueError("needed with DISTILLWATCH_OIDC_ISSUER: tokens made for other clients are not accepted")
        return value

    @property
    def webhook_networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks of ``webhook_allowed_networks``."""
        return _networks(self.webhook_allowed_networks)

    @field_validator("model_releases")
    @classmethod
    def _dated(cls, value: str) -> str:
        _releases(value)
        return value

    @property
    def releases(self) -> list[tuple[str, date]]:
        """The models and days of ``model_releases``, the first first."""
        return _releases(self.model_releases)

    @property
    def prices(self) -> Prices:
        """What tokens cost."""
        return Prices(self.price_input, self.price_output, self.currency)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The names of ``account_attributes``."""
        return tuple(name.strip() for name in self.account_attributes.split(",") if name.strip())

    @property
    def url(self) -> str:
        """The database's URL; ``postgresql://`` is taken to mean the psycopg driver."""
        if not self.database_url:
            return f"sqlite:///{(self.data_dir / 'distillwatch.db').resolve()}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url


def _releases(text: str) -> list[tuple[str, date]]:
    parts = [part.rpartition("=") for part in text.split(",") if part.strip()]
    return sorted(((m.strip(), date.fromisoformat(d.strip())) for m, _, d in parts), key=lambda r: (r[1], r[0]))


def _networks(text: str) -> list[IPv4Network | IPv6Network]:
    return [ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]
