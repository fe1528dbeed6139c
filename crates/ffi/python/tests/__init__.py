"""Tests of the package: `python3 -m unittest discover -s tests -t .` in crates/ffi/python, with HALA_LIBRARY set."""
