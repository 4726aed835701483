#!/bin/bash
# rabbitmq-password.sh: changes the password of RabbitMQ's administrator from the previous to the new one. It may run again in any state: a
# broker that takes the new one is left alone.
#
# Environment: RABBITMQ_HOST, RABBITMQ_ADMIN_PORT, RABBITMQ_USER, NEW_PASSWORD, PREVIOUS_PASSWORD. RabbitMQ's image has no HTTP client, so bash
# speaks to the management API itself. No password is ever an argument of a program, where others could read it.
set -euo pipefail
export LC_ALL=C

refuse() {
    echo "rabbitmq-password.sh: $1" >&2
    exit 1
}

# request METHOD PATH PASSWORD [BODY]: the status of the answer; empty when there is none.
request() {
    local method=$1 path=$2 body=${4:-} credentials status
    credentials=$(printf '%s' "$RABBITMQ_USER:$3" | base64 | tr -d '\n')
    (
        exec 3<> "/dev/tcp/$RABBITMQ_HOST/$RABBITMQ_ADMIN_PORT" || exit 0
        printf '%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
            "$method" "$path" "$RABBITMQ_HOST" "$credentials" "${#body}" "$body" >&3
        read -r -t 10 _ status _ <&3 || exit 0
        printf '%s' "$status"
    ) 2> /dev/null || true
}

# takes PASSWORD: whether the broker takes it; waits for a broker that does not answer.
takes() {
    local status tries=0
    while true; do
        status=$(request GET /api/whoami "$1")
        case $status in
            200) return 0 ;;
            401) return 1 ;;
        esac
        tries=$((tries + 1))
        [ "$tries" -lt "${TRIES:-60}" ] || refuse "no answer from $RABBITMQ_HOST:$RABBITMQ_ADMIN_PORT ${status:+(HTTP $status)}"
        sleep 2
    done
}

who="user $RABBITMQ_USER of $RABBITMQ_HOST:$RABBITMQ_ADMIN_PORT"
if takes "$NEW_PASSWORD"; then
    echo "rabbitmq-password.sh: $who has the new password already"
    exit 0
fi
takes "$PREVIOUS_PASSWORD" || refuse "$who has neither the new password nor the previous one: name the entry that it has as previous"

[[ $NEW_PASSWORD != *[[:cntrl:]]* ]] || refuse "the new password has a line break or another control character"
escaped=${NEW_PASSWORD//\\/\\\\}
escaped=${escaped//\"/\\\"}
status=$(request PUT "/api/users/$RABBITMQ_USER" "$PREVIOUS_PASSWORD" "{\"password\":\"$escaped\",\"tags\":\"administrator\"}")
[[ $status == 20[14] ]] || refuse "the password of $who could not be changed: HTTP ${status:-without an answer}"
takes "$NEW_PASSWORD" || refuse "$who does not take the new password after the change"
echo "rabbitmq-password.sh: $who has the new password"
