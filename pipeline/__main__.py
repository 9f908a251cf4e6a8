"""`python -m pipeline` is the command `second-opinion`."""

from .cli.main import main

main()
