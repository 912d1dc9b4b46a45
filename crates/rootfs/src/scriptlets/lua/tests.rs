//! The host as a whole: what it answers, what it refuses, what bounds it.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::disallowed_methods, reason = "tests")]

use crate::{
    Node, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Contents, Effects, Limits, ScriptletError, ScriptletTask, run},
};
use std::sync::Arc;
use strata_rpm::ScriptletKind;

struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn tree() -> Tree {
    let mut tree = Tree::default();
    for name in ["bin/sh", "bin/touch", "bin/cat", "bin/mkdir", "bin/false", "bin/env"] {
        tree.insert(path(name), Node::generated(*b"", 0o755, 0));
    }
    tree.insert(path("tmp"), Node::implied_directory());
    tree.insert(path("etc/old"), Node::generated(*b"old\nlines\n", 0o644, 7));
    tree
}

fn limited(body: &str, limits: Limits) -> Result<Effects, ScriptletError> {
    let (tree, owners) = (tree(), Owners::default());
    let program = ["<lua>".to_owned()];
    let arguments = ["1".to_owned()];
    run(&ScriptletTask {
        tree: &tree,
        installed: None,
        contents: &Nothing,
        owners: &owners,
        kind: ScriptletKind::FileTrigger,
        program: &program,
        body,
        arguments: &arguments,
        stdin: b"/usr/a\n/usr/b c\n",
        mtime: 1_700_000_000,
        limits,
    })
}

fn go(body: &str) -> Result<Effects, ScriptletError> {
    limited(body, Limits::default())
}

/// The output of a script that goes well.
fn output(body: &str) -> String {
    let effects = go(body).unwrap();
    let text = String::from_utf8(effects.output).unwrap();
    assert_eq!(effects.status, 0, "{text}");
    text
}

#[test]
fn a_script_has_rpms_environment() {
    assert_eq!(output("print(arg[1], arg[2], math.type(arg[2]), #opt)"), "<lua>\t1\tinteger\t0\n");
    assert_eq!(
        output("local p = rpm.next_file() while p do print(p) p = rpm.next_file() end"),
        "/usr/a\n/usr/b c\n"
    );
    assert_eq!(
        output("print(posix.mkdir('/d')) print(posix.mkdir('/d'))"),
        "0.0\nnil\t/d: File exists\t17.0\n"
    );
}

#[test]
fn a_fork_has_a_copy_of_everything_but_the_tree() {
    // what the child changes in memory, the parent does not see; what it read, it reads again
    let body = "local f = io.open('/etc/old') local line, n, t = f:read('l'), 1, {}
        print('before') t.x = n
        local pid = posix.fork()
        if pid == 0 then
            n = 2 t.x = 3 posix.chdir('/bin') posix.setenv('A', '1')
            print('child', line, f:read('l'), posix.getcwd())
            os.exit(4)
        end
        print('parent', line, f:read('l'), n, t.x, posix.getcwd(), posix.getenv('A'), posix.wait(pid) == pid)";
    assert_eq!(
        output(body),
        "before\nchild\told\tlines\t/bin\nparent\told\tnil\t1\t1\t/\tnil\ttrue\n"
    );
    let body = "if posix.fork() == 0 then posix.mkdir('/made') end";
    let effects = go(body).unwrap();
    assert!(effects.changes.contains_key(&path("made")));
    let text = String::from_utf8(effects.output).unwrap();
    assert_eq!(
        (effects.status, text.as_str()),
        (0, "error: No exec() called after fork() in lua scriptlet\n")
    );
    let body =
        "for i = 1, 5 do local p = posix.fork() if p == 0 then posix.exec('touch', '/n' .. i) end
        posix.wait(p) end print(posix.wait())";
    let effects = go(body).unwrap();
    assert_eq!(effects.changes.len(), 5);
    assert_eq!(effects.output, b"nil\tNo child processes\t10.0\n");
}

#[test]
fn errors_are_what_rpm_prints() {
    let cases = [
        (
            "this is no lua",
            "invalid syntax in lua script: [string \"%filetriggerin\"]:1: syntax error near 'is'",
        ),
        ("\nerror('x')", "lua script failed: [string \"%filetriggerin\"]:2: x"),
        ("error({})", "lua script failed: (null)"),
        (
            "error(setmetatable({}, {__tostring = function() error('y') end}))",
            "lua script failed: (null)",
        ),
        (
            "\n\nposix.mkdir(nil)",
            "lua script failed: [string \"%filetriggerin\"]:3: bad argument #1 to 'mkdir' (string expected, got nil)",
        ),
        (
            "local f <const> = 1\nf()",
            "lua script failed: [string \"%filetriggerin\"]:2: attempt to call a number value",
        ),
    ];
    for (body, expected) in cases {
        let effects = go(body).unwrap();
        let text = String::from_utf8(effects.output).unwrap();
        assert_eq!((effects.status, text), (1, format!("error: {expected}\n")), "{body}");
    }
    // what was done before stays
    let effects = go("posix.mkdir('/d') error('x')").unwrap();
    assert!(effects.changes.contains_key(&path("d")));
}

