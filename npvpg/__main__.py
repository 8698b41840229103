"""`python -m npvpg`: the command `npvpg` without an installed script."""

import sys

from npvpg.cli import main

if __name__ == "__main__":
    sys.exit(main())
