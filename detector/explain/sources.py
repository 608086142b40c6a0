"""Where an explanation comes from: the log, or a finished audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import msgspec
import polars as pl

from detector.assessment import AccountFinding, Assessment, CampaignFinding
from detector.audit import PROFILES, read_examples
from detector.explain.explanation import Explanation, explain
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.profiling import profile_files
from detector.progress import Progress
from detector.report.document import encodable
from detector.templates import fill_in

NEAREST = 5  # ids that an error names
COMPARED = 20_000  # ids that are compared letter by letter with an unknown one
SAME_RISK = 1e-6  # of an assessment that is repeated: more is another calibration


class UnknownAccount(ValueError):
    """There is no account of this name; the text names the nearest."""


def explain_logs(
    account_id: str,
    paths: Sequence[Path],
    *,
    format: str = "auto",
    account: str | None = None,
    account_attributes: Sequence[str] = (),
    calibration: Path | None = None,
    max_false_flags: float | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain an account from the log files. Raises UnknownAccount, and FormatError when a file cannot be read at all."""
    progress = progress or Progress()
    progress.stage("loading the encoder")
    detector = Detector.load(calibration).with_max_false_flags(max_false_flags)
    progress.stage("reading")
    part = profile_files(paths, detector, format, account, progress, account_attributes=account_attributes)
    profiles = part.profiles
    _must_know(account_id, profiles.accounts["account_id"])
    progress.stage("assessing")
    assessment = detector.assess(profiles)
    progress.stage("searching for what would change the verdict")
    explained = explain(profiles, assessment, account_id, detector.scorer)
    progress.stage("reading its templates")
    alone = Assessment(accounts=[explained.account], campaigns=[])
    fill_in(alone, read_examples(paths, format, account, alone, account_attributes))
    return explained


def explain_audit(
    account_id: str,
    folder: Path,
    *,
    calibration: Path | None = None,
    max_false_flags: float | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain an account from the folder of a finished audit.

    Without ``profiles.bin`` the explanation has what the report tells, and nothing of what would change the verdict. Without
    ``max_false_flags`` the share of the audit holds. Raises UnknownAccount, FileNotFoundError for no audit, ValueError where the audit was made with
    another calibration (known only where the share is the audit's), or another share is asked for without ``profiles.bin``.
    """
    progress = progress or Progress()
    if not (folder / "accounts.parquet").is_file() or not (folder / "report.json").is_file():
        raise FileNotFoundError(
            f"{folder} holds no audit: make one with `distillwatch audit LOG --out {folder} --keep-profiles`"
        )
    progress.stage("reading the audit")
    accounts = pl.read_parquet(folder / "accounts.parquet")
    _must_know(account_id, accounts["account_id"])
    report = msgspec.json.decode((folder / "report.json").read_bytes(), type=_Report)
    told_share = report.totals.max_false_flags or None
    if not (folder / PROFILES).is_file():
        if max_false_flags not in (None, told_share):
            raise ValueError(
                f"the audit in {folder} kept no profiles, so no other share of false flags can be tried: audit again with "
                "--keep-profiles, or give the log instead of --audit"
            )
        return _from_report(account_id, accounts, report)
    progress.stage("loading the encoder")
    detector = Detector.load(calibration).with_max_false_flags(max_false_flags or told_share)
    profiles = Profiles.from_bytes((folder / PROFILES).read_bytes())
    progress.stage("assessing")
    assessment = detector.assess(profiles)
    told = accounts.filter(pl.col("account_id") == account_id)["risk"][0]
    found = next((a.risk for a in assessment.accounts if a.account_id == account_id), None)
    if found is None:
        raise ValueError(f"{folder / PROFILES} is of another audit and does not hold {account_id}: audit again")
    if max_false_flags in (None, told_share) and abs(told - found) > SAME_RISK:
        raise ValueError(
            f"the audit in {folder} gave this account a risk of {told:.4f}, and now it is {found:.4f}: it was made with another "
            "calibration or version; give its folder by --calibration, or audit again"
        )
    progress.stage("searching for what would change the verdict")
    explained = explain(profiles, assessment, account_id, detector.scorer)
    words = next((a.templates for a in [*report.accounts, *report.watched] if a.account_id == account_id), [])
    if words:  # profiles keep no text, the report does
        explained.account.templates = words
    return explained


def to_json(explained: Explanation) -> bytes:
    """The explanation as JSON, a line feed at its end."""
    try:
        packed = msgspec.json.encode(explained)
    except UnicodeEncodeError:  # half a surrogate pair
        packed = msgspec.json.encode(encodable(msgspec.to_builtins(explained)))
    return msgspec.json.format(packed, indent=1) + b"\n"


class _Thresholds(msgspec.Struct):
    flag: float
    watch: float


class _Totals(msgspec.Struct):
    max_false_flags: float = 0.0


class _Report(msgspec.Struct):
    """What is read of ``report.json``."""

    totals: _Totals
    thresholds: _Thresholds
    campaigns: list[CampaignFinding]
    accounts: list[AccountFinding]
    watched: list[AccountFinding]


def _from_report(account_id: str, accounts: pl.DataFrame, report: _Report) -> Explanation:
    finding = next((a for a in [*report.accounts, *report.watched] if a.account_id == account_id), None)
    if finding is None:
        raise ValueError(
            f"{account_id} is clear, and the audit kept no reasons for clear accounts: "
            "audit again with --keep-profiles, or give the log instead of --audit"
        )
    return Explanation(
        account=finding,
        flag_at=report.thresholds.flag,
        watch_at=report.thresholds.watch,
        campaign=next((c for c in report.campaigns if c.campaign_id == finding.campaign_id), None),
    )


def _must_know(account_id: str, known: pl.Series) -> None:
    if (known == account_id).any():
        return
    near = nearest(account_id, known)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise UnknownAccount(f"no account {account_id!r} among the {len(known):,} of this log{hint}")


def nearest(account_id: str, known: Iterable[str]) -> list[str]:
    """The known ids most like this one: those that contain it, then those that are spelt nearly so."""
    ids = sorted(known)
    within = [i for i in ids if account_id and account_id.lower() in i.lower()][:NEAREST]
    start = account_id[:3].lower()
    likely = islice((i for i in ids if i[:3].lower() == start), COMPARED)
    spelt = get_close_matches(account_id, list(likely) or ids[:COMPARED], NEAREST, 0.5)
    return list(dict.fromkeys([*within, *spelt]))[:NEAREST]