#[test]
fn what_has_no_answer_is_named() {
    let cases = [
        ("posix.kill(1)", "posix.kill"),
        ("pcall(posix.kill, 1)", "posix.kill"),
        ("coroutine.wrap(function() posix.times() end)()", "posix.times"),
        ("print(math.random())", "math.random without a seed"),
        ("print({})", "the text of a table"),
        ("local s = 'x' .. tostring(print)", "the text of a function"),
        ("string.format('%s', {})", "the text of a table"),
        ("string.format('%p', 'x')", "string.format with %p"),
        ("for k in pairs({[{}] = 1, [{}] = 2}) do end", "pairs over tables or functions as keys"),
        ("setmetatable({}, {__gc = print})", "__gc"),
        ("setmetatable({}, {__mode = 'k'})", "__mode"),
        ("debug.getinfo(1)", "debug"),
        ("package.path = 'x'", "package"),
        ("require('lfs')", "require"),
        ("string.dump(print)", "string.dump"),
        ("for i = 1, 4 do rpm.next_file() end", "rpm.next_file after its end"),
        ("os.date()", "os.date"),
        ("os.clock()", "os.clock"),
        ("io.tmpfile()", "io.tmpfile"),
        ("collectgarbage('count')", "collectgarbage"),
        ("rpm.load('/x')", "rpm.load"),
        ("rpm.expand('%{_libdir}')", "macro %_libdir"),
        ("rpm.expand('%(id)')", "macro %"),
        ("print(macros._arch)", "macro %_arch"),
        ("rpm.open('/x', 'r.gzdio')", "rpm.open with compression"),
        ("posix.uname('%m')", "posix.uname(\"%m\")"),
        ("\n\nos.execute('sleep 1 &')", "&"),
        ("os.execute('env -i x=1')", "env of this form"),
    ];
    for (body, construct) in cases {
        match go(body) {
            Err(ScriptletError::Unsupported { construct: found, .. }) => {
                assert_eq!(found, construct, "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    match go("\n\nposix.uname('%m')") {
        Err(ScriptletError::Unsupported { line: 3, .. }) => {}
        other => panic!("{other:?}"),
    }
    // Lua of before 5.2 or a name that rpm does not have is an error of the script
    assert_eq!(go("unpack({})").unwrap().status, 1);
    assert_eq!(go("posix.nonsense()").unwrap().status, 1);
}

#[test]
fn what_never_ends_ends() {
    let bodies = [
        "while true do end",
        "while true do pcall(error) end",
        "while true do pcall(function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local function f() return f() end f()",
        "local function f() return 1 + f() end f()",
        "local function f() pcall(f) end f()",
        "local function f() return xpcall(f, f) end f() while true do end",
        "local function f() coroutine.wrap(f)() end f()",
        "local function f() local c <close> = setmetatable({}, {__close = f}) error('x') end pcall(f) while true do end",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) print(t[1])",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local s = 'x' while true do s = s .. s end",
        "local s = ('x'):rep(1e6) while true do local t = s .. s end",
        "while true do pcall(string.rep, 'x', 1e9) end",
        "while true do local s = ('x'):rep(1e6) end",
        "local s = ('x'):rep(1e9)",
        "local s = (''):rep(1e15)",
        "local s = ('a'):rep(50) for i = 1, 1e3 do s:find(('a-'):rep(25) .. 'b') end",
        "local s = ('a'):rep(1e5) s:find('.-.-.-.-b')",
        "local s = ('a'):rep(1e5) s:gsub('a*b', '')",
        "('('):rep(1e5):find('%b()')",
        "local s = ('a'):rep(1e5) while true do s:find('b') end",
        "local s = ('ab'):rep(1e5) while true do s:find('aa', 1, true) end",
        "for a in ('x'):rep(1e6):gmatch('') do end",
        "table.move({}, 1, 1e15, 2)",
        "table.move({}, 1, math.maxinteger, 2)",
        "table.insert(setmetatable({}, {__len = function() return 1e15 // 1 | 0 end}), 1, 1)",
        "table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)",
        "table.sort(setmetatable({}, {__len = function() return 1 << 30 end}))",
        "local t = {} for i = 1, 5000 do t[i] = i end table.sort(t, function() return true end) while true do end",
        "table.concat(setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return 'x' end}))",
        "table.unpack({}, 1, 1e7)",
        "string.format(('%99d'):rep(1e5), table.unpack({}))",
        "load(('('):rep(1e5))",
        "load('return ' .. ('{'):rep(1e5))",
        "load('return ' .. ('-'):rep(1e6) .. '1')",
        "while true do load('x = 1') end",
        "while true do posix.stat('/etc') end",
        "while true do print('x') end",
        "local f = io.open('/f', 'w') while true do f:write(('x'):rep(1e5)) end",
        "for i = 1, 1e9 do io.open('/f' .. i, 'w') end",
        "for i = 1, 1e9 do posix.mkdir('/f' .. i) end",
        "while true do posix.fork() end",
        "while true do if posix.fork() == 0 then os.exit() end end",
        "local t = {} for i = 1, 1e5 do t['k' .. i] = i end while true do for k in pairs(t) do break end end",
        "local t = {} for i = 1, 1e4 do t['k' .. i] = i end for k in next, t do end",
        "rpm.define('aa %bb%bb%bb') rpm.define('bb %aa%aa') rpm.expand('%aa')",
        "rpm.define('a0 xxxxxxxxxx') for i = 1, 30 do rpm.define(('a%d %%a%d%%a%d'):format(i, i - 1, i - 1)) end rpm.expand('%a30')",
        "setmetatable(_G, {__index = function(t, k) return t[k .. 'x'] end}) print(undefined)",
        "string.gsub = nil getmetatable('').__index = function(s, k) return s[k .. 'x'] end print(('x').y)",
        "pairs = nil next = nil error = nil pcall = nil io.open('/f', 'w'):write('x') while true do end",
        "local t = {} t.__index = t setmetatable(t, t) print(t.x)",
        "os.execute('while :; do :; done')",
        "while true do os.execute('true') end",
        "error(setmetatable({}, {__tostring = function() while true do end end}))",
        "local e = setmetatable({}, {__eq = function() error('x') end}) print(e == setmetatable({}, getmetatable(e)))",
        "local m = getmetatable(io.stdout) m.__index = nil m.__name = nil pcall(io.write, 'x') io.stdout:write('x')",
        "macros = nil rpm = nil posix = nil string = nil print(('x'):rep(3))",
        "local x = {} for i = 1, 250 do x = {x} end print(#x)",
        "utf8.char(table.unpack((function() local t = {} for i = 1, 1e5 do t[i] = 65 end return t end)()))",
    ];
    let small = Limits { steps: 300_000, bytes: 64 << 20, ..Limits::default() };
    for body in bodies {
        let started = std::time::Instant::now();
        match limited(body, small) {
            Ok(_) | Err(ScriptletError::Limit { .. }) => {}
            Err(other) => panic!("{body}: {other}"),
        }
        let time = started.elapsed();
        if time.as_millis() > 500 {
            eprintln!("{time:?} {body}");
        }
        assert!(time.as_secs() < 20, "{time:?} {body}");
    }
    // the limits are what ends them
    for body in &bodies[..4] {
        assert!(matches!(limited(body, small), Err(ScriptletError::Limit { .. })), "{body}");
    }
}

/// Everything that could depend on hash seeds and addresses.
const ORDER: &str = "local t = {} for i = 1, 400 do t['key' .. i * 7919 % 1009] = i end
    t[1], t[2], t[2.5], t[true] = 'a', 'b', 'c', 'd'
    local out = {} for k, v in pairs(t) do out[#out + 1] = tostring(k) .. v end
    for k in next, t do out[#out + 1] = tostring(k) end
    for k in pairs(posix.stat('/etc/old')) do out[#out + 1] = k end
    for k in pairs(_G) do out[#out + 1] = k end
    for k in pairs(string) do out[#out + 1] = k end
    local s = {} for i = 1, 300 do s[i] = { i % 3, i } end
    table.sort(s, function(a, b) return a[1] < b[1] end)
    for i = 1, 300 do out[#out + 1] = s[i][2] end
    math.randomseed(42) out[#out + 1] = math.random(1000)
    out[#out + 1] = posix.stat('/etc/old', 'ino')
    out[#out + 1] = os.tmpname() out[#out + 1] = os.time()
    print(table.concat(out, ' '))";

#[test]
fn the_same_script_does_the_same() {
    let first = output(ORDER);
    assert!(first.len() > 4000 && first.starts_with("1a 2b 2.5c key"), "{first}");
    let mut states = Vec::new();
    for round in 0..40 {
        // states at other addresses
        states.push(vec![round; 1000 * round]);
        assert_eq!(output(ORDER), first);
    }
}
