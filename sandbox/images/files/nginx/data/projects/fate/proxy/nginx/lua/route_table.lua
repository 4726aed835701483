-- The route table: per party, per service, a list of hosts with their ports. A stand-in for FATE's, with its rules:
-- block style only, a party that left the file stays known until a restart, an unknown one is asked for at default's proxy.
local M = { known = {} }

local path = ngx.config.prefix() .. "conf/route_table.yaml"

local function bare(text)
    return (text:gsub("^[\"']", ""):gsub("[\"']$", ""))
end

-- Reads the file, and keeps what it says of each party.
function M.read()
    local file = io.open(path)
    if not file then
        ngx.log(ngx.ERR, "cannot read ", path)
        return
    end
    local found, party, service, hop = {}, nil, nil, nil
    for line in file:lines() do
        local indent, rest = line:match("^( *)(.-)%s*$")
        local item = rest:match("^%- +(.*)$")
        local key, value = (item or rest):match("^([^#].-): *(.*)$")
        if key and #indent == 0 then
            party, service = bare(key), nil
            found[party] = {}
        elseif key and party and not item and value == "" then
            service = bare(key)
            found[party][service] = {}
        elseif key and service then
            if item then
                hop = {}
                table.insert(found[party][service], hop)
            end
            hop[bare(key)] = bare(value)
        end
    end
    file:close()
    for name, services in pairs(found) do
        M.known[name] = services
    end
end

-- Where a request goes, as "host:port"; an error where the table says nothing, which nginx answers with 500.
function M.target(party, service, http2)
    local services, name = M.known[party], service
    if not services then
        services, name = M.known.default, "proxy"
    end
    local hops = services and services[name]
    if not hops or #hops == 0 then
        error("no route to " .. tostring(name) .. " of party " .. tostring(party))
    end
    local hop = hops[math.random(#hops)]
    return hop.host .. ":" .. (http2 and hop.grpc_port or hop.http_port)
end

return M
