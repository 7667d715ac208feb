"""The work of benches/asyncio_net.rs in CPython, and in uvloop where it is installed; the times are the processor's."""

import asyncio
import time

from measure import find_uvloop, report

uvloop = find_uvloop()

MESSAGE = bytes(64)
BLOCK = bytes(64 * 1024)


def measured(loop_factory, main):
    """Calls `main(turns)`, which says how many seconds it took, in a loop of its own."""

    def run(turns):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(main(turns))

    return run


async def echo(reader, writer):
    while data := await reader.read(1024):
        writer.write(data)
        await writer.drain()
    writer.close()


async def ask(reader, writer, turns):
    for _ in range(turns):
        writer.write(MESSAGE)
        await writer.drain()
        await reader.readexactly(len(MESSAGE))


def tcp_echo(connections):
    async def main(turns):
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        clients = []
        for _ in range(connections):
            clients.append(await asyncio.open_connection(*address))
            await ask(*clients[-1], 1)
        each = -(-turns // connections)
        begin = time.process_time()
        await asyncio.gather(*(ask(*client, each) for client in clients))
        taken = time.process_time() - begin
        for _, writer in clients:
            writer.close()
        server.close()
        return taken * turns / (each * connections)

    return main


async def throughput(turns):
    ended = asyncio.get_running_loop().create_future()

    async def sink(reader, writer):
        while await reader.read(len(BLOCK)):
            pass
        writer.close()
        ended.set_result(None)

    server = await asyncio.start_server(sink, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    begin = time.process_time()
    for _ in range(turns):
        writer.write(BLOCK)
        await writer.drain()
    writer.write_eof()
    await ended
    taken = time.process_time() - begin
    writer.close()
    server.close()
    return taken


class Echo(asyncio.DatagramProtocol):
    """Sends everything back."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


class Answers(asyncio.DatagramProtocol):
    """Hands each answer to the one who waits for it."""

    def datagram_received(self, data, addr):
        self.answer.set_result(data)


async def udp_echo(turns):
    loop = asyncio.get_running_loop()
    server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    address = server.get_extra_info("sockname")
    client, answers = await loop.create_datagram_endpoint(Answers, remote_addr=address)
    begin = time.process_time()
    for _ in range(turns):
        answers.answer = loop.create_future()
        client.sendto(MESSAGE)
        await answers.answer
    taken = time.process_time() - begin
    client.close()
    server.close()
    return taken


async def subprocess(turns):
    begin = time.process_time()
    for _ in range(turns):
        process = await asyncio.create_subprocess_exec("/bin/true")
        await process.wait()
    return time.process_time() - begin


WORK = {
    "tcp_echo_1": tcp_echo(1),
    "tcp_echo_100": tcp_echo(100),
    "stream_64_kib": throughput,
    "udp_echo": udp_echo,
    "subprocess": subprocess,
}

for name, main in WORK.items():
    report(f"asyncio_{name}", measured(asyncio.SelectorEventLoop, main))
    if uvloop:
        report(f"asyncio_{name}", measured(uvloop.new_event_loop, main), "uvloop")
