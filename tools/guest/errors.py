"""How a tool says that it cannot go on: one line on stderr and an exit status.

Statuses follow env(1) and timeout(1), so that a script can tell a failed run from a failed program:
  2    the command line is wrong
  124  the time limit passed
  125  the run itself failed (build, download, QEMU, kernel panic)
  126  the program is there but cannot be executed
  127  the program is not there
"""

USAGE = 2
TIMEOUT = 124
FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class ToolError(Exception):
    """The message is one line for the user; `detail` may hold more lines to print below it."""

    def __init__(self, message, status=FAILED, detail=""):
        super().__init__(message)
        self.status = status
        self.detail = detail
