#!/bin/bash
# Runs test programs, all of them whatever happens, and says at the end which failed.
# run_programs.sh JOBS SUMMARY PROGRAM...
# Each program's output goes to PROGRAM.log and is shown only when it fails. SUMMARY receives one
# line made of what the programs themselves counted (cmocka's last lines).
set -eu
jobs=$1 summary=$2
shift 2
if [ $# = 0 ]; then
    echo "no test programs"
    exit 1
fi

run_one() {
    local status=0
    timeout 300 "$1" >"$1.log" 2>&1 </dev/null || status=$?
    echo "$status" >"$1.status"
}
export -f run_one
# Old results go first: a run that is cut short must not show them.
for program; do rm -f "$program.log" "$program.status"; done
printf '%s\0' "$@" | xargs -0 -n 1 -P "$jobs" bash -c 'run_one "$1"' run_one

failed=()
logs=()
for program; do
    logs+=("$program.log")
    status=$(cat "$program.status" 2>/dev/null || echo none)
    # A program that ran nothing has proved nothing.
    if [ "$status" != 0 ] || ! grep -q '\[  PASSED  \] [1-9][0-9]* test' "$program.log"; then
        failed+=("$program")
        echo "--- $program: status $status"
        grep -v '^\[ RUN \|^\[       OK' "$program.log" | tail -n 60
    fi
done

count() { cat "${logs[@]}" | sed -n "s/^\[  $1  \] \([0-9]*\) test.*/\1/p" | awk '{ n += $1 } END { print n + 0 }'; }
result="$(count PASSED) tests passed, $(count FAILED) failed, in $# programs"
if [ ${#failed[@]} != 0 ]; then
    echo "unit: $result; ${#failed[@]} programs failed: ${failed[*]##*/}"
    exit 1
fi
echo "unit: $result"
echo "$result" >"$summary"
