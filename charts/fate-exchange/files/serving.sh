#!/bin/sh
# Succeeds while Traffic Server serves: `traffic_ctl server status` says `Proxy -- on`.
"${ATS_BIN:-/opt/trafficserver/bin}/traffic_ctl" server status | grep -q 'Proxy.*on'
