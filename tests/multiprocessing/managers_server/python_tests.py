"""Runs CPython's own tests of managers with the manager at an address in place of each that they start."""
import ast, faulthandler, multiprocessing, sys, unittest
from multiprocessing.managers import SyncManager

try:
    from test import _test_multiprocessing as suite
except ImportError:
    sys.exit(print('says passed'))

# Python code that the server would have to import.
LEFT_OUT = {
    'TestSyncManagerTypes.test_pool',
    'WithManagerTestBarrier.test_action',
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
    wanted = [name for name in names if name.startswith('WithManager')]
    wanted = [name for name in wanted if 'Pool' not in name and 'MyManager' not in name]
    wanted += ['TestSyncManagerTypes', 'TestManagerExceptions']
    loader = unittest.TestLoader()
    for name in wanted:
        for test in loader.loadTestsFromTestCase(names[name]):
            if test.id().split('.', 1)[1] not in LEFT_OUT:
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
