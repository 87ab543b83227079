#!/bin/bash
# Feeds each replay program (named like its corpus) every file stored for it.
# replay.sh SUMMARY PROGRAM...
set -eu
limit=600 # CPU seconds for a target
summary=$1
shift
corpora=$(dirname "$0")/corpus
failed=()
inputs=0
for program; do
    name=${program##*/}
    count=$(find "$corpora/$name" -type f 2>/dev/null | wc -l)
    if [ "$count" = 0 ]; then
        echo "fuzz-replay: $name has no corpus"
        failed+=("$name")
    elif (ulimit -St "$limit" -c 0 && exec "$program" "$corpora/$name") >"$program.log" 2>&1; then
        inputs=$((inputs + count))
    else
        echo "--- $name: status $?"
        tail -n 60 "$program.log"
        failed+=("$name")
    fi
done
echo "$inputs passed, ${#failed[@]} failed, 0 skipped" >"$summary"
if [ ${#failed[@]} != 0 ]; then
    echo "fuzz-replay: ${#failed[@]} of $# targets failed: ${failed[*]}"
    exit 1
fi
echo "fuzz-replay: $(cat "$summary"), in $# targets"
