"""Write openapi.yaml, the HTTP interface's contract, from the app itself."""

import sys
import tempfile
from pathlib import Path

import yaml

from tillkey_server.app import create_app
from tillkey_server.settings import Settings

TARGET = Path(__file__).resolve().parent.parent / "openapi.yaml"
HEADER = "# Written by `make openapi` from the app; a test fails when the two differ.\n"


class _Dumper(yaml.SafeDumper):
    """YAML as a person would write it: a text of several lines as a block, a list set in below its key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def document() -> str:
    """Return the app's OpenAPI document as YAML. The app is made, never started: it needs no database and no keys."""
    with tempfile.TemporaryDirectory() as nowhere:
        app = create_app(Settings.load(Path(nowhere), {}))
        return HEADER + yaml.dump(app.openapi(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def main() -> int:
    """Write the file and say whether anything changed."""
    before = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    after = document()
    TARGET.write_text(after, encoding="utf-8")
    print("openapi.yaml: unchanged" if before == after else "openapi.yaml: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
