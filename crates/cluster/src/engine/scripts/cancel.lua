-- Takes tasks out of the queue, and away from the workers that have begun them; says how many.
-- KEYS tasks, submitted, counts
-- ARGV group, then the numbers
local cancelled = 0
for i = 2, #ARGV do
    local id = redis.call('HGET', KEYS[2], ARGV[i])
    if id then
        redis.call('XACK', KEYS[1], ARGV[1], id)
        cancelled = cancelled + redis.call('XDEL', KEYS[1], id)
        redis.call('HDEL', KEYS[2], ARGV[i])
    end
end
if cancelled > 0 then
    redis.call('HINCRBY', KEYS[3], 'cancelled', cancelled)
end
return cancelled
