-- The message of scenario V; start wrk in benches/compare.
local file = assert(io.open("../../fixtures/sondernutzung/zehn-kilobyte.xml", "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/xml"
