"""`python -m npvpg`: the command `npvpg` without an installed script."""

import sys

from npvpg.command.main import main

if __name__ == "__main__":
    sys.exit(main())
