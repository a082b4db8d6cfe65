"""Counts test targets in a Bazel build event file and prints "N passed, N failed".

Usage: test_summary.py EVENTS BAZEL_STATUS

A test target that could not be built, or that an interrupted Bazel did not finish, has failed; one that does not fit the platform does not
count. When Bazel reports a failure that no test explains, the build counts as one more.
"""
import json
import sys

PASSED = ("PASSED", "FLAKY")
NOT_BUILT = "NOT_BUILT"
BAZEL_OK, BAZEL_TESTS_FAILED = 0, 3


def read_events(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def outcomes(events):
    """Maps each test target to its status: Bazel's, or NOT_BUILT."""
    result = {}
    for event in events:
        for kind, key in event["id"].items():
            if kind == "targetConfigured" and "testSize" in event.get("configured", {}):
                result.setdefault(key["label"], NOT_BUILT)
            elif kind == "testSummary" and kind in event:
                result[key["label"]] = event["testSummary"]["overallStatus"]
    for event in events:
        if event.get("aborted", {}).get("reason") == "SKIPPED":
            for key in event["id"].values():
                result.pop(key.get("label"), None)
    return result


def main():
    events_path, bazel_status = sys.argv[1], int(sys.argv[2])
    result = outcomes(read_events(events_path))
    failures = [f"{label} ({status})" for label, status in sorted(result.items())
                if status not in PASSED]
    passed = len(result) - len(failures)
    explained = NOT_BUILT in result.values() or bazel_status in (BAZEL_OK, BAZEL_TESTS_FAILED)
    if not explained:
        failures.append(f"the build (bazel exit status {bazel_status})")
    for failure in failures:
        print(f"failed: {failure}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or bazel_status else 0


sys.exit(main())
