"""
Build the site: the book, the documentation, the API and the sources that they link to.

``python -m verification.pages --out site`` writes static files that open from disk. A warning is
an error. The extra ``docs`` brings what it needs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from verification.formulas import ROOT


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Build.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; `sys.argv` by default.

    Returns
    -------
    int
        0; 1 if there was a warning or an error; 2 if Sphinx or its parts are not installed.
    """
    parser = argparse.ArgumentParser(prog="python -m verification.pages")
    parser.add_argument("--out", type=Path, default=Path("site"), help="folder (default site)")
    options = parser.parse_args(arguments)
    try:
        import furo  # noqa: F401, PLC0415
        import myst_parser  # noqa: F401, PLC0415
        from sphinx.cmd.build import main as build  # noqa: PLC0415
    except ImportError as error:
        print(f'pages: {error.name} is missing: pip install ".[docs]"', file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as kept:  # nothing of an earlier build
        flags = ["-q", "-W", "--keep-going", "-E", "-b", "html", "-d", kept]
        code = build([*flags, str(ROOT / "docs"), str(options.out)])
    print(f"{options.out / 'index.html'}" if code == 0 else "pages: not built")
    return int(code != 0)


if __name__ == "__main__":
    sys.exit(main())
