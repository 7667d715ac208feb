-- The numbers of a client's tasks, and one field that is none; nothing if a part of what was there is gone.
-- KEYS submitted, results
if redis.call('EXISTS', KEYS[1], KEYS[2]) < 2 then
    return {}
end
return redis.call('HKEYS', KEYS[1])
