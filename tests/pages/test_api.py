"""The page of the API names whatever the package gives."""

import npvpg
from verification.pages.api import text


def test_every_public_name() -> None:
    written = text()
    for name in npvpg.__all__:
        assert f".{name}\n" in written, name
