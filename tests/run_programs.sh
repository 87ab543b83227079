#!/bin/bash
# Runs test programs, all of them whatever happens, and says at the end which failed.
# run_programs.sh JOBS SUMMARY PROGRAM...
# Each program's output goes to PROGRAM.log and is shown only when it fails. What the programs
# counted themselves (cmocka's last lines) goes to SUMMARY, as tests/summary.sh has it; a test that
# is skipped says why in a line that begins with "skipped: ".
set -eu
# CPU seconds that a program may take: what else the machine has to do does not count.
export limit=300
jobs=$1 summary=$2
shift 2
if [ $# = 0 ]; then
    echo "no test programs"
    exit 1
fi

run_one() {
    local status=0
    (ulimit -St "$limit" -c 0 && exec "$1") >"$1.log" 2>&1 </dev/null || status=$?
    echo "$status" >"$1.status"
}
export -f run_one
# Old results go first: a run that is cut short must not show them.
for program; do rm -f "$program.log" "$program.status"; done
printf '%s\0' "$@" | xargs -0 -n 1 -P "$jobs" bash -c 'run_one "$1"' run_one

failed=()
crashed=0 # programs that failed without a test that says so
logs=()
for program; do
    logs+=("$program.log")
    status=$(cat "$program.status" 2>/dev/null || echo none)
    # A program that ran nothing has proved nothing.
    if [ "$status" != 0 ] || ! grep -q '\[  PASSED  \] [1-9][0-9]* test' "$program.log"; then
        failed+=("$program")
        grep -q '\[  FAILED  \] [1-9][0-9]* test' "$program.log" || crashed=$((crashed + 1))
        [ "$status" != 152 ] || status="$status, more than $limit CPU seconds"
        echo "--- $program: status $status"
        grep -v '^\[ RUN \|^\[       OK' "$program.log" | tail -n 60
    fi
done

count() { cat "${logs[@]}" | sed -n "s/^\[  $1 *\] \([0-9]*\) test.*/\1/p" | awk '{ n += $1 } END { print n + 0 }'; }
skipped=$(count SKIPPED)
reasons=$(cat "${logs[@]}" | sed -n 's/^skipped: //p')
silent=$((skipped - $(grep -c . <<<"$reasons" || true)))
[ "$silent" -le 0 ] || reasons+=$(yes $'\nno reason given' | head -n "$((2 * silent))")
{
    echo "$(count PASSED) passed, $(($(count FAILED) + crashed)) failed, $skipped skipped"
    "$(dirname "$0")/summary.sh" reasons <<<"$reasons"
} >"$summary"
echo "unit: $(head -n 1 "$summary"), in $# programs"
tail -n +2 "$summary"
if [ ${#failed[@]} != 0 ]; then
    echo "unit: ${#failed[@]} programs failed: ${failed[*]##*/}"
    exit 1
fi
