"""The widget around the stepper's page. Knows what crosses between kernel and browser, and nothing of runs."""

from collections.abc import Callable, Mapping
from functools import cache

from coagent.bad_input import BadInput
from coagent.notebook.document import script, style
from coagent.notebook.scene import looks

Answer = Callable[[object], None]
"""Called, on whatever thread the kernel has, with what the page asks for."""


def made(scene: Mapping[str, object], step: int, answer: Answer) -> object:
    """A widget that shows a scene. Raises BadInput where anywidget is missing."""
    widget = _kind()(scene=dict(scene), step=step, looks=looks())
    widget.on_msg(lambda _, message, buffers: answer(message))
    return widget


@cache
def _kind() -> type:
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        missing = "stepping in a notebook needs anywidget, which is not there; pip install 'coagent-mtpo[notebooks]'"
        raise BadInput(missing) from error

    return type(
        "Stepper",
        (anywidget.AnyWidget,),
        {
            "_esm": script(),
            "_css": style(),
            "scene": traitlets.Dict().tag(sync=True),
            "looks": traitlets.Dict().tag(sync=True),
            "step": traitlets.Int(0).tag(sync=True),
        },
    )
