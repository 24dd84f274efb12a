"""How plots look."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

from bertwright.reports.plot_fonts import DEFAULT

INK, FAINT, GRID = "#1f2933", "#9aa5b1", "#e4e7eb"
BLUE, ORANGE = "#2f6db5", "#d9730d"
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "font.family": [DEFAULT],
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "savefig.bbox": "tight",
    "savefig.pad_inches": 0.12,
    "text.parse_math": False,  # a label may hold dollar signs
}


def as_png(figure: Figure) -> bytes:
    """The picture of a figure."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()
