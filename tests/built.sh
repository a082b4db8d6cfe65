# shellcheck shell=bash
# Sourced by tests that call the tools of the workspace: what to do with "LABEL=FILE..." arguments, a folder to work in, a way to fail.
# Such tests run outside the sandbox; the real workspace, found behind the link to the script, has the caches.

# shellcheck disable=SC2034  # used by those who source this
tools=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../tools
dir=$(mktemp -d "${TEST_TMPDIR:-/tmp}/test.XXXXXX")
trap 'rm -rf "$dir"' EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }

# use_built LABEL=FILE...: the tools take these files and do not call Bazel, which waits for the test.
use_built() {
	STELLAR_BUILT=
	for pair; do
		STELLAR_BUILT+="${pair%%=*}=$PWD/${pair#*=} "
	done
	export STELLAR_BUILT
}
