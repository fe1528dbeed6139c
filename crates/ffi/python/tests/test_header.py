"""The structs and signatures of `_native` are those of hala.h."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List, Tuple

from hala import _native, errors
from hala._call import code_of

from .shared import ROOT

INCLUDE = ROOT / "crates/ffi/include"

PLAIN = {
    "bool": ctypes.c_bool,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "size_t": ctypes.c_size_t,
    "HalaStatus": ctypes.c_int32,
    "void": None,
}
HANDLES = {"HalaEngine", "HalaSession", "HalaStream", "HalaCancel"}


def header() -> str:
    """hala.h without comments, in one line."""
    text = (INCLUDE / "hala.h").read_text(encoding="utf-8")
    text = re.sub(r"//.*", "", text)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    return " ".join(text.split())


def python_type(declared: str) -> Any:
    """What a type of C is in Python."""
    declared = re.sub(r"\b(const|struct)\b", "", declared).replace(" ", "")
    n_stars = declared.count("*")
    name = declared.rstrip("*")
    if name in HANDLES or name == "void":
        n_stars -= 1
        kind: Any = ctypes.c_void_p if n_stars >= 0 else None
    elif name in ("char", "uint8_t"):
        n_stars -= 1
        kind = ctypes.c_char_p
    else:
        kind = PLAIN.get(name) or getattr(_native, name)
    for _ in range(n_stars):
        kind = ctypes.POINTER(kind)
    return kind


def split(parameters: str) -> List[Tuple[str, str]]:
    """Types and names of `type name, type name`."""
    if parameters.strip() == "void":
        return []
    found = (re.fullmatch(r"(.*?[\s*])(\w+)", one.strip()) for one in parameters.split(","))
    return [(match[1], match[2]) for match in found if match]


def structs() -> Dict[str, List[Tuple[str, str]]]:
    """Each struct's fields, as types and names."""
    found = re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", header())
    return {name: [split(field)[0] for field in body.split(";") if field.strip()] for name, body in found}


def same(ours: Any, theirs: Any) -> bool:
    """Texts that the library gives are read by their address, so `char *` may be one."""
    return ours is theirs or (ours is ctypes.c_void_p and theirs is ctypes.c_char_p)


class Header(unittest.TestCase):
    def test_every_struct_has_the_header_s_fields(self) -> None:
        declared = structs()
        ours = {
            name
            for name, kind in vars(_native).items()
            if name.startswith("Hala") and isinstance(kind, type) and issubclass(kind, ctypes.Structure)
        }
        self.assertEqual(ours, set(declared))
        for name, fields in declared.items():
            kinds = getattr(_native, name)._fields_
            self.assertEqual([field[0] for field in kinds], [field for _, field in fields], name)
            for (field, ours_kind), (theirs, _) in zip(kinds, fields):
                self.assertTrue(same(ours_kind, python_type(theirs)), f"{name}.{field}: {ours_kind} is not {theirs}")

    def test_every_function_takes_and_returns_what_the_header_says(self) -> None:
        found = re.findall(r"HALA_API (.*?[\s*])(hala_\w+)\((.*?)\);", header())
        self.assertEqual({name for _, name, _ in found}, set(_native.FUNCTIONS))
        for result, name, parameters in found:
            ours_result, ours = _native.FUNCTIONS[name]
            self.assertIs(ours_result, python_type(result), name)
            self.assertEqual(len(ours), len(split(parameters)), name)
            for kind, (theirs, parameter) in zip(ours, split(parameters)):
                self.assertTrue(same(kind, python_type(theirs)), f"{name}({parameter}): {kind} is not {theirs}")

    def test_every_callback_takes_what_the_header_says(self) -> None:
        found = re.findall(r"typedef (\w+) \(\*(\w+)\)\((.*?)\);", header())
        self.assertEqual(len(found), 3)
        for result, name, parameters in found:
            kind = getattr(_native, name)
            self.assertIs(kind._restype_, python_type(result), name)
            self.assertEqual(list(kind._argtypes_), [python_type(theirs) for theirs, _ in split(parameters)], name)

    def test_numbers_are_those_of_the_header(self) -> None:
        text = (INCLUDE / "hala.h").read_text(encoding="utf-8")
        numbers = {name: int(value) for name, value in re.findall(r"(HALA_[A-Z0-9_]+) = (\d+),", text)}
        for ours, theirs in (("EVENT_", "HALA_EVENT_KIND_"), ("LOG_", "HALA_LOG_LEVEL_"), ("TRIM_", "HALA_TRIM_")):
            here = {name: value for name, value in vars(_native).items() if name.startswith(ours)}
            there = {name.replace(theirs, ours): value for name, value in numbers.items() if name.startswith(theirs)}
            self.assertEqual(here, there)
        progress = {value: name.rpartition("_")[2].lower() for name, value in numbers.items() if "_PROGRESS_" in name}
        self.assertEqual(_native.PROGRESS_KINDS, progress)
        codes = {code_of(value) for name, value in numbers.items() if name.startswith("HALA_STATUS_")}
        self.assertEqual(codes, set(errors.CLASSES) | {"ok"})
        self.assertIn(f"#define HALA_ABI_VERSION {_native.ABI_VERSION}\n", text)

    @unittest.skipUnless(shutil.which("cc"), "there is no C compiler")
    def test_a_compiler_gives_every_struct_the_same_places(self) -> None:
        lines, expected = [], []
        for name, fields in structs().items():
            kind = getattr(_native, name)
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            expected.append(f"{name} {ctypes.sizeof(kind)}")
            for _, field in fields:
                lines.append(f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
                expected.append(f"{name}.{field} {getattr(kind, field).offset}")
        source = '#include <stdio.h>\n#include "hala.h"\nint main(void) {\n' + "\n".join(lines) + "\n}\n"
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "places"
            program.with_suffix(".c").write_text(source)
            compiled = ["cc", "-I", str(INCLUDE), "-o", str(program), f"{program}.c"]
            subprocess.run(compiled, check=True)
            told = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
        self.assertEqual(told.splitlines(), expected)
