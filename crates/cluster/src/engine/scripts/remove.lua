-- Removes entries that are no tasks.
-- KEYS tasks
-- ARGV group, then the ids
for i = 2, #ARGV do
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    redis.call('XDEL', KEYS[1], ARGV[i])
end
