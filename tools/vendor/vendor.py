"""Copy the console's few foreign files out of npm packages and note where each came from.

Run by hand after a version in package.json was changed: `python tools/vendor/vendor.py`.
The copies are committed, so that nobody needs npm to run or test the program;
`tests/web/test_console_vendored.py` holds them to the manifest.
"""  # noqa: INP001 - a script, not a package

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parents[1] / "src" / "sekisho" / "web" / "static" / "vendor"

FILES = {
    "uplot": {
        "dist/uPlot.iife.min.js": "uplot.js",
        "dist/uPlot.min.css": "uplot.css",
        "LICENSE": "uplot.LICENSE",
    },
    "@fontsource-variable/inter": {
        "files/inter-latin-wght-normal.woff2": "inter.woff2",
        "LICENSE": "inter.LICENSE",
    },
}


def copied(package: str, files: dict[str, str]) -> list[dict[str, str]]:
    """Copy one package's files and return their manifest entries, each with its SHA-256."""
    folder = HERE / "node_modules" / package
    about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    entries = []
    for source, name in files.items():
        shutil.copyfile(folder / source, TARGET / name)
        entries.append(
            {
                "file": name,
                "package": package,
                "version": about["version"],
                "licence": about["license"],
                "sha256": hashlib.sha256((TARGET / name).read_bytes()).hexdigest(),
            }
        )
    return entries


def main() -> None:
    """Install exactly what the lock file names, copy, and write the manifest."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "npm is needed to fetch the vendored files again; the committed copies work without it."
        )
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=HERE, check=True)  # noqa: S603 - a fixed command
    TARGET.mkdir(parents=True, exist_ok=True)
    entries = [entry for package, files in FILES.items() for entry in copied(package, files)]
    manifest = json.dumps(entries, indent=2) + "\n"
    (TARGET / "manifest.json").write_text(manifest, encoding="utf-8")


if __name__ == "__main__":
    main()
