-- Each request sends the next of its arguments as the field cookie.
local requests = {}
local at = 0

function init(args)
  for i, cookie in ipairs(args) do
    requests[i] = wrk.format(nil, nil, { ["cookie"] = cookie })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
