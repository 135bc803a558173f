#!/usr/bin/env bash
# PostgreSQL on 127.0.0.1 with one database and one user, both named airflow; the password is in POSTGRES_PASSWORD.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
if [ ! -s "$data/PG_VERSION" ]; then
    "$bin/initdb" --pgdata "$data" --username airflow --auth-host scram-sha-256 --auth-local scram-sha-256 \
        --pwfile <(printf '%s' "$POSTGRES_PASSWORD") >/dev/null
    printf "CREATE DATABASE airflow;\n" | "$bin/postgres" --single -D "$data" postgres >/dev/null
fi
exec "$bin/postgres" -D "$data" -c listen_addresses=127.0.0.1 -c port="${POSTGRES_PORT:-55432}" -c unix_socket_directories=/tmp
