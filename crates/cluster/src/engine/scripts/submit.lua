-- Adds tasks that are not there yet, and drops what the client has received; says whether the client was known.
-- KEYS tasks, submitted, results, counts
-- ARGV client, expiry in ms, where the client has read to or '', how many answered, their numbers,
--      then number, function, limit and arguments of each task
local known = redis.call('EXISTS', KEYS[2], KEYS[3]) == 2
if not known then
    -- One without the other is of no use: the client sends again what it has no result of.
    redis.call('DEL', KEYS[2], KEYS[3])
    redis.call('HSET', KEYS[2], 'client', ARGV[1])
    redis.call('XADD', KEYS[3], 'MAXLEN', 0, '*', 'n', 0, 'o', '')
end
local last = 4 + tonumber(ARGV[4])
for i = 5, last do
    redis.call('HDEL', KEYS[2], ARGV[i])
end
if ARGV[3] ~= '' then
    redis.call('XTRIM', KEYS[3], 'MINID', ARGV[3])
end
local added = 0
for i = last + 1, #ARGV, 4 do
    if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then
        local id = redis.call('XADD', KEYS[1], '*',
            'c', ARGV[1], 'n', ARGV[i], 'f', ARGV[i + 1], 'l', ARGV[i + 2], 'b', 0, 'a', ARGV[i + 3])
        redis.call('HSET', KEYS[2], ARGV[i], id)
        added = added + 1
    end
end
if added > 0 then
    redis.call('HINCRBY', KEYS[4], 'submitted', added)
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return known and 1 or 0
