-- wrk's script: each thread asks one of the requests of a folder, N.json, again and again; its answer is to be the one in N.alone.json, or 429.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

local function answer(body)
  return body:match('"content":%s*(".-[^\\]")')
end

local function read(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  local name = args[1] .. "/" .. number
  alone = assert(answer(read(name .. ".alone.json")), name .. ".alone.json holds no answer")
  text = wrk.format("POST", "/v1/chat/completions", { ["Content-Type"] = "application/json" }, read(name .. ".json"))
  whole, later, failed, differ = 0, 0, 0, 0
end

function request()
  return text
end

-- A client that was told to come later does: otherwise nothing else would be measured.
function delay()
  return math.random(0, 200)
end

function response(status, headers, body)
  if status == 429 then
    later = later + 1
  elseif status ~= 200 then
    failed = failed + 1
  elseif answer(body) ~= alone then
    differ = differ + 1
  else
    whole = whole + 1
  end
end

function done(summary)
  local sums = { whole = 0, later = 0, failed = 0, differ = 0 }
  for _, thread in ipairs(threads) do
    for name, sum in pairs(sums) do
      sums[name] = sum + thread:get(name)
    end
  end

  local errors = summary.errors
  print(string.format("wrk: %d whole answers, %d told to come later (429), %d failed, %d differ, %d broken connections",
    sums.whole, sums.later, sums.failed, sums.differ, errors.connect + errors.read + errors.write))
end
