#!/usr/bin/env python3
"""Runs a command and says what it took.

usage: measure.py STDOUT COMMAND...

The command's standard output goes to the file STDOUT. Prints {"seconds", "userSeconds", "systemSeconds", "maxRssBytes"} as JSON; maxRssBytes
is the peak of the largest process. Ends as the command does.
"""
import json
import resource
import subprocess
import sys
import time

with open(sys.argv[1], "wb") as stdout:
    start = time.monotonic()
    process = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=stdout, check=False)
    seconds = time.monotonic() - start

usage = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump(
    {
        "seconds": seconds,
        "userSeconds": usage.ru_utime,
        "systemSeconds": usage.ru_stime,
        "maxRssBytes": usage.ru_maxrss * 1024,
    },
    sys.stdout,
)
sys.exit(process.returncode)
