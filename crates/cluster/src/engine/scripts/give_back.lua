-- Puts tasks that were not begun at the end of the queue; how often each was begun before goes with it.
-- KEYS tasks, then the `submitted` of each task's client
-- ARGV group, then the ids
for i = 2, #ARGV do
    local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
    local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
    if redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) == 1 and entry then
        redis.call('XDEL', KEYS[1], ARGV[i])
        local fields = entry[2]
        fields[10] = fields[10] + held[4] - 1
        local id = redis.call('XADD', KEYS[1], '*', unpack(fields))
        if redis.call('EXISTS', KEYS[i]) == 1 then
            redis.call('HSET', KEYS[i], fields[4], id)
        end
    end
end
