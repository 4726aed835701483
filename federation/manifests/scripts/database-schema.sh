#!/bin/sh
# database-schema.sh SQL: waits for a database that exists, checks that the user has all rights in it, and runs a file of SQL, which makes
# the tables that are missing. It may run again at any time: nothing that is there is changed.
#
# Environment: MYSQL_HOST, MYSQL_PORT, MYSQL_DATABASE, MYSQL_USER, and MYSQL_PWD, which mysql reads itself. Needs sh and mysql only.
set -eu

client() {
    mysql --no-defaults --protocol=TCP --host="$MYSQL_HOST" --port="$MYSQL_PORT" --user="$MYSQL_USER" --connect-timeout=5 \
        --batch --skip-column-names "$MYSQL_DATABASE"
}

refuse() {
    echo "database-schema.sh: $1" >&2
    exit 1
}

where="database $MYSQL_DATABASE of $MYSQL_HOST:$MYSQL_PORT"
tries=0
until said=$(echo 'SELECT 1' | client 2>&1 >/dev/null); do
    case $said in
        *"ERROR 1045"*) refuse "user $MYSQL_USER is refused at $MYSQL_HOST:$MYSQL_PORT: correct the password, or the user's host part" ;;
        *"ERROR 1044"*) refuse "user $MYSQL_USER may not use $where: GRANT ALL PRIVILEGES ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%'" ;;
        *"ERROR 1049"*) refuse "there is no $where: CREATE DATABASE $MYSQL_DATABASE CHARACTER SET utf8mb4" ;;
        *"ERROR 1130"*) refuse "$MYSQL_HOST:$MYSQL_PORT refuses connections from this cluster's addresses" ;;
    esac
    tries=$((tries + 1))
    if [ "$tries" -ge "${TRIES:-60}" ]; then refuse "no answer from $where: $said"; fi
    sleep 2
done

# FATE-Flow makes tables and indexes, and alters them when its version changes.
client <<'SQL' || refuse "user $MYSQL_USER lacks a right in $where: GRANT ALL PRIVILEGES ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%'"
DROP TABLE IF EXISTS fate_federation_check;
CREATE TABLE fate_federation_check (id INT PRIMARY KEY, note VARCHAR(20));
CREATE INDEX fate_federation_check_note ON fate_federation_check (note);
ALTER TABLE fate_federation_check ADD COLUMN more INT;
INSERT INTO fate_federation_check VALUES (1, 'one', 1);
UPDATE fate_federation_check SET note = 'two' WHERE id = 1;
DELETE FROM fate_federation_check WHERE id = 1;
DROP TABLE fate_federation_check;
SQL

client < "$1" || refuse "the tables could not be made in $where"
echo "database-schema.sh: $where is ready"
