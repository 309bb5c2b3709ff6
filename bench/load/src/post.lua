-- wrk's side of the load bench: POSTs one body again and again, and ends with one line of JSON.
-- From the environment: LOAD_BODY, LOAD_TOKEN (no Authorization header when empty), and LOAD_KEYS, what the
-- Idempotency-Keys of this run begin with (none when empty).

local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  wrk.method = "POST"
  wrk.body = os.getenv("LOAD_BODY")
  wrk.headers["Content-Type"] = "application/json"
  local token = os.getenv("LOAD_TOKEN")
  if token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end
  keys = os.getenv("LOAD_KEYS")
  count = 0
  fixed = wrk.format()
end

function request()
  if keys == "" then return fixed end
  count = count + 1
  wrk.headers["Idempotency-Key"] = keys .. "-" .. id .. "-" .. count
  return wrk.format()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"status_errors":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
