"""Host commands: silent when they work and are quick, announced when slow, shown when they fail."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.guest.errors import ToolError

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
SLOW_S = 2.0


def say(text):
    """One line of the tool's own on stderr."""
    print(f"stellar: {text}", file=sys.stderr, flush=True)


def run_quietly(argv, doing, env=None, cwd=None):
    """Runs argv and returns its stdout as text.

    `doing` names the work ("building //kernel:stellar") for the line that appears after two
    seconds and for the error. Raises ToolError with the command's last lines when it fails.
    """
    with tempfile.TemporaryFile("w+") as log:
        try:
            process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=log, text=True)
        except FileNotFoundError:
            raise ToolError(f"{argv[0]} is not installed: run tools/setup") from None
        try:
            out, _ = process.communicate(timeout=SLOW_S)
        except subprocess.TimeoutExpired:
            say(f"{doing} ...")
            out, _ = process.communicate()
        if process.returncode != 0:
            log.seek(0)
            raise ToolError(f"{doing} failed", detail=log.read()[-8000:].rstrip())
    return out
