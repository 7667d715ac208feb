"""R1, R2, R3: a restaurant, in turn, with a thread for each waiter, and with coroutines. The twin of threading_restaurant.rs.

Run: python3 examples/python/restaurant.py [sync] [threads] [asyncio] [--scale F] [--quiet]
"""

import argparse
import asyncio
import logging
import time
from queue import Queue
from threading import Thread

SCALE = 1.0


class Waiter:
    PREPARATION_TIME = {
        'burger': 7.5,
        'frites': 4,
        'soda': 1,
        'beer': 1.2,
    }

    def __init__(self, orders, id):
        """
        Recibe las ordenes y su carnet de identificación
        """
        self.orders = orders
        self.id = id

    def request_orders(self):
        """
        Mientra tengas ordenes por entregar, las ira pidiendo a la cocina.
        """
        while not self.orders.empty():
            order = self.orders.get()
            self.request_order(order)

    def request_order(self, order):
        """
        Solicita a la cocina una orden(es decir una lista de productos).
        """
        logging.info('<Waiter: {}> [Order: {}] {:*^30}'.format(self.id, order['id'], 'Request order!'))
        for product in order['products']:
            self.request_product(product, order['id'])
        self.dispatch_order(order)

    def request_product(self, product, order_id):
        """
        Solicita un producto y espera a que se le entregue.
        """
        time_sleep = self.PREPARATION_TIME[product]
        logging.info(f'<Waiter: {self.id}> [Order: {order_id}] Request {product}. Wait {time_sleep} seg...')
        time.sleep(time_sleep * SCALE)
        logging.info(f'<Waiter: {self.id}> [Order: {order_id}] Done {product}')

    async def request_orders_at_once(self):
        """
        Pedimos todas las ordenes casi en el mismo momento.
        Sin importar si ya la orden anterior esta lista.
        """
        coros = list()
        while not self.orders.empty():
            order = self.orders.get()
            coros.append(self.request_order_at_once(order))
        await asyncio.gather(*coros)

    async def request_order_at_once(self, order):
        """
        Pedir los productos a la cocina y dispachar la orden.
        """
        logging.info('<Waiter: {}> [Order: {}] {:*^30}'.format(self.id, order['id'], 'Request order!'))
        coros = [
            self.await_product(product, order['id']) for product in order['products']
        ]
        await asyncio.gather(*coros)
        self.dispatch_order(order)

    async def await_product(self, product, order_id):
        """
        Pedir un producto a la cocina.
        """
        time_sleep = self.PREPARATION_TIME[product]
        logging.info(f'<Waiter: {self.id}> [Order: {order_id}] Request {product}. Wait {time_sleep} seg...')
        await asyncio.sleep(time_sleep * SCALE)
        logging.info(f'<Waiter: {self.id}> [Order: {order_id}] Done {product}')

    def dispatch_order(self, order):
        """
        Despacha los producto de una orden.
        """
        logging.info(f'<Waiter: {self.id}> [Order: {order["id"]}] Done order!')
        for product in order['products']:
            logging.info(f'<Waiter: {self.id}> [Order: {order["id"]}] Dispatch {product}')
        logging.info('<Waiter: {}> [Order: {}] {:-^30}\n'.format(self.id, order["id"], 'Done dispatch!'))


class Cashier:
    orders = Queue()

    def __init__(self):
        """
        Registra el turno de cada mesonero.
        """
        self.waiters = [Waiter(self.orders, id + 1) for id in range(2)]

    def receive_orders(self, orders: list):
        """
        Se reciben las ordenes de los clientes.
        """
        for i, value in enumerate(orders):
            order = {
                'id': i,
                'products': value
            }
            self.orders.put(order)
        logging.info('Received orders')

    def sync(self):
        for waiter in self.waiters:
            waiter.request_orders()

    def threads(self):
        threads = []
        for waiter in self.waiters:
            thread = Thread(target=waiter.request_orders)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()

    def asyncio(self):
        asyncio.run(self.waiters[0].request_orders_at_once())


def main():
    global SCALE
    parser = argparse.ArgumentParser()
    parser.add_argument('ways', nargs='+', choices=['sync', 'threads', 'asyncio'])
    parser.add_argument('--scale', type=float, default=0.1)
    parser.add_argument('--quiet', action='store_true')
    args = parser.parse_args()
    SCALE = args.scale
    level = logging.WARNING if args.quiet else logging.DEBUG
    logging.basicConfig(format='%(asctime)s %(message)s', level=level, datefmt='%H:%M:%S')

    orders = [
        ('burger', 'soda',),  # Orden 1
        ('burger', 'burger', 'beer', 'frites'),  # Orden 2
        ('beer', 'beer', 'beer'),  # Orden 3
        ('burger', 'frites'),  # Orden 4
    ]
    for way in args.ways:
        start = time.perf_counter()
        cashier = Cashier()
        cashier.receive_orders(orders)
        getattr(cashier, way)()
        print(f'{way}: Completado en {time.perf_counter() - start:.4f} segundos.', flush=True)


if __name__ == '__main__':
    main()
