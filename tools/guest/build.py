"""Files that Bazel builds, found by asking Bazel and not by guessing at folder names.

Bazel cannot be called from inside one of its own tests. There the environment variable
STELLAR_BUILT lists what the test got as data: "LABEL=FILE", separated by white space.
"""

import json
import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlparse

from tools.guest.errors import ToolError
from tools.guest.process import ROOT, run_quietly

KERNEL = "//kernel:stellar"
KERNEL_DEBUG = "//kernel:stellar_debug"
LINUX_INIT = "//tools/guest:linux_init"
KERNEL_ENTRY = "//tools/guest:kernel_entry"
TRACE_CONVERT = "//tools/trace:convert"
_GIVEN = "STELLAR_BUILT"


def _outputs(events):
    """Label -> output files, from the lines of Bazel's build event protocol in JSON."""
    file_sets, targets = {}, {}
    for event in events:
        kind = event["id"]
        if "namedSet" in kind:
            content = event["namedSetOfFiles"]
            files = [unquote(urlparse(file["uri"]).path) for file in content.get("files", [])]
            inner = [file_set["id"] for file_set in content.get("fileSets", [])]
            file_sets[kind["namedSet"]["id"]] = (files, inner)
        elif "targetCompleted" in kind and "completed" in event:
            targets[kind["targetCompleted"]["label"]] = event["completed"].get("outputGroup", [])

    def files_of(set_id):
        files, inner = file_sets[set_id]
        return files + [file for other in inner for file in files_of(other)]

    result = {}
    for label, groups in targets.items():
        default = [group for group in groups if group["name"] == "default"]
        sets = [s["id"] for group in default for s in group.get("fileSets", [])]
        result[label] = [Path(file) for set_id in sets for file in files_of(set_id)]
    return result


def _full(label):
    """//a/b is short for //a/b:b."""
    return label if ":" in label else f"{label}:{label.rpartition('/')[2]}"


def build(*labels):
    """Builds the targets, each of which has one output. Returns their files in the same order."""
    labels = [_full(label) for label in labels]
    given = dict(pair.split("=", 1) for pair in os.environ.get(_GIVEN, "").split())
    if all(label in given for label in labels):
        return [Path(given[label]) for label in labels]
    with tempfile.NamedTemporaryFile("r", prefix="stellar-build-") as events:
        run_quietly(["bazel", "build", "--color=no", "--noshow_progress", "--show_result=0",
                     f"--build_event_json_file={events.name}", *dict.fromkeys(labels)],
                    f"building {' '.join(dict.fromkeys(labels))}", cwd=ROOT)
        outputs = _outputs(json.loads(line) for line in events if line.strip())
    files = []
    for label in labels:
        found = outputs.get(label, [])
        if len(found) != 1:
            raise ToolError(f"{label} makes {len(found)} files, not one")
        files.append(found[0])
    return files
