"""`python -m pipeline` is the command `second-opinion`."""

from pipeline.cli.main import main

main()
