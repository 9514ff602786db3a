"""A verdict as a notebook shows it: the answer with a sign and a colour, then the sentences. Decides nothing."""

from html import escape
from typing import TYPE_CHECKING

from coagent.palette import variables

if TYPE_CHECKING:
    from checker.verdict import Verdict

SIGNS = {"ok": ("✓", "good"), "violated": ("✗", "bad"), "unknown": ("?", "doubt")}
"""By answer: its sign and the palette's word for its colour."""


def verdict_html(verdict: "Verdict") -> str:
    """The verdict as HTML; the sign says what the colour says."""
    sign, tone = SIGNS[verdict.verdict]
    first, *rest = verdict.sentences()
    lines = "".join(f"<li>{escape(line)}</li>" for line in rest)
    listed = f'<ul style="margin: 4px 0 0; padding-left: 20px;">{lines}</ul>' if rest else ""
    return (
        f'{style()}<div class="coagent-shown"><b style="color: var(--coagent-{tone})">{sign} {escape(first)}</b>'
        f"{listed}</div>"
    )


def style() -> str:
    """The palette for what notebooks show outside a stepper, light and dark."""
    light, dark = variables(), variables(dark=True)
    return (
        f"<style>.coagent-shown {{ {light} }} "
        f"@media (prefers-color-scheme: dark) {{ .coagent-shown {{ {dark} }} }} "
        f'[data-jp-theme-light="true"] .coagent-shown {{ {light} }} '
        f'[data-jp-theme-light="false"] .coagent-shown {{ {dark} }}</style>'
    )
