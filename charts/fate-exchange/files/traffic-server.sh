#!/bin/sh
# Runs Apache Traffic Server with configuration that may change under it.
#
# Traffic Server reads its own directory, and re-reads it only when asked. So this script installs the
# mounted files there, starts traffic_manager, then looks at the mounts every INTERVAL seconds: what
# differs is installed and one `traffic_ctl config reload` follows. Open tunnels outlive a reload.
#
#   ATS_BIN     directory of traffic_manager and traffic_ctl
#   ATS_CONFIG  directory Traffic Server reads; must be writable
#   CONFIG      mounted directory; every file in it is installed under its own name
#   INTERVAL    seconds between two looks
set -u

ATS_BIN=${ATS_BIN:-/opt/trafficserver/bin}
ATS_CONFIG=${ATS_CONFIG:-/opt/trafficserver/etc/trafficserver}
CONFIG=${CONFIG:-/config}
INTERVAL=${INTERVAL:-5}

log() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) traffic-server.sh: $*"; }

sum() { cksum <"$1" 2>/dev/null; }

# Renamed into place: Traffic Server never sees half a file, and sees a fresh modification time. It
# compares those and not contents, so an older file brought back with its own time would be missed.
put() {
    cp "$1" "$2.new" && chmod 0644 "$2.new" && mv -f "$2.new" "$2"
}

# Installs what differs; true if anything did.
install_changed() {
    changed=1
    for mounted in "$CONFIG"/*; do
        [ -f "$mounted" ] || continue
        name=${mounted##*/}
        [ "$(sum "$mounted")" = "$(sum "$ATS_CONFIG/$name")" ] && continue
        if put "$mounted" "$ATS_CONFIG/$name"; then
            log "installed $name"
            changed=0
        else
            log "could not install $name, will try again"
        fi
    done
    return $changed
}

stop() {
    stopping=yes
    [ -z "$manager" ] || kill -TERM "$manager" 2>/dev/null
    [ -z "$pause" ] || kill "$pause" 2>/dev/null
}

stopping=
pause=
manager=
trap stop TERM INT
install_changed
[ -z "$stopping" ] || exit 0

"$ATS_BIN/traffic_manager" &
manager=$!

# A reload that failed (the manager is still starting, say) stays wanted until one succeeds.
wanted=
while [ -z "$stopping" ] && kill -0 "$manager" 2>/dev/null; do
    sleep "$INTERVAL" &
    pause=$!
    wait "$pause"
    pause=
    [ -z "$stopping" ] || break

    if install_changed; then
        wanted=yes
    fi
    if [ -n "$wanted" ] && "$ATS_BIN/traffic_ctl" config reload; then
        log "reloaded"
        wanted=
    fi
done

wait "$manager"
status=$?
# Asked to stop: however the manager puts it, that is a success.
[ -z "$stopping" ] || status=0
log "traffic_manager ended, status $status"
exit "$status"
