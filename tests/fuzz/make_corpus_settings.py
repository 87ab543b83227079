#!/usr/bin/python3
"""Writes tests/fuzz/corpus/settings: files of settings, good and odd.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
from pathlib import Path

FOLDER = Path("tests/fuzz/corpus/settings")
WHOLE = ("[shadowboot]\r\nmode = repair # comment\r\ntimeout=7\r\nstart = reset\r\ndisk = 1\r\nallow-format = yes\r\n"
         "allow-msr = no\r\nreport = log, json variable\r\nserial = ascii\r\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    files = {"whole": WHOLE.encode(), "utf8-mark": b"\xef\xbb\xbf" + WHOLE.encode(), "utf16": WHOLE.encode("utf-16"),
             "utf16-be": b"\xfe\xff" + WHOLE.encode("utf-16-be"), "utf16-odd": WHOLE.encode("utf-16")[:-1],
             "wrong": b"mode\nmood = x\nmode = fast\ntimeout = 999\nmode = menu\nmode = start\nreport = ,\n",
             "binary": bytes(range(256)), "long": b"x" * 400 + b"\nmode = menu\n", "empty": b"",
             "large": b"#" * 16380 + b"\nmode = menu\n"}
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)


main()
