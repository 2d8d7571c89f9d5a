"""`python -m headrace`: the command line without the installed script."""

from headrace.app.cli.main import main

main()
