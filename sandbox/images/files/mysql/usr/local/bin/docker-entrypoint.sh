#!/bin/bash
# Stands for the entry point of MySQL's image: the same variables, the same folder of first scripts, MariaDB behind it.
set -eu

data=/var/lib/mysql socket=/run/mysqld/mysqld.sock
[ $# -gt 0 ] && [ "${1#-}" = "$1" ] || set -- mysqld "$@"
[ "$1" = mysqld ] || exec "$@"
shift

say() { echo "$(date -u +%FT%TZ) test image (MariaDB stands for MySQL): $*"; }

# SQL's text of a value.
quoted() {
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

options=(
    --no-defaults --datadir="$data" --socket="$socket" --pid-file=/run/mysqld/mysqld.pid
    --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci --skip-name-resolve
)

# The users and the database of the environment, by the first server, which nobody reaches over the network.
first() {
    mariadbd "${options[@]}" --skip-networking &
    local server=$!
    until mariadb --no-defaults --socket="$socket" --user=root --execute="SELECT 1" > /dev/null 2>&1; do
        kill -0 "$server" || { say "the first server did not start"; exit 1; }
        sleep 0.2
    done
    for script in /docker-entrypoint-initdb.d/*.sql; do
        [ -e "$script" ] || continue
        say "running $script"
        mariadb --no-defaults --socket="$socket" --user=root --database="${MYSQL_DATABASE:-}" < "$script"
    done
    {
        if [ -n "${MYSQL_DATABASE:-}" ]; then
            echo "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;"
        fi
        if [ -n "${MYSQL_USER:-}" ]; then
            echo "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "$MYSQL_PASSWORD");"
            echo "GRANT ALL ON \`${MYSQL_DATABASE:-}\`.* TO $(quoted "$MYSQL_USER")@'%';"
        fi
        echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
        if [ "${MYSQL_ROOT_HOST:-%}" != localhost ]; then
            echo "CREATE USER 'root'@$(quoted "${MYSQL_ROOT_HOST:-%}") IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
            echo "GRANT ALL ON *.* TO 'root'@$(quoted "${MYSQL_ROOT_HOST:-%}") WITH GRANT OPTION;"
        fi
    } | mariadb --no-defaults --socket="$socket" --user=root
    kill "$server"
    wait "$server"
}

if [ ! -d "$data/mysql" ]; then
    : "${MYSQL_ROOT_PASSWORD:?is empty}"
    say "making the database in $data"
    mariadb-install-db --no-defaults --datadir="$data" --skip-test-db --auth-root-authentication-method=normal > /dev/null
    first
fi
say "starting"
exec mariadbd "${options[@]}" --bind-address=0.0.0.0 "$@"
