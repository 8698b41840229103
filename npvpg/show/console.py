"""The terminal, or whatever else takes what is shown."""

import os
import sys

from rich import console
from typing_extensions import override


class Console(console.Console):
    """A console whose reader may leave: what it shows is in the files of the run as well."""

    @override
    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
