-- Asks with another query each time, so that no two heads of a connection in a row are the same.
local requests = {}
local at = 0

function init()
  for i = 1, 97 do
    requests[i] = wrk.format(nil, wrk.path .. "?page=" .. i)
  end
end

function request()
  at = at % 97 + 1
  return requests[at]
end
