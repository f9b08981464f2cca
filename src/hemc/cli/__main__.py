"""`python -m hemc.cli` is the command `hemc`."""

from hemc.cli.root import main

main()
