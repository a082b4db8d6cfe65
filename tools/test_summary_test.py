#!/usr/bin/env python3
"""Tests of test_summary.py: what CI believes must not depend on luck."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "test_summary.py")


def configured(label, **kind):
    return {"id": {"targetConfigured": {"label": label}}, "configured": kind}


def summary(label, status):
    return {"id": {"testSummary": {"label": label}}, "testSummary": {"overallStatus": status}}


def skipped(label):
    return {"id": {"configuredLabel": {"label": label}}, "aborted": {"reason": "SKIPPED"}}


def run(events, bazel_status):
    """The last line that the script prints, and its exit status."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write("\n".join(json.dumps(event) for event in events))
        file.flush()
        result = subprocess.run([sys.executable, SCRIPT, file.name, str(bazel_status)],
                                stdout=subprocess.PIPE, text=True, check=False)
    return result.stdout.splitlines()[-1], result.returncode


class Summary(unittest.TestCase):
    def test_all_passed(self):
        events = [configured("//a:t", testSize="SMALL"), configured("//a:lib"),
                  summary("//a:t", "PASSED")]
        self.assertEqual(run(events, 0), ("1 passed, 0 failed", 0))

    def test_one_failed(self):
        events = [configured("//a:t", testSize="SMALL"), configured("//a:u", testSize="SMALL"),
                  summary("//a:t", "PASSED"), summary("//a:u", "TIMEOUT")]
        self.assertEqual(run(events, 3), ("1 passed, 1 failed", 1))

    def test_unbuilt_test_failed(self):
        events = [configured("//a:t", testSize="SMALL")]
        self.assertEqual(run(events, 1), ("0 passed, 1 failed", 1))

    def test_skipped_does_not_count(self):
        events = [configured("//a:t", testSize="SMALL"), skipped("//a:t"),
                  configured("//a:u", testSize="SMALL"), summary("//a:u", "PASSED")]
        self.assertEqual(run(events, 0), ("1 passed, 0 failed", 0))

    def test_broken_build_counts_once(self):
        events = [configured("//a:t", testSize="SMALL"), summary("//a:t", "PASSED")]
        self.assertEqual(run(events, 1), ("1 passed, 1 failed", 1))

    def test_interrupted_test_failed(self):
        events = [configured("//a:t", testSize="SMALL"),
                  {"id": {"testSummary": {"label": "//a:t"}}, "aborted": {"reason": "USER_INTERRUPTED"}}]
        self.assertEqual(run(events, 8), ("0 passed, 1 failed", 1))

    def test_unreadable_workspace(self):
        self.assertEqual(run([], 1), ("0 passed, 1 failed", 1))


unittest.main()
