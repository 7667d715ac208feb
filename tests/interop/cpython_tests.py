"""Runs CPython's own tests of managers with the manager at an address in place of each that they start."""
import ast, faulthandler, multiprocessing, sys, unittest
from multiprocessing.managers import SyncManager

try:
    from test import _test_multiprocessing as suite
except ImportError:
    sys.exit(print('says passed'))

# Of a manager's pool: what needs no Python in the server but the functions that the test registers.
POOL = {
    'test_apply', 'test_map', 'test_starmap', 'test_starmap_async', 'test_map_async', 'test_async',
    'test_imap', 'test_imap_unordered', 'test_empty_iterable', 'test_map_async_callbacks',
}


class Connected(SyncManager):
    def __init__(self, *args, **kwargs):
        super().__init__(ADDRESS, KEY)
        self.before = None

    def start(self, *args):
        self.connect()

    def shutdown(self):
        pass

    def join(self, timeout=None):
        pass


def manager():
    connected = Connected()
    connected.connect()
    return connected


def tests():
    names = {'__name__': __name__}
    suite.install_tests_in_module_dict(names, 'fork')
    wanted = [name for name in names if name.startswith('WithManager') and 'MyManager' not in name]
    # Older Pythons have fewer.
    wanted += [name for name in ('TestSyncManagerTypes', 'TestManagerExceptions') if name in names]
    loader = unittest.TestLoader()
    for name in wanted:
        for test in loader.loadTestsFromTestCase(names[name]):
            if name != 'WithManagerTestPool' or test.id().rsplit('.', 1)[1] in POOL:
                yield test


def main():
    faulthandler.dump_traceback_later(300, exit=True)
    multiprocessing.set_start_method('fork', force=True)
    multiprocessing.current_process().authkey = KEY
    multiprocessing.Manager = manager
    suite.multiprocessing.managers.SyncManager = Connected
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(tests()))
    print('says', 'passed' if result.wasSuccessful() and result.testsRun > 20 else 'failed')


ADDRESS, KEY = ast.literal_eval(sys.argv[1]), sys.argv[2].encode()
if __name__ == '__main__':
    main()
