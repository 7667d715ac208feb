-- Takes over tasks whose lease has expired, with how often each was given out.
-- KEYS tasks, counts
-- ARGV group, worker, lease in ms, where to begin, how many
local reply = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local taken = {}
for _, entry in ipairs(reply[2]) do
    if entry then
        local held = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
        taken[#taken + 1] = { entry[1], entry[2], held[1] and held[1][4] or 1 }
    end
end
if #taken > 0 then
    redis.call('HINCRBY', KEYS[2], 'retried', #taken)
end
return { reply[1], taken }
