"""Writes symbols.txt: which of Android's names the native library may call, and since which API Android has each.

    python3 android/api/symbols.py BIONIC [NAME ...]

BIONIC is a checkout of https://android.googlesource.com/platform/bionic, whose *.map.txt say what Android's libraries export, and since when.
The names are those that symbols.txt has already and those that are given: what the linker calls undefined where the library has come to call
something more. A name that no library has on both aarch64 and x86-64, or only since a later API than apps may run on, ends the script.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
LIST = HERE / "symbols.txt"
VERSIONS = HERE.parent / "gradle" / "libs.versions.toml"
LIBRARIES = ["libc", "libdl", "libm"]

# The kinds of phones that the library is built for. The first API that had 64 bits is the least that a name can have.
OURS = {"arm64", "x86_64"}
ALL = OURS | {"arm", "x86", "mips", "mips64", "riscv64"}
FIRST = 21

HEADER = """\
# The functions and variables of Android's libraries that the native library calls, each with the API since which Android has it: no more, and
# none that is newer than the oldest Android that apps may run on. Made by symbols.py from the *.map.txt of Android's bionic; the linker looks
# here where there is no NDK, and every library is checked against it.
#
# LIBRARY SINCE NAME [var]
"""


def since(tags, of_block):
    """The API since which phones of all our kinds have what has these tags; None where some have not."""
    if (kinds := ALL & set(tags)) and not OURS <= kinds:
        return None
    levels = [of_block]
    for tag in tags:
        for kind in ["", *(f"-{ours}" for ours in OURS)]:
            if found := re.fullmatch(rf"introduced{kind}=(\d+)", tag):
                levels.append(int(found[1]))
    return max(levels)


def symbols(text):
    """Names of one map with API and whether each is a variable; what is private to the system is left out."""
    found, block, is_public = {}, FIRST, True
    for line in text.splitlines():
        code, _, comment = line.partition("#")
        code, tags = code.strip(), comment.split()
        if code.endswith("{"):
            is_public = not re.search("PRIVATE|PLATFORM|DEPRECATED", code)
            block = since(tags, FIRST)
        elif code.endswith(";") and not code.startswith("}") and code != "*;" and is_public and block:
            if not {"apex", "llndk", "platform-only", "systemapi"} & set(tags) and (level := since(tags, block)):
                found[code.rstrip(";")] = (level, "var" in tags)
    return found


def main(bionic, names):
    least = int(re.search(r'^android-min = "(\d+)"', VERSIONS.read_text(), re.M)[1])
    listed = LIST.read_text().splitlines() if LIST.exists() else []
    names = set(names) | {line.split()[2] for line in listed if line and not line.startswith("#")}
    lines = []
    for library in LIBRARIES:
        exported = symbols((pathlib.Path(bionic) / library / f"{library}.map.txt").read_text())
        for name in sorted(names & exported.keys()):
            level, is_variable = exported[name]
            if level > least:
                sys.exit(f"{library} has {name} since API {level}, and apps may run on {least}")
            lines.append(f"{library}.so {level} {name}{' var' if is_variable else ''}\n")
            names.remove(name)
    if names:
        sys.exit(f"no library has {', '.join(sorted(names))}")
    LIST.write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
