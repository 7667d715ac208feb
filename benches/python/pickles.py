"""The work of benches/pickle.rs in CPython, in processor time."""

import pathlib
import pickle
import time

from measure import report

FOREIGN = 0x93, 0xED

traffic = pathlib.Path(__file__).parent.parent.parent / "tests/pickle/traffic.txt"
messages = [bytes.fromhex(line) for line in traffic.read_text().splitlines()]
messages = [message for message in messages if not any(byte in message for byte in FOREIGN)]
messages = [message for message in messages if "..." not in repr(pickle.loads(message))]

records = [
    {
        "id": id,
        "name": f"name {id}",
        "score": id / 7,
        "tags": [f"tag {id % 10}", f"tag {id % 7}"],
        "active": id % 2 == 0,
        "parent": None if id % 3 == 0 else id // 3,
    }
    for id in range(1000)
]


def spent(work):
    def run(turns):
        begin = time.process_time()
        work(turns)
        return time.process_time() - begin

    return run


def loads(pickles):
    def work(turns):
        for _ in range(turns):
            for data in pickles:
                pickle.loads(data)

    return spent(work)


def dumps(values):
    def work(turns):
        for _ in range(turns):
            for value in values:
                pickle.dumps(value, 4)

    return spent(work)


report("pickle_loads_traffic", loads(messages))
report("pickle_dumps_traffic", dumps([pickle.loads(message) for message in messages]))
report("pickle_loads_records", loads([pickle.dumps(records, 4)]))
report("pickle_dumps_records", dumps([records]))
