//! Names that Python 3 changed, which protocols below 3 write as Python 2 had them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Global, Str};

/// Modules that were renamed, old=new.
const MODULES: &str = "\
    BaseHTTPServer=http.server ConfigParser=configparser Cookie=http.cookies \
    Dialog=tkinter.dialog HTMLParser=html.parser Queue=queue ScrolledText=tkinter.scrolledtext \
    SimpleXMLRPCServer=xmlrpc.server SocketServer=socketserver Tkconstants=tkinter.constants \
    Tkdnd=tkinter.dnd Tkinter=tkinter __builtin__=builtins _abcoll=collections.abc \
    _winreg=winreg anydbm=dbm commands=subprocess cookielib=http.cookiejar copy_reg=copyreg \
    dbhash=dbm.bsd dbm=dbm.ndbm dumbdbm=dbm.dumb dummy_thread=_dummy_thread gdbm=dbm.gnu \
    htmlentitydefs=html.entities httplib=http.client markupbase=_markupbase repr=reprlib \
    robotparser=urllib.robotparser test.test_support=test.support thread=_thread \
    tkColorChooser=tkinter.colorchooser tkCommonDialog=tkinter.commondialog \
    tkFileDialog=tkinter.filedialog tkFont=tkinter.font tkMessageBox=tkinter.messagebox \
    tkSimpleDialog=tkinter.simpledialog ttk=tkinter.ttk urllib2=urllib.request \
    urlparse=urllib.parse xmlrpclib=xmlrpc.client";

/// Modules whose old name is only read.
const OLD_MODULES: &str = "\
    CGIHTTPServer=http.server DocXMLRPCServer=xmlrpc.server FileDialog=tkinter.filedialog \
    SimpleDialog=tkinter.simpledialog SimpleHTTPServer=http.server StringIO=io \
    UserDict=collections UserList=collections UserString=collections \
    _elementtree=xml.etree.ElementTree cPickle=pickle cStringIO=io whichdb=dbm";

/// Modules whose new name is only written.
const NEW_MODULES: &str = "\
    bz2=_bz2 dbm=_dbm functools=_functools gdbm=_gdbm pickle=_pickle";

/// Classes and functions that moved, old=new; the last dot ends the module.
const NAMES: &str = "\
    UserDict.IterableUserDict=collections.UserDict UserList.UserList=collections.UserList \
    UserString.UserString=collections.UserString __builtin__.intern=sys.intern \
    __builtin__.long=builtins.int __builtin__.reduce=functools.reduce \
    __builtin__.unichr=builtins.chr __builtin__.unicode=builtins.str \
    __builtin__.xrange=builtins.range \
    _multiprocessing.Connection=multiprocessing.connection.Connection \
    _socket.fromfd=socket.fromfd itertools.ifilter=builtins.filter \
    itertools.ifilterfalse=itertools.filterfalse itertools.imap=builtins.map \
    itertools.izip=builtins.zip itertools.izip_longest=itertools.zip_longest \
    multiprocessing.AuthenticationError=multiprocessing.context.AuthenticationError \
    multiprocessing.BufferTooShort=multiprocessing.context.BufferTooShort \
    multiprocessing.ProcessError=multiprocessing.context.ProcessError \
    multiprocessing.TimeoutError=multiprocessing.context.TimeoutError \
    multiprocessing.forking.Popen=multiprocessing.popen_fork.Popen \
    multiprocessing.process.Process=multiprocessing.context.Process \
    urllib.ContentTooShortError=urllib.error.ContentTooShortError \
    urllib.getproxies=urllib.request.getproxies urllib.pathname2url=urllib.request.pathname2url \
    urllib.quote=urllib.parse.quote urllib.quote_plus=urllib.parse.quote_plus \
    urllib.unquote=urllib.parse.unquote urllib.unquote_plus=urllib.parse.unquote_plus \
    urllib.url2pathname=urllib.request.url2pathname urllib.urlcleanup=urllib.request.urlcleanup \
    urllib.urlencode=urllib.parse.urlencode urllib.urlopen=urllib.request.urlopen \
    urllib.urlretrieve=urllib.request.urlretrieve urllib2.HTTPError=urllib.error.HTTPError \
    urllib2.URLError=urllib.error.URLError whichdb.whichdb=dbm.whichdb";

/// Those whose old name is only read.
const OLD_NAMES: &str = "\
    UserDict.UserDict=collections.UserDict __builtin__.basestring=builtins.str \
    exceptions.StandardError=builtins.Exception socket._socketobject=socket.SocketType";

