-- Addresses only, as in FATE's: for a host name, nginx goes on to the server that its configuration names.
local ok, problem = require("ngx.balancer").set_current_peer(ngx.ctx.target)
if not ok then
    ngx.log(ngx.ERR, "cannot go to ", ngx.ctx.target, ": ", problem)
end
