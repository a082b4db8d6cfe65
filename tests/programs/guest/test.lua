-- Tables, closures, coroutines, string patterns, files, a pipe, the collector.
local t = {}
for i = 1, 100000 do t[i] = (i * 7919) % 100003 end
table.sort(t)
print(#t, t[1], t[#t])
local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(gen(), gen(), gen())
print(("key=value; a=b"):gsub("(%w+)=(%w+)", "%2=%1"))
local name = os.tmpname()
local f = assert(io.open(name, "w"))
for i = 1, 1000 do f:write(i, "\n") end
f:close()
local sum = 0
for line in io.lines(name) do sum = sum + tonumber(line) end
print(sum, os.remove(name))
local p = io.popen("echo from a pipe; exit 3")
print(p:read("a"), p:close())
print(string.pack("<i4", 7):byte(1, -1))
collectgarbage()
print(collectgarbage("count") < 20000, os.getenv("HOME"), pcall(error, "caught"))
