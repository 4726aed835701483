set -eu
cd /data/projects/fate/proxy
# The router reads conf/route_table.yaml. A file mounted there would never change; a mounted directory does.
mkdir -p /tmp/lua
sed 's#conf/route_table.yaml#conf/modifiable/route_table.yaml#' nginx/lua/route_table.lua > /tmp/lua/route_table.lua
grep -q conf/modifiable/route_table.yaml /tmp/lua/route_table.lua || {
    echo "nginx/lua/route_table.lua of this image does not read conf/route_table.yaml: this is not FATE's nginx" >&2
    exit 1
}
exec openresty -g 'daemon off;'
