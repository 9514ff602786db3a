"""One self-contained page for a run: the same stepping as in a notebook, in plain JavaScript, asking no network.

Decides nothing; puts the parts together.
"""

import json
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files

from coagent.notebook import theme
from coagent.notebook.scene import looks

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
"""What the browser is told to refuse: everything from anywhere else."""


@cache
def script() -> str:
    """The stepper, as an ES module."""
    return files("coagent.notebook").joinpath("page/stepper.js").read_text(encoding="utf-8")


@cache
def style() -> str:
    """The stepper's looks, light and dark."""
    own = files("coagent.notebook").joinpath("page/stepper.css").read_text(encoding="utf-8")
    return theme.css(".coagent-stepper") + "\n" + own


def document(scene: Mapping[str, object]) -> str:
    """The page, as HTML. Same scene, same bytes."""
    name = escape(str(scene.get("title", "a run")))
    icon = '<link rel="icon" href="data:,">'
    body = "body { margin: 0; padding: 16px; background: Canvas; color-scheme: light dark; }"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>{icon}',
            f"<style>{body}\n{style()}</style></head><body>",
            '<main><div id="coagent-root"></div></main>',
            f'<script type="application/json" id="coagent-scene">{embedded(scene)}</script>',
            f'<script type="application/json" id="coagent-looks">{embedded(looks())}</script>',
            f'<script type="module">{script()}',
            "const read = (name) => JSON.parse(document.getElementById(name).textContent);",
            'const root = document.getElementById("coagent-root");',
            'window.coagent = mount(root, read("coagent-looks"), null);',
            'window.coagent.show(read("coagent-scene"), 0);',
            "root.focus();</script></body></html>",
            "",
        ]
    )


def embedded(data: object) -> str:
    """JSON that may stand inside a script element, whatever the values say."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
