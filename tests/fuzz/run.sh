#!/bin/bash
# Runs libFuzzer targets, some at a time, all to the end, and fails if one crashed.
# run.sh JOBS SECONDS FOLDER NAME...
# FOLDER holds the programs fuzz_NAME. New inputs that reach new code are kept in
# FOLDER/NAME/found, inputs that crash in FOLDER/NAME/crash.
set -eu
jobs=$1 seconds=$2 folder=$3
shift 3
corpora=$(dirname "$0")/corpus
export corpora seconds folder

run_one() {
    local name=$1
    local stored=()
    local options=()
    [ ! -d "$corpora/$name" ] || stored=("$corpora/$name")
    [ ! -f "$corpora/../$name.dict" ] || options=("-dict=$corpora/../$name.dict")
    mkdir -p "$folder/$name/found" "$folder/$name/crash"
    local status=0
    # libFuzzer keeps its finds in the first folder and only reads the others.
    "$folder/fuzz_$name" -max_total_time="$seconds" -timeout=120 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$folder/$name/crash/" "${options[@]}" \
        "$folder/$name/found" "${stored[@]}" >"$folder/$name.log" 2>&1 </dev/null || status=$?
    echo "$status" >"$folder/$name.status"
    echo "fuzz: $name: status $status," \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$name.log") runs," \
        "$(grep -o 'cov: [0-9]*' "$folder/$name.log" | tail -n 1)," \
        "$(find "$folder/$name/found" -type f | wc -l) kept"
}
export -f run_one
for name; do rm -f "$folder/$name.status"; done
printf '%s\0' "$@" | xargs -0 -n 1 -P "$jobs" bash -c 'run_one "$1"' run_one

failed=()
for name; do
    if [ "$(cat "$folder/$name.status" 2>/dev/null)" != 0 ]; then
        failed+=("$name")
        echo "--- $name"
        tail -n 40 "$folder/$name.log"
    fi
done
if [ ${#failed[@]} != 0 ]; then
    echo "fuzz: ${#failed[@]} of $# targets failed: ${failed[*]}"
    exit 1
fi
echo "fuzz: $# targets ran for $seconds s each without a crash"
