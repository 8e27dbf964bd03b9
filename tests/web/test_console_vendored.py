"""Foreign files in the project are exactly those of the manifest."""

import hashlib
import json
from pathlib import Path

import sekisho.web

VENDOR = Path(sekisho.web.__file__).parent / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))


def test_every_vendored_file_is_the_one_that_the_manifest_names():
    """A changed byte is a change that somebody has to explain."""
    assert {path.name for path in VENDOR.iterdir()} == {entry["file"] for entry in MANIFEST} | {
        "manifest.json"
    }
    for entry in MANIFEST:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry


def test_every_vendored_package_has_a_licence_beside_it():
    """Free software is passed on with its terms."""
    packages = {entry["package"] for entry in MANIFEST}
    assert packages == {entry["package"] for entry in MANIFEST if entry["file"].endswith(".LICENSE")}
    assert {entry["licence"] for entry in MANIFEST} == {"MIT", "OFL-1.1"}
