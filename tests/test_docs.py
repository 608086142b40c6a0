"""The documentation tells the truth: its commands, settings, links and pictures exist, and its example code runs."""

from __future__ import annotations

import re
import shlex
import types
from pathlib import Path

import numpy as np
import pytest
import typer.main

from api import cli_data, demo  # noqa: F401 - they add their commands
from api.cli import app
from api.services import atlas
from api.settings import Settings
from dashboard import client

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
TEXTS = [*PAGES, *sorted(ROOT.glob("examples/**/*.sh")), *sorted(ROOT.glob("examples/**/*.py"))]
LOCAL = {client.URL_VARIABLE, "DISTILLWATCH_KEY", "DISTILLWATCH_DRY_RUN"}
"""Variables of the dashboard and of the examples, which are no settings of the service."""

FENCE = re.compile(r"^```.*?\n(.*?)^```", re.M | re.S)
LINE = re.compile(r"^\s*(?:\$ )?(distillwatch .*?)(?:\s+#.*)?$", re.M)
INLINE = re.compile(r"`(distillwatch [^`]+)`|(?<=: )(distillwatch [^\n\"]+)")
VARIABLE = re.compile(r"\bDISTILLWATCH_[A-Z_]+\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*\bsrc=\"([^\"]+)\"")


def commands(path: Path) -> list[str]:
    """Every distillwatch command in a page's code blocks and sentences or in a script, up to a pipe or an &&."""
    text = path.read_text().replace("\\\n", " ")
    code = "\n".join(FENCE.findall(text)) if path.suffix == ".md" else text
    found = [*LINE.findall(code), *("".join(groups) for groups in INLINE.findall(FENCE.sub("", text)))]
    return [re.split(r"\s(?:\||&&|\|\||>)\s?", command)[0].strip() for command in found]


def check(command: str) -> None:
    """Walk the words of a command through the command line's own description of itself."""
    here = typer.main.get_command(app)
    for word in shlex.split(command.replace("…", "..."))[1:]:
        if word.startswith("-"):
            options = {"--help", *(o for p in here.params for o in (*p.opts, *p.secondary_opts))}
            assert word.split("=")[0] in options, f"{command}: {here.name} has no option {word}"
        elif subcommands := getattr(here, "commands", None):
            assert word in subcommands, f"{command}: no command {word}"
            here = subcommands[word]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_exist(path: Path) -> None:
    """Every distillwatch command and option that a page names is one."""
    for command in commands(path):
        check(command)


def test_the_check_can_fail() -> None:
    """A command or an option that does not exist is noticed, so the tests above mean something."""
    for wrong in ("distillwatch nonsense", "distillwatch audit log --nonsense", "distillwatch keys nonsense"):
        with pytest.raises(AssertionError):
            check(wrong)
    assert commands(ROOT / "README.md"), "the README names no command"


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_settings_exist(path: Path) -> None:
    """Every DISTILLWATCH_ variable that a page names is a setting."""
    prefix = Settings.model_config["env_prefix"]
    known = {f"{prefix}{name}".upper() for name in Settings.model_fields} | LOCAL
    assert set(VARIABLE.findall(path.read_text())) <= known


def test_every_setting_is_documented_with_its_default() -> None:
    """The table of settings in docs/operating.md is complete and has the true defaults."""
    row = re.compile(r"^\| `DISTILLWATCH_(\w+)` \| ?([^|]*)\|", re.M)
    shown = {name.lower(): value.strip() for name, value in row.findall((ROOT / "docs/operating.md").read_text())}
    for name, field in Settings.model_fields.items():
        assert name in shown, f"{name} is not documented"
        if field.default not in ("", None):
            default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            assert shown[name] == f"`{default}`"


def test_reason_codes_are_documented() -> None:
    """The table of codes in docs/verdicts.md is the one that is used."""
    rows = re.findall(r"^\| `(AML[^`]+)` \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/verdicts.md").read_text(), re.M)
    assert {code: name for code, name, _ in rows} == atlas.TECHNIQUES
    assert {signal: code for code, _, signals in rows for signal in re.findall(r"`(\w+)`", signals)} == atlas.CODES
    assert f"ATLAS](https://atlas.mitre.org) {atlas.VERSION};" in (ROOT / "docs/verdicts.md").read_text()


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_pictures_resolve(path: Path) -> None:
    """Every relative link leads to a file, and every anchor to a heading."""
    for target in ("".join(groups) for groups in LINK.findall(path.read_text())):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file) if file else path
        assert linked.exists(), f"{path.name} links to {target}"
        if anchor:
            assert anchor in headings(linked), f"{path.name} links to {target}"


def headings(path: Path) -> set[str]:
    """Anchors that a page's headings get."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_example_signal_runs() -> None:
    """The signal of "add a signal" is one: a value per account, larger for the account that works at night."""
    from datetime import UTC, datetime, timedelta

    from detector.event import Event, Message
    from detector.pipeline import Detector
    from detector.view import View

    source = re.search(r"```python\n(.*?)```", (ROOT / "docs/add-a-signal.md").read_text(), re.S)
    assert source is not None
    module = types.ModuleType("night_work")
    exec(compile(source[1], "add-a-signal.md", "exec"), module.__dict__)

    midnight = datetime(2026, 9, 7, tzinfo=UTC)
    events = [
        Event(
            event_id=f"{account}-{day}",
            account_id=account,
            timestamp=midnight + timedelta(days=day, hours=hour),
            messages=[Message(content=f"question {day}")],
        )
        for account, hour in (("night", 3), ("day", 15))
        for day in range(20)
    ]
    detector = Detector.load()
    profiles = detector.profile(detector.features(events))
    view = View(profiles)
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    values = dict(zip((names[a] for a in view.acct), module.SIGNAL.value(view), strict=True))
    assert values["day"] == 0.0
    assert np.isclose(values["night"], 20 / 24)
    assert "%" in module.SIGNAL.text(values["night"], 20)
