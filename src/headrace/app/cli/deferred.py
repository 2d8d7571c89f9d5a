"""The work behind a command, imported when it is called, so that `--help` stays quick."""

from importlib import import_module

from headrace.app.cli.interrupts import interrupts_held
from headrace.app.cli.output import Render, print_result
from headrace.app.cli.progress import progress


def perform(work: str, *, as_json: bool, log_level: str = "info", **options: object) -> None:
    """Call `module:function` with the options and `report`, then print its result with the module's `render`.

    Raises:
        HeadraceError: whatever the work refuses.
        typer.Exit: the result's exit code, where it has one other than 0.
    """
    from headrace.app.cli.logs import log_to_stderr  # noqa: PLC0415 - `--help` writes no logs

    log_to_stderr(log_level)
    name, _, function = work.partition(":")
    with interrupts_held():
        module = import_module(name)
    with progress() as report:
        result: object = getattr(module, function)(report=report, **options)
    render: Render = module.render
    print_result(result, render, as_json=as_json)
