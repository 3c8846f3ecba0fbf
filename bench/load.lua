-- For wrk: posts BODY with HEADERS (one "Name: value" a line), counts answers that are not 2xx or lack EXPECT, and
-- prints one line of JSON at the end; times in microseconds.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"
for name, value in (os.getenv("HEADERS") or ""):gmatch("([^:\n]+):%s*([^\n]*)") do
  wrk.headers[name] = value
end

local expected = os.getenv("EXPECT")
local all = {}

function setup(thread)
  thread:set("wrong", 0)
  all[#all + 1] = thread
end

function response(status, _, body)
  if status < 200 or status > 299 or not body:find(expected, 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local wrong_answers = 0
  for _, thread in ipairs(all) do
    wrong_answers = wrong_answers + thread:get("wrong")
  end
  local failed = summary.errors
  print(string.format(
    '{"requests":%d,"rps":%.1f,"p50_us":%d,"p99_us":%d,"wrong":%d,"errors":%d,"tool":"wrk"}',
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    wrong_answers, failed.connect + failed.read + failed.write + failed.timeout))
end
