#!/bin/sh
# Runs nginx with a list of exchanges that may change under it.
#
# nginx reads its files at start, and again only when asked. So this script looks at the list every INTERVAL seconds; a list that
# nginx accepts is loaded, another one is told once and waited out. Streams that are open outlive a reload.
#
#   NGINX     the program
#   CONFIG    its configuration
#   LIST      the list of exchanges, which CONFIG includes
#   HOME_DIR  a directory to write to, which CONFIG names
#   INTERVAL  seconds between two looks
set -u

NGINX=${NGINX:-openresty}
CONFIG=${CONFIG:-/config/nginx.conf}
LIST=${LIST:-/routes/exchanges.conf}
HOME_DIR=${HOME_DIR:-/tmp/nginx}
INTERVAL=${INTERVAL:-5}

log() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) lbrollsite.sh: $*"; }

stop() {
    stopping=yes
    # QUIT, not TERM: streams may end by themselves.
    [ -z "$nginx" ] || kill -QUIT "$nginx" 2>/dev/null
    [ -z "$pause" ] || kill "$pause" 2>/dev/null
}

stopping=
pause=
nginx=
trap stop TERM INT
mkdir -p "$HOME_DIR/logs"
seen=$(cat "$LIST")

"$NGINX" -p "$HOME_DIR/" -c "$CONFIG" -g 'daemon off;' &
nginx=$!

while [ -z "$stopping" ] && kill -0 "$nginx" 2>/dev/null; do
    sleep "$INTERVAL" &
    pause=$!
    wait "$pause"
    pause=
    [ -z "$stopping" ] || break

    now=$(cat "$LIST") && [ -n "$now" ] && [ "$now" != "$seen" ] || continue
    seen=$now
    if "$NGINX" -p "$HOME_DIR/" -c "$CONFIG" -t -q && kill -HUP "$nginx"; then
        log "reloaded"
    else
        log "the list is not what nginx takes: it keeps the old one"
    fi
done

# A signal ends the first wait.
wait "$nginx"
status=$?
while [ -n "$stopping" ] && kill -0 "$nginx" 2>/dev/null; do
    wait "$nginx"
    status=$?
done
[ -z "$stopping" ] || status=0
log "nginx ended, status $status"
exit "$status"