/// Those whose new name is only written.
const NEW_NAMES: &str = "\
    __builtin__.reduce=_functools.reduce socket._socketobject=_socket.socket \
    exceptions.OSError=builtins.BrokenPipeError exceptions.OSError=builtins.ChildProcessError \
    exceptions.OSError=builtins.ConnectionAbortedError \
    exceptions.OSError=builtins.ConnectionError \
    exceptions.OSError=builtins.ConnectionRefusedError \
    exceptions.OSError=builtins.ConnectionResetError exceptions.OSError=builtins.FileExistsError \
    exceptions.OSError=builtins.FileNotFoundError exceptions.OSError=builtins.InterruptedError \
    exceptions.OSError=builtins.IsADirectoryError \
    exceptions.ImportError=builtins.ModuleNotFoundError \
    exceptions.OSError=builtins.NotADirectoryError exceptions.OSError=builtins.PermissionError \
    exceptions.OSError=builtins.ProcessLookupError exceptions.OSError=builtins.TimeoutError \
    CGIHTTPServer.CGIHTTPRequestHandler=http.server.CGIHTTPRequestHandler \
    SimpleHTTPServer.SimpleHTTPRequestHandler=http.server.SimpleHTTPRequestHandler \
    FileDialog.FileDialog=tkinter.filedialog.FileDialog \
    FileDialog.LoadFileDialog=tkinter.filedialog.LoadFileDialog \
    FileDialog.SaveFileDialog=tkinter.filedialog.SaveFileDialog \
    SimpleDialog.SimpleDialog=tkinter.simpledialog.SimpleDialog \
    DocXMLRPCServer.DocCGIXMLRPCRequestHandler=xmlrpc.server.DocCGIXMLRPCRequestHandler \
    DocXMLRPCServer.DocXMLRPCRequestHandler=xmlrpc.server.DocXMLRPCRequestHandler \
    DocXMLRPCServer.DocXMLRPCServer=xmlrpc.server.DocXMLRPCServer \
    DocXMLRPCServer.ServerHTMLDoc=xmlrpc.server.ServerHTMLDoc \
    DocXMLRPCServer.XMLRPCDocGenerator=xmlrpc.server.XMLRPCDocGenerator";

/// What moved from `exceptions` to `builtins`.
const EXCEPTIONS: &str = "\
    ArithmeticError AssertionError AttributeError BaseException BufferError BytesWarning \
    DeprecationWarning EOFError EnvironmentError Exception FloatingPointError FutureWarning \
    GeneratorExit IOError ImportError ImportWarning IndentationError IndexError KeyError \
    KeyboardInterrupt LookupError MemoryError NameError NotImplementedError OSError \
    OverflowError PendingDeprecationWarning ReferenceError RuntimeError RuntimeWarning \
    StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TypeError \
    UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError \
    UnicodeWarning UserWarning ValueError Warning ZeroDivisionError";

type Table = LazyLock<HashMap<&'static str, &'static str>>;

static OLD_TO_NEW: Table = LazyLock::new(|| {
    [MODULES, OLD_MODULES, NAMES, OLD_NAMES]
        .into_iter()
        .flat_map(pairs)
        .collect()
});

static NEW_TO_OLD: Table = LazyLock::new(|| {
    let tables = [MODULES, NEW_MODULES, NAMES, NEW_NAMES].into_iter();
    tables
        .flat_map(pairs)
        .map(|(old, new)| (new, old))
        .collect()
});

fn pairs(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='))
}

/// What a pickle of Python 2 means by these names.
pub(crate) fn to_python3(module: Str, name: Str) -> (Str, Str) {
    let translated = translate(&module, &name, &OLD_TO_NEW, ("exceptions", "builtins"));
    translated.unwrap_or((module, name))
}

/// The names that Python 2 has for a class or function.
pub(crate) fn to_python2(global: &Global) -> (Str, Str) {
    let (module, name) = (global.module(), global.name());
    let translated = translate(module, name, &NEW_TO_OLD, ("builtins", "exceptions"));
    translated.unwrap_or_else(|| (module.clone(), name.clone()))
}

fn translate(
    module: &Str,
    name: &Str,
    table: &Table,
    (from, to): (&str, &str),
) -> Option<(Str, Str)> {
    let whole = format!("{module}.{name}");
    if let Some(moved) = table.get(&*whole) {
        let (module, name) = moved.rsplit_once('.')?;
        return Some((module.into(), name.into()));
    }
    if *module == from
        && EXCEPTIONS
            .split_whitespace()
            .any(|exception| *name == exception)
    {
        return Some((to.into(), name.clone()));
    }
    let renamed = table.get(module.as_str()?)?;
    Some(((*renamed).into(), name.clone()))
}
