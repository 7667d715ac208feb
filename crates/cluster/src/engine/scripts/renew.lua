-- Renews the leases of tasks that the worker still owns: 1. Others are lost (0), or their client is gone (2).
-- KEYS tasks, then the `submitted` of each task's client
-- ARGV group, worker, then the ids
local states = {}
for i = 3, #ARGV do
    local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
    local state = 0
    if #held == 1 and held[1][2] == ARGV[2] then
        if redis.call('EXISTS', KEYS[i - 1]) == 0 then
            redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
            redis.call('XDEL', KEYS[1], ARGV[i])
            state = 2
        else
            state = #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
        end
    end
    states[#states + 1] = state
end
return states
