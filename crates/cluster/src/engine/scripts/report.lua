-- Notes that a worker lives and what it does, and forgets those that have not said so for long.
-- KEYS workers, tasks
-- ARGV group, worker, what it says ('' when it leaves), for how long that counts in ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[3] ~= '' then
    redis.call('HSET', KEYS[1], ARGV[2], string.format('%.0f', now) .. '\t' .. ARGV[3])
end
local workers = redis.call('HGETALL', KEYS[1])
for i = 1, #workers, 2 do
    local seen = tonumber(string.match(workers[i + 1], '^%d+'))
    if seen + ARGV[4] < now or (workers[i] == ARGV[2] and ARGV[3] == '') then
        redis.call('HDEL', KEYS[1], workers[i])
        local held = redis.pcall('XPENDING', KEYS[2], ARGV[1], '-', '+', 1, workers[i])
        if #held == 0 and not held.err then
            redis.pcall('XGROUP', 'DELCONSUMER', KEYS[2], ARGV[1], workers[i])
        end
    end
end
