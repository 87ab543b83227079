#!/bin/bash
# The last lines of a run, in which it says what passed, failed and was skipped, and why.
#
#   summary.sh reasons                 from standard input, a reason for each skipped test in a line:
#                                      "  N skipped: REASON" for each that there is
#   summary.sh pytest LOG SUMMARY      makes SUMMARY of what pytest -rs has said
#   summary.sh all FOLDER PART...      all parts, from FOLDER/PART.summary, and their sum
#
# A summary is the line "N passed, N failed, N skipped", with the reasons below it.
set -eu

reasons() {
    grep . | sort | uniq -c | sed 's/^ *\([0-9]*\) /  \1 skipped: /' || true
}

# "3 failed, 600 passed, 2 skipped, 1 error in 9.1s": the number in front of a word, 0 without it.
number() {
    local found
    found=$(grep -oE "[0-9]+ $1" <<<"$2" | grep -oE '^[0-9]+' || true)
    echo "${found:-0}"
}

from_pytest() {
    local log=$1 last
    last=$(grep -E ' in [0-9.]+s' "$log" | tail -n 1)
    echo "$(number passed "$last") passed," \
        "$(($(number failed "$last") + $(number error "$last"))) failed," \
        "$(number skipped "$last") skipped"
    sed -n 's/^SKIPPED \[\([0-9]*\)\] [^ ]*: /\1 /p' "$log" | while read -r count reason; do
        yes "$reason" | head -n "$count" || true
    done | reasons
}

all() {
    local folder=$1 part line passed=0 failed=0 skipped=0
    shift
    for part; do
        line=$(head -n 1 "$folder/$part.summary" 2>/dev/null || echo "did not run")
        echo "  $part: $line"
        tail -n +2 "$folder/$part.summary" 2>/dev/null | sed 's/^/  /' || true
        passed=$((passed + $(number passed "$line")))
        failed=$((failed + $(number failed "$line")))
        skipped=$((skipped + $(number skipped "$line")))
    done
    echo "check: $passed passed, $failed failed, $skipped skipped"
}

case $1 in
reasons) reasons ;;
pytest) from_pytest "$2" >"$3" ;;
all) all "${@:2}" ;;
esac
