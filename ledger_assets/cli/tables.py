"""Plain tables for the terminal."""

from rich.table import Table


def table(*columns: str) -> Table:
    """A table without lines; a column written ``>name`` stands to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(
            column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold"
        )
    return made
