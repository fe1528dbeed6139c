"""Makes the wheel: builds the native library by cargo and packs it beside the package's modules.

The hooks are those of PEP 517 <https://peps.python.org/pep-0517/>, the file is laid out as
<https://packaging.python.org/en/latest/specifications/binary-distribution-format/> says. Settings come from the environment:

- HALA_PYTHON_PROFILE: the cargo profile, for a library that is built sooner or is to be debugged.
- HALA_PYTHON_LIBRARY: the path of a library that was built already; nothing is built then.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

#: Of the root's Cargo.toml.
PROFILE = "native"

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[2]

#: What is packed has no dates, so that the same files make the same wheel.
NO_DATE = (1980, 1, 1, 0, 0, 0)


def build_wheel(
    wheel_directory: str, config_settings: Optional[Dict[str, Any]] = None, metadata_directory: Optional[str] = None
) -> str:
    """Makes the wheel in a folder, and gives its name."""
    if not (ROOT / "Cargo.toml").is_file():
        raise SystemExit(
            f"hala: {PACKAGE} is no part of a checkout of Hala: install from there, with pip 21.3 or later"
        )
    facts, library = project(), built_library()
    tag = f"py3-none-{platform_tag(library)}"
    info = f"{facts['name']}-{facts['version']}.dist-info"
    name = f"{facts['name']}-{facts['version']}-{tag}.whl"
    record: List[str] = []
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", compression()) as wheel:
        for path, data, mode in contents(facts, library, info, tag):
            add(wheel, path, data, mode)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(data)}\n")
        record.append(f"{info}/RECORD,,\n")
        add(wheel, f"{info}/RECORD", "".join(record).encode(), 0o644)
    return name


def build_sdist(sdist_directory: str, config_settings: Optional[Dict[str, Any]] = None) -> str:
    """There is none: the library is built from the whole checkout."""
    raise SystemExit("hala: there is no source distribution: build a wheel in a checkout of Hala")


def project() -> Dict[str, str]:
    """Name, version and the like: of pyproject.toml, and of the workspace."""
    facts = dict(re.findall(r'^([a-z-]+) = "(.*)"$', (PACKAGE / "pyproject.toml").read_text(encoding="utf-8"), re.M))
    cargo = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^\[workspace\.package\]\n(?:.+\n)*?version = "(.*)"$', cargo, re.M)
    if found is None:
        raise SystemExit("hala: Cargo.toml has no version under [workspace.package]")
    return {**facts, "version": found[1]}


def built_library() -> Path:
    """The library, which cargo builds unless one is given."""
    given = os.environ.get("HALA_PYTHON_LIBRARY")
    if given:
        return Path(given)
    profile = os.environ.get("HALA_PYTHON_PROFILE") or PROFILE
    # The one kind of library: beside a Rust library cargo would leave out the optimisation at link time.
    kind = ["--crate-type", "cdylib"]
    command = [os.environ.get("CARGO", "cargo"), "rustc", "--package", "hala-ffi", "--lib", *kind, "--profile", profile]
    print(f"hala: {' '.join(command)}", file=sys.stderr, flush=True)
    try:
        # What cargo says of its progress goes where this program's errors go.
        built = subprocess.run(
            [*command, "--message-format", "json-render-diagnostics"], cwd=ROOT, stdout=subprocess.PIPE, check=False
        )
    except FileNotFoundError:
        raise SystemExit("hala: cargo is not on PATH: install Rust, see https://rustup.rs") from None
    if built.returncode:
        raise SystemExit("hala: cargo could not build the native library, see above")
    for message in map(json.loads, built.stdout.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "hala_ffi":
            for path in map(Path, message["filenames"]):
                if path.suffix in (".so", ".dylib", ".dll"):
                    return path
    raise SystemExit("hala: cargo built no shared library; it says of none in its messages")


def contents(facts: Dict[str, str], library: Path, info: str, tag: str) -> Iterator[Tuple[str, bytes, int]]:
    """What is in the wheel: paths, bytes and modes."""
    modules = sorted((PACKAGE / "hala").glob("*.py"))
    for path in [*modules, PACKAGE / "hala/py.typed"]:
        yield f"hala/{path.name}", path.read_bytes(), 0o644
    yield f"hala/{library_name()}", library.read_bytes(), 0o755
    yield f"{info}/METADATA", metadata(facts).encode(), 0o644
    yield f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: hala\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644
    yield f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644
    # The built-in model's licence asks for its attributions.
    yield f"{info}/licenses/demo-model.md", (ROOT / "crates/demo-model/files/README.md").read_bytes(), 0o644


def library_name() -> str:
    """The library's name in the package; hala/_native.py looks for it."""
    return {"win32": "hala.dll", "darwin": "libhala.dylib"}.get(sys.platform, "libhala.so")


def metadata(facts: Dict[str, str]) -> str:
    """The METADATA file."""
    head = {
        "Metadata-Version": "2.1",
        "Name": facts["name"],
        "Version": facts["version"],
        "Summary": facts["description"],
        "Requires-Python": facts["requires-python"],
        "License": facts["license"],
        "Description-Content-Type": "text/markdown",
    }
    readme = (PACKAGE / facts["readme"]).read_text(encoding="utf-8")
    return "".join(f"{name}: {value}\n" for name, value in head.items()) + "\n" + readme


def platform_tag(library: Path) -> str:
    """Which systems the library runs on, as wheels name them."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        # What rustc builds for where nothing else is asked.
        return "macosx_11_0_arm64" if machine == "arm64" else "macosx_10_12_x86_64"
    needed = [int(minor) for minor in re.findall(rb"\bGLIBC_2\.(\d+)\b", library.read_bytes())]
    if sys.platform == "linux" and needed:
        # PEP 600: glibc of this version or later.
        return f"manylinux_2_{max(needed)}_{machine}"
    return re.sub(r"[-.]", "_", sysconfig.get_platform())


def compression() -> int:
    """One that was given is for tests and is not to be waited for."""
    return zipfile.ZIP_STORED if os.environ.get("HALA_PYTHON_LIBRARY") else zipfile.ZIP_DEFLATED


def add(wheel: zipfile.ZipFile, path: str, data: bytes, mode: int) -> None:
    """Adds a file."""
    entry = zipfile.ZipInfo(path, NO_DATE)
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = wheel.compression
    wheel.writestr(entry, data)
