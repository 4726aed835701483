-- Chooses where a request goes, by its headers.
local headers = ngx.req.get_headers()
local party = headers["dest-party-id"] or headers["dest-env"]
ngx.ctx.target = require("route_table").target(party, headers["service"], ngx.req.http_version() == 2)
