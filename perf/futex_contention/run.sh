#!/bin/bash
# What `bazel run //perf:futex_contention` runs: tools/run, whose main job the benchmark is.
set -euo pipefail

if [[ -z "${BUILD_WORKSPACE_DIRECTORY:-}" ]]; then
	echo "run.sh: start it by: bazel run //perf:futex_contention" >&2
	exit 2
fi
exec "$BUILD_WORKSPACE_DIRECTORY/tools/run" "$@"
