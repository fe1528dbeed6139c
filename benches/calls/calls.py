"""Times calls of the native library from Python: for each line of standard input so many, and prints the nanoseconds of one.

Arguments: tokenize or translate, the text, how many calls.
"""

import sys
import time

import hala


def main() -> None:
    name, text, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    call = getattr(hala.load(), name)
    for _ in sys.stdin:
        began = time.perf_counter_ns()
        for _ in range(n):
            call(text)
        print(round((time.perf_counter_ns() - began) / n), flush=True)


main()
