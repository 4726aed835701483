#!/bin/sh
# database-password.sh: changes a MySQL user's own password from the previous to the new one. It may run again in any state: a server that
# takes the new one is left alone.
#
# Environment: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, NEW_PASSWORD, PREVIOUS_PASSWORD. Needs sh, sed and mysql only. No password is ever an
# argument of a program, where others could read it.
set -eu

client() {
    MYSQL_PWD=$1 mysql --no-defaults --protocol=TCP --host="$MYSQL_HOST" --port="$MYSQL_PORT" --user="$MYSQL_USER" --connect-timeout=5 \
        --default-character-set=utf8mb4 --batch
}

refuse() {
    echo "database-password.sh: $1" >&2
    exit 1
}

# Whether the server takes a password; waits for a server that does not answer.
takes() {
    tries=0
    until said=$(echo 'SELECT 1' | client "$1" 2>&1 >/dev/null); do
        case $said in
            *"ERROR 1045"*) return 1 ;;
            *"ERROR 1130"*) refuse "$MYSQL_HOST:$MYSQL_PORT refuses connections from this cluster's addresses" ;;
        esac
        tries=$((tries + 1))
        if [ "$tries" -ge "${TRIES:-60}" ]; then refuse "no answer from $MYSQL_HOST:$MYSQL_PORT: $said"; fi
        sleep 2
    done
}

who="user $MYSQL_USER of $MYSQL_HOST:$MYSQL_PORT"
if takes "$NEW_PASSWORD"; then
    echo "database-password.sh: $who has the new password already"
    exit 0
fi
takes "$PREVIOUS_PASSWORD" || refuse "$who has neither the new password nor the previous one: name the entry that it has as previous"

# As an SQL string, in a mode in which a backslash escapes. A user may change its own password with this statement only, which MariaDB
# reads in another way. What the client says of a failed statement would show the password: only the number of the error is told.
literal="'$(printf '%s\n' "$NEW_PASSWORD" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")'"
case $(echo 'SELECT VERSION()' | client "$PREVIOUS_PASSWORD") in
    *MariaDB*) literal="PASSWORD($literal)" ;;
esac
said=$(printf "SET SESSION sql_mode = '';\nSET PASSWORD = %s;\n" "$literal" | client "$PREVIOUS_PASSWORD" 2>&1) ||
    refuse "the password of $who could not be changed: $(printf '%s\n' "$said" | sed -n 's/^\(ERROR [0-9]*\).*/\1/p')"
takes "$NEW_PASSWORD" || refuse "$who does not take the new password after the change"
echo "database-password.sh: $who has the new password"
