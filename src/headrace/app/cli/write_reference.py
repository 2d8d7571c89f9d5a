"""Writes the generated pages: `python -m headrace.app.cli.write_reference docs/reference`."""

import sys
from pathlib import Path

from headrace.app.cli.reference import command_reference, exit_code_reference
from headrace.app.config.reference import configuration_reference


def reference_pages() -> dict[str, str]:
    """Every generated page by its file's name."""
    return {
        "configuration.md": configuration_reference(),
        "command-line.md": command_reference(),
        "exit-codes.md": exit_code_reference(),
    }


def write(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
