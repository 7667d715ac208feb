-- Records outcomes of tasks that nobody has finished before; says how many.
-- KEYS tasks, submitted, results, counts
-- ARGV group, then id, number, outcome and kind of each
local living = redis.call('EXISTS', KEYS[2], KEYS[3]) == 2
local kinds = {}
local recorded = 0
for i = 2, #ARGV, 4 do
    if redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]) == 1 then
        redis.call('XDEL', KEYS[1], ARGV[i])
        if living then
            redis.call('XADD', KEYS[3], '*', 'n', ARGV[i + 1], 'o', ARGV[i + 2])
        end
        local kind = ARGV[i + 3]
        kinds[kind] = (kinds[kind] or 0) + 1
        recorded = recorded + 1
    end
end
for kind, count in pairs(kinds) do
    redis.call('HINCRBY', KEYS[4], kind, count)
end
return recorded
