#!/usr/bin/env bash
# `make test-docker`: build, start, run nights in the containers, compare their tables with those of `make run`.
# Usage: docker/test.sh [DATE ...]   (default 2017-12-28; needs ./warehouse from `make run`)
set -euo pipefail
cd "$(dirname "$0")/.."
dates=("${@:-2017-12-28}")
compose() { docker compose -f docker/compose.yaml "$@"; }
trap 'compose logs --tail 40 >docker-test.log 2>&1 || :; compose down --volumes --timeout 5' EXIT

compose build --quiet
compose up --detach --wait-timeout 300
compose exec -T scheduler airflow dags unpause nightly >/dev/null
for date in "${dates[@]}"; do
    compose exec -T scheduler airflow dags trigger nightly --run-id "test-$date" --conf "{\"business_date\": \"$date\"}" >/dev/null
    for _ in $(seq 180); do
        # prints "success, {...}" behind whatever else Airflow has to say
        state=$(compose exec -T scheduler airflow dags state nightly "test-$date" 2>/dev/null | tail -1 | cut -d, -f1)
        [[ $state == success || $state == failed ]] && break
        sleep 5
    done
    echo "night $date in containers: $state"
    [[ $state == success ]]
done
out=$(mktemp -d)
compose exec -T scheduler tar -C /data/warehouse -ch published/by_date | tar -C "$out" -x
.venv/bin/python docker/compare_snapshots.py "$out" warehouse "${dates[@]}"
