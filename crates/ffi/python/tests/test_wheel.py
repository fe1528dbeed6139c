"""The wheel: what is in it, and that it works where nothing of the tree is."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

from hala import _native

from .shared import ROOT

PACKAGE = ROOT / "crates/ffi/python"


class Wheel(unittest.TestCase):
    def setUp(self) -> None:
        if importlib.util.find_spec("ensurepip") is None:
            self.skipTest("Python has no ensurepip: on Debian install python3-venv")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HALA_", "PYTHON"))}
        self.environment = {**kept, "HALA_PYTHON_LIBRARY": str(_native._path())}

    def run_there(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, encoding="utf-8", check=False
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def check_contents(self, wheel: zipfile.ZipFile) -> None:
        """RECORD names every file with its size and its sum, and the tests stay at home."""
        names = wheel.namelist()
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        rows = dict(line.split(",", 1) for line in wheel.read(record).decode().splitlines())
        self.assertEqual(set(rows), set(names))
        for name in names:
            data = wheel.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            self.assertEqual(rows[name], "," if name == record else f"sha256={digest},{len(data)}")
        for name in ("hala/__init__.py", "hala/py.typed", f"hala/{_native.file_name()}"):
            self.assertIn(name, names)
        self.assertEqual([name for name in names if name.startswith("tests") or "__pycache__" in name], [])

    def test_it_is_installed_without_a_network_and_translates(self) -> None:
        self.run_there(sys.executable, "-m", "venv", "venv")
        python = str(self.folder / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
        self.run_there(
            python, "-m", "pip", "wheel", "--no-index", "--disable-pip-version-check", "--no-cache-dir", str(PACKAGE)
        )
        (wheel,) = self.folder.glob("hala-*.whl")
        self.check_contents(zipfile.ZipFile(wheel))
        self.run_there(python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", str(wheel))
        program = "import hala; print(hala.__file__); print(hala.load().translate('صباح الخير.'))"
        path, translated = self.run_there(python, "-I", "-X", "utf8", "-c", program).splitlines()
        self.assertIn(str(self.folder.resolve()), str(Path(path).resolve()))
        self.assertEqual(translated, "Good morning.")
        # What RECORD names is all that there is.
        self.run_there(python, "-m", "pip", "uninstall", "--yes", "hala")
        self.assertEqual(list(self.folder.glob("venv/**/hala")), [])
