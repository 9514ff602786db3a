"""Makes each notebook's `.ipynb` from its py:percent text, without outputs: `python -m notebooks.pairing`.

Same text, same bytes: cells are numbered, and no more metadata is written than JupyterLab needs to open the file.
Needs jupytext, of the extra `test`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
    },
}


def texts() -> list[Path]:
    """The notebooks' texts, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def paired(text: str) -> str:
    """The `.ipynb` of a notebook's text."""
    import jupytext

    read = jupytext.reads(text, fmt="py:percent")
    cells = list(_cells(read.cells))
    return (
        json.dumps(
            {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5},
            indent=1,
        )
        + "\n"
    )


def _cells(cells: list) -> Iterator[dict[str, object]]:
    for place, cell in enumerate(cells, 1):
        code = (
            {"execution_count": None, "outputs": []} if cell.cell_type == "code" else {}
        )
        lines = cell.source.splitlines(keepends=True)
        yield {
            "cell_type": cell.cell_type,
            **code,
            "id": f"cell-{place:02}",
            "metadata": {},
            "source": lines,
        }


def write() -> int:
    """Write every `.ipynb` anew; returns how many changed."""
    changed = 0
    for path in texts():
        made, book = (
            paired(path.read_text(encoding="utf-8")),
            path.with_suffix(".ipynb"),
        )
        if not book.exists() or book.read_text(encoding="utf-8") != made:
            book.write_text(made, encoding="utf-8")
            changed += 1
    return changed


if __name__ == "__main__":
    sys.stdout.write(f"{write()} of {len(texts())} notebooks written\n")
