"""Text that a suspect would write to attack the analyst's browser, spreadsheet or eyes."""

from __future__ import annotations

SCRIPT_MARK = "dwPwned"  # a property of window that only a script of the suspect would set


def hostile(sink: str) -> list[str]:
    """One attack a line; ``sink`` is the address that must never be asked."""
    return [
        f"![x]({sink}/markdown.png)",
        f"<img src={sink}/img.png onerror=window.{SCRIPT_MARK}=1>",
        f"<img src='x' srcset='{sink}/srcset.png 2x'>",
        f"<script>window.{SCRIPT_MARK}=2</script>",
        f"<script src={sink}/script.js></script>",
        f"<iframe src={sink}/iframe.html></iframe>",
        f"<style>@import url({sink}/style.css); body{{background:url({sink}/bg.png)}}</style>",
        f"<link rel=stylesheet href={sink}/link.css><link rel=prefetch href={sink}/prefetch>",
        f"<svg/onload=window.{SCRIPT_MARK}=3>",
        f"<details open ontoggle=window.{SCRIPT_MARK}=4>",
        f"[link](javascript:window.{SCRIPT_MARK}=5)",
        f'"><img src={sink}/attribute.png>',
        f"' style='background:url({sink}/style.png)",
        f'=HYPERLINK("{sink}/formula","x")',
        f'=IMAGE("{sink}/image-formula.png")',
        f"@SUM(1+1)*cmd|' /C calc'!A0 {sink}/dde",
        "$\\href{" + sink + "/latex}{x}$ :material/home: :red[red] # heading",
        "{account_id.__class__} {0} {__import__} %s ${x} {{7*7}}",
        "right-to-left \u202egnp.exe\u202c zero\u200bwidth nul\x00byte esc\x1b[31m",
    ]


def hostile_text(sink: str) -> str:
    """All attacks, one after another."""
    return "\n".join(hostile(sink))
