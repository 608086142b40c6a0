"""Settings of the service, read from the environment (``DISTILLWATCH_*``)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every field is an environment variable: ``data_dir`` is ``DISTILLWATCH_DATA_DIR``."""

    model_config = SettingsConfigDict(env_prefix="DISTILLWATCH_", extra="ignore")

    data_dir: Path = Path("var")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in data_dir")
    host: str = "127.0.0.1"
    port: int = Field(8400, ge=1, le=65535)
    dashboard_port: int = Field(8401, ge=1, le=65535)
    max_body_mb: int = Field(32, ge=1, description="Largest body, before and after decompression")
    max_batch_events: int = Field(10_000, ge=1)
    max_pending_mb: int = Field(256, ge=1, description="Bodies held in memory until they are on disk; beyond it: 503")
    window_days: int = Field(28, ge=1, description="Days of traffic that an account is judged by")
    assess_seconds: float = Field(5.0, ge=0, description="Least time between two assessments")
    worker_batch: int = Field(4096, ge=1, description="Events per profile segment")
    calibration: Path | None = Field(None, description="Folder written by `distillwatch calibrate`")

    @property
    def url(self) -> str:
        """The database's URL; ``postgresql://`` is taken to mean the psycopg driver."""
        if not self.database_url:
            return f"sqlite:///{(self.data_dir / 'distillwatch.db').resolve()}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url
