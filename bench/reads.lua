-- For wrk: gets with HEADERS (one "Name: value" a line) and prints one line of JSON at the end; times in microseconds. Looks at no
-- body, which would cost more than what is measured; answers that are not 2xx or 304 are counted by wrk itself.
for name, value in (os.getenv("HEADERS") or ""):gmatch("([^:\n]+):%s*([^\n]*)") do
  wrk.headers[name] = value
end

function done(summary, latency)
  local failed = summary.errors
  print(string.format(
    '{"requests":%d,"rps":%.1f,"p50_us":%d,"p99_us":%d,"bytes":%d,"errors":%d}',
    summary.requests, summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    summary.bytes / math.max(summary.requests, 1), failed.connect + failed.read + failed.write + failed.timeout + failed.status))
end
