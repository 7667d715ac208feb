-- Takes over tasks whose lease has expired, with how often each was given out.
-- KEYS tasks, counts
-- ARGV group, worker, lease in ms, how many
local expired = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', ARGV[4])
if #expired == 0 then
    return {}
end
local ids, times = {}, {}
for i, held in ipairs(expired) do
    ids[i], times[held[1]] = held[1], held[4]
end
-- It leaves out those that are no longer in the stream.
local taken = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], unpack(ids))
for _, entry in ipairs(taken) do
    entry[3] = times[entry[1]] + 1
end
redis.call('HINCRBY', KEYS[2], 'retried', #taken)
return taken
