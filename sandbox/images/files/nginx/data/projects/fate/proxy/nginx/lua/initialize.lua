-- Reads the route table when a worker starts, and again every five seconds, as FATE's router does.
local routes = require "route_table"

if ngx.worker.id() == 0 then
    ngx.log(ngx.NOTICE, "this is a stand-in for FATE's router: it chooses by the same route table, and is no part of FATE")
end
routes.read()
ngx.timer.every(5, routes.read)
