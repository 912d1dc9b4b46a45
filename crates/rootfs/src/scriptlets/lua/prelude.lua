-- The environment of rpm's Lua scriptlets: the libraries of the language, with what reaches
-- outside replaced by host functions. A host function gives a message or nil, then its values.
-- Whatever a script does to the tables it sees, these locals stay as they are.
local host = ...
local error, type, select, rawget, rawset = error, type, select, rawget, rawset
local setmetatable, getmetatable, load, tonumber = setmetatable, getmetatable, load, tonumber
local raw_pcall, raw_xpcall, raw_tostring, raw_ipairs = pcall, xpcall, tostring, ipairs
local raw_next = next
local sub, rep = string.sub, string.rep
local concat, pack, unpack = table.concat, table.pack, table.unpack
local resume, create, status = coroutine.resume, coroutine.create, coroutine.status
local check, refuse, charge, plain = host.check, host.refuse, host.charge, host.plain
local math_type = math.type

-- An error as a C function makes it: where its caller is.
local function finish(problem, ...)
  if problem ~= nil then error(problem, 2) end
  return ...
end

local function wrap(f)
  return function(...) return finish(f(...)) end
end

local function unsupported(name)
  return function() refuse(name) end
end

local function bad(index, name, wanted, ...)
  local given = select('#', ...) > 0 and type((...)) or 'no value'
  return "bad argument #" .. index .. " to '" .. name .. "' (" .. wanted .. " expected, got " ..
    given .. ")"
end

-- What stays as it is in a table, by name.
local function keep(library, names)
  local out = {}
  for _, name in raw_ipairs(names) do out[name] = library[name] end
  return out
end

-- Errors -----------------------------------------------------------------------------------------

-- A run that is over is not caught.
local function caught(fine, problem, ...)
  check(not fine and problem or nil)
  return fine, problem, ...
end

local function pcall(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'pcall' (value expected)", 2) end
  return caught(raw_pcall(...))
end

local function xpcall(f, handler, ...)
  if type(handler) ~= 'function' then error(bad(2, 'xpcall', 'function', handler), 2) end
  return caught(raw_xpcall(f, handler, ...))
end

-- Texts of values --------------------------------------------------------------------------------

local function tostring(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'tostring' (value expected)", 2) end
  plain((...))
  return (raw_tostring((...)))
end

local function print(...)
  local texts = pack(...)
  for index = 1, texts.n do
    plain(texts[index])
    texts[index] = raw_tostring(texts[index])
  end
  return finish(host.file.write(1, concat(texts, '\t'), '\n'))
end

-- Tables -----------------------------------------------------------------------------------------

local function pairs(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'pairs' (value expected)", 2) end
  local problem, own, keys = host.pairs((...))
  if problem then error(problem, 2) end
  local value = ...
  if own then
    local a, b, c = own(value)
    return a, b, c
  end
  local index = 0
  return function()
    while true do
      index = index + 1
      local key = keys[index]
      if key == nil then return nil end
      local found = rawget(value, key)
      if found ~= nil then return key, found end
    end
  end, value, nil
end

local function next(t, key)
  if type(t) ~= 'table' then error(bad(1, 'next', 'table', t), 2) end
  local found = host.next(t, key)
  if found == nil then return nil end
  return found, rawget(t, found)
end

local tointeger = math.tointeger
local function whole(value, index, name, level)
  if type(value) == 'string' then value = tonumber(value) end
  if type(value) ~= 'number' then error(bad(index, name, 'number', value), level + 1) end
  local exact = tointeger(value)
  if exact == nil then
    error("bad argument #" .. index .. " to '" .. name ..
      "' (number has no integer representation)", level + 1)
  end
  return exact
end

local function checked_table(t, name, level)
  if type(t) ~= 'table' then error(bad(1, name, 'table', t), level + 1) end
end

local raw_sort = table.sort
local table_library = keep(table, { 'concat', 'pack', 'unpack' })

-- Loops of the library that nothing would count.
function table_library.insert(t, ...)
  checked_table(t, 'insert', 2)
  local last = #t + 1
  local count = select('#', ...)
  if count == 1 then
    t[last] = (...)
    return
  end
  if count ~= 2 then error("wrong number of arguments to 'insert'", 2) end
  local at, value = ...
  at = whole(at, 2, 'insert', 2)
  if at < 1 or at > last then
    error("bad argument #2 to 'insert' (position out of bounds)", 2)
  end
  for index = last, at + 1, -1 do t[index] = t[index - 1] end
  t[at] = value
end

function table_library.remove(t, ...)
  checked_table(t, 'remove', 2)
  local size = #t
  local at = size
  if select('#', ...) > 0 then
    at = whole((...), 2, 'remove', 2)
    if size + 1 ~= at and (at < 1 or at > size + 1) then
      error("bad argument #2 to 'remove' (position out of bounds)", 2)
    end
  end
  local value = t[at]
  while at < size do
    t[at] = t[at + 1]
    at = at + 1
  end
  t[at] = nil
  return value
end

function table_library.move(from, first, last, at, to)
  checked_table(from, 'move', 2)
  first, last = whole(first, 2, 'move', 2), whole(last, 3, 'move', 2)
  at = whole(at, 4, 'move', 2)
  if to == nil then to = from end
  if type(to) ~= 'table' then error(bad(5, 'move', 'table', to), 2) end
  if last >= first then
    if at > last or at <= first or to ~= from then
      for index = 0, last - first do to[at + index] = from[first + index] end
    else
      for index = last - first, 0, -1 do to[at + index] = from[first + index] end
    end
  end
  return to
end

-- The library's sort draws lots above a hundred; up to there it is kept, for what it does to
-- equal elements.
function table_library.sort(t, less)
  checked_table(t, 'sort', 2)
  if less ~= nil and type(less) ~= 'function' then error(bad(2, 'sort', 'function', less), 2) end
  local size = #t
  if size <= 100 then return raw_sort(t, less) end
  less = less or function(a, b) return a < b end
  local from, to = {}, {}
  for index = 1, size do from[index] = t[index] end
  local width = 1
  while width < size do
    for start = 1, size, 2 * width do
      local left, right = start, start + width
      local left_end, right_end = right - 1, start + 2 * width - 1
      if left_end > size then left_end = size end
      if right_end > size then right_end = size end
      for index = start, right_end do
        if left <= left_end and (right > right_end or not less(from[right], from[left])) then
          to[index] = from[left]
          left = left + 1
        else
          to[index] = from[right]
          right = right + 1
        end
      end
    end
    from, to = to, from
    width = 2 * width
  end
  for index = 1, size do t[index] = from[index] end
end

-- What the collector decides is not repeatable.
local function checked_setmetatable(t, metatable)
  if type(metatable) == 'table' then
    if rawget(metatable, '__gc') ~= nil then refuse('__gc') end
    if rawget(metatable, '__mode') ~= nil then refuse('__mode') end
  end
  local fine, result = raw_pcall(setmetatable, t, metatable)
  if not fine then error(result, 2) end
  return result
end

-- Strings ----------------------------------------------------------------------------------------

local function text(value, index, name, level)
  if type(value) == 'string' then return value end
  if type(value) == 'number' then return raw_tostring(value) end
  error(bad(index, name, 'string', value), level + 1)
end

local raw_format, raw_find = string.format, string.find

function string.rep(s, n, separator)
  s, n = text(s, 1, 'rep', 2), whole(n, 2, 'rep', 2)
  separator = separator == nil and '' or text(separator, 3, 'rep', 2)
  local size = #s + #separator
  if n <= 0 or size == 0 then return '' end
  if n > 0x7fffffff // size then error('resulting string too large', 2) end
  charge(size * n)
  return rep(s, n, separator)
end

function string.format(format, ...)
  format = text(format, 1, 'format', 2)
  if raw_find(format, '%', 1, true) then
    plain(...)
    if raw_find(format, '%%[-+ #0-9.]*p') then refuse('string.format with %p') end
  end
  local fine, result = raw_pcall(raw_format, format, ...)
  if not fine then
    check(result)
    error(result, 2)
  end
  return result
end

string.dump = unsupported('string.dump')

local function start(s, from, index, name, level)
  if from == nil then return 0 end
  from = whole(from, index, name, level + 1)
  if from > 0 then return from - 1 end
  if from == 0 or -from >= #s then return 0 end
  return #s + from
end

local find = host.find

local function captured(problem, first, last, ...)
  if problem then error(problem, 2) end
  if first == nil then return nil end
  return ...
end

local function placed(simple, problem, first, last, ...)
  if problem then error(problem, 2) end
  if first == nil then return nil end
  if simple then return first + 1, last end
  return first + 1, last, ...
end

local function anchor(pattern)
  if sub(pattern, 1, 1) == '^' then return sub(pattern, 2), true end
  return pattern, false
end

function string.find(s, pattern, from, exact)
  s, pattern = text(s, 1, 'find', 2), text(pattern, 2, 'find', 2)
  from = start(s, from, 3, 'find', 2)
  if from > #s then return nil end
  if exact or not raw_find(pattern, '[%^%$%*%+%?%.%(%)%[%%%-]') then
    local at = host.search(s, pattern, from)
    if at == nil then return nil end
    return at + 1, at + #pattern
  end
  local anchored
  pattern, anchored = anchor(pattern)
  local simple = not raw_find(pattern, '(', 1, true)
  return placed(simple, find(s, pattern, from, anchored))
end

function string.match(s, pattern, from)
  s, pattern = text(s, 1, 'match', 2), text(pattern, 2, 'match', 2)
  from = start(s, from, 3, 'match', 2)
  if from > #s then return nil end
  local anchored
  pattern, anchored = anchor(pattern)
  return captured(find(s, pattern, from, anchored))
end

function string.gmatch(s, pattern, from)
  s, pattern = text(s, 1, 'gmatch', 2), text(pattern, 2, 'gmatch', 2)
  local at, last = start(s, from, 3, 'gmatch', 2), nil
  local function move(problem, first, to, ...)
    if problem then error(problem, 2) end
    if first == nil then
      at = #s + 1
      return nil
    end
    at, last = to, to
    return ...
  end
  return function()
    if at > #s then return nil end
    return move(find(s, pattern, at, false, last))
  end
end

-- The text that a replacement stands for.
local function replacement(with, whole_match, captures)
  local out, from = {}, 1
  while true do
    local at = raw_find(with, '%', from, true)
    if not at then break end
    out[#out + 1] = sub(with, from, at - 1)
    local letter = sub(with, at + 1, at + 1)
    if letter == '%' then
      out[#out + 1] = '%'
    elseif letter == '0' then
      out[#out + 1] = whole_match
    elseif letter ~= '' and raw_find('123456789', letter, 1, true) then
      local capture = captures[tonumber(letter)]
      if capture == nil then
        error("invalid capture index %" .. letter .. " in replacement string", 4)
      end
      out[#out + 1] = capture
    else
      error("invalid use of '%' in replacement string", 4)
    end
    from = at + 2
  end
  if from == 1 then return with end
  out[#out + 1] = sub(with, from)
  return concat(out)
end

function string.gsub(s, pattern, with, most)
  s, pattern = text(s, 1, 'gsub', 2), text(pattern, 2, 'gsub', 2)
  local kind = type(with)
  if kind == 'number' then with, kind = raw_tostring(with), 'string' end
  if kind ~= 'string' and kind ~= 'table' and kind ~= 'function' then
    error(bad(3, 'gsub', 'string/function/table', with), 2)
  end
  most = most == nil and #s + 1 or whole(most, 4, 'gsub', 2)
  local anchored
  pattern, anchored = anchor(pattern)
  local out, at, last, count, changed = {}, 0, nil, 0, false
  local function value(problem, first, to, ...)
    if problem then error(problem, 3) end
    if first == nil then return false end
    count = count + 1
    local found = sub(s, first + 1, to)
    local new
    if kind == 'string' then
      new = replacement(with, found, { ... })
    elseif kind == 'table' then
      new = with[(...)]
    else
      new = with(...)
    end
    if not new then
      new = found
    else
      changed = true
      if type(new) ~= 'string' and type(new) ~= 'number' then
        error("invalid replacement value (a " .. type(new) .. ")", 3)
      end
    end
    out[#out + 1] = sub(s, at + 1, first)
    out[#out + 1] = new
    at, last = to, to
    return true
  end
  while count < most do
    if not value(find(s, pattern, at, anchored, last)) then break end
    if anchored then break end
  end
  if not changed then return s, count end
  out[#out + 1] = sub(s, at + 1)
  return concat(out), count
end

-- Chunks -----------------------------------------------------------------------------------------

local function checked_load(chunk, name, mode, ...)
  if type(chunk) == 'function' then
    local parts = {}
    while true do
      local part = chunk()
      if part == nil or part == '' then break end
      if type(part) ~= 'string' then
        return nil, 'reader function must return a string'
      end
      parts[#parts + 1] = part
    end
    chunk, name = concat(parts), name == nil and '=(load)' or name
  end
  if type(chunk) ~= 'string' then error(bad(1, 'load', 'function', chunk), 2) end
  if mode ~= nil and not raw_find(text(mode, 3, 'load', 2), 't', 1, true) then
    return nil, "attempt to load a text chunk (mode is '" .. mode .. "')"
  end
  charge(#chunk)
  if name == nil then name = chunk end
  return load(chunk, name, 't', ...)
end

-- Coroutines -------------------------------------------------------------------------------------

local coroutines = keep(coroutine, { 'create', 'isyieldable', 'running', 'status', 'yield' })

function coroutines.resume(...) return caught(resume(...)) end

local raw_close = coroutine.close
function coroutines.close(...) return caught(raw_close(...)) end

local function passed(thread, fine, ...)
  if fine then return ... end
  local problem = ...
  check(problem)
  if status(thread) == 'dead' then
    local closed, other = raw_close(thread)
    if not closed then problem = other end
  end
  check(problem)
  error(problem, 2)
end

function coroutines.wrap(f)
  if type(f) ~= 'function' then error(bad(1, 'wrap', 'function', f), 2) end
  local thread = create(f)
  return function(...) return passed(thread, resume(thread, ...)) end
end

-- Files ------------------------------------------------------------------------------------------

local file = host.file
local handles = setmetatable({}, { __mode = 'k' })
local File = { __name = 'FILE*' }
local methods = {}
File.__index = methods
File.__tostring = function(self)
  local handle = handles[self]
  if handle == false then return 'file (closed)' end
  refuse('the text of a file')
end

local function new_file(handle)
  local self = setmetatable({}, File)
  handles[self] = handle
  return self
end

local standard = { stdin = new_file(0), stdout = new_file(1), stderr = new_file(2) }
local input, output = standard.stdin, standard.stdout

local function handle_of(self, name, level)
  local handle = handles[self]
  if handle == nil then error(bad(1, name, 'FILE*', self), level + 1) end
  if handle == false then error('attempt to use a closed file', level + 1) end
  return handle
end

local function opened(problem, handle, ...)
  if problem then error(problem, 2) end
  if handle == nil then return nil, ... end
  return new_file(handle)
end

local function written(self, problem, fine, ...)
  if problem then error(problem, 2) end
  if fine then return self end
  return nil, ...
end

function methods.close(self)
  local handle = handle_of(self, 'close', 2)
  if handle > 2 then handles[self] = false end
  return finish(file.close(handle))
end

function methods.read(self, ...) return finish(file.read(handle_of(self, 'read', 2), ...)) end

function methods.write(self, ...)
  return written(self, file.write(handle_of(self, 'write', 2), ...))
end

function methods.seek(self, ...) return finish(file.seek(handle_of(self, 'seek', 2), ...)) end

function methods.flush(self)
  handle_of(self, 'flush', 2)
  return self
end

function methods.setvbuf(self)
  handle_of(self, 'setvbuf', 2)
  return true
end

local function line_reader(self, close, ...)
  local formats = pack(...)
  local function given(problem, value, message, ...)
    if problem then error(problem, 2) end
    if value ~= nil then return value, message, ... end
    if message ~= nil then error(message, 2) end
    if close then methods.close(self) end
    return nil
  end
  return function()
    if handles[self] == false then error('file is already closed', 2) end
    return given(file.read(handles[self], unpack(formats, 1, formats.n)))
  end
end

function methods.lines(self, ...)
  handle_of(self, 'lines', 2)
  return line_reader(self, false, ...)
end

local io = { stdin = standard.stdin, stdout = standard.stdout, stderr = standard.stderr }

function io.open(...) return opened(file.open(...)) end
function io.popen(...) return opened(file.popen(...)) end

function io.close(f)
  return methods.close(f == nil and output or f)
end

function io.read(...) return finish(file.read(handle_of(input, 'read', 2), ...)) end
function io.write(...) return written(output, file.write(handle_of(output, 'write', 2), ...)) end

function io.flush()
  handle_of(output, 'flush', 2)
  return output
end

local function named(name, mode)
  local problem, handle, message = file.open(name, mode)
  if problem then error(problem, 3) end
  if handle == nil then
    error("cannot open file '" .. name .. "' (" .. sub(message, #name + 3) .. ")", 3)
  end
  return new_file(handle)
end

function io.input(f)
  if type(f) == 'string' then
    input = named(f, 'r')
  elseif f ~= nil then
    handle_of(f, 'input', 2)
    input = f
  end
  return input
end

function io.output(f)
  if type(f) == 'string' then
    output = named(f, 'w')
  elseif f ~= nil then
    handle_of(f, 'output', 2)
    output = f
  end
  return output
end

function io.lines(name, ...)
  if name == nil then return line_reader(input, false, ...) end
  local f = named(text(name, 1, 'lines', 2), 'r')
  return line_reader(f, true, ...), nil, nil, f
end
File.__close = function(self)
  if handles[self] then methods.close(self) end
end

function io.type(...)
  if select('#', ...) == 0 then error("bad argument #1 to 'type' (value expected)", 2) end
  local handle = handles[(...)]
  if handle == nil then return nil end
  return handle and 'file' or 'closed file'
end

io.tmpfile = unsupported('io.tmpfile')

local function slurp(name)
  local problem, handle, message = file.open(name)
  if problem then error(problem, 3) end
  if handle == nil then return nil, 'cannot open ' .. message end
  local _, all = file.read(handle, 'a')
  file.close(handle)
  return all
end

local function loadfile(name, mode, ...)
  if name == nil then refuse('loadfile of standard input') end
  local all, message = slurp(text(name, 1, 'loadfile', 2))
  if not all then return nil, message end
  return checked_load(all, '@' .. name, mode, ...)
end

local function dofile(name)
  local f, message = loadfile(name)
  if not f then error(message, 2) end
  return f()
end

-- os ---------------------------------------------------------------------------------------------

local os = {
  remove = wrap(file.remove),
  rename = wrap(file.rename),
  execute = wrap(file.execute),
  getenv = wrap(file.getenv),
  exit = wrap(file.exit),
  tmpname = wrap(file.tmpname),
  time = wrap(file.time),
  difftime = function(a, b) return (a or 0) - (b or 0) + 0.0 end,
  date = unsupported('os.date'),
  clock = unsupported('os.clock'),
  setlocale = unsupported('os.setlocale'),
}

-- math -------------------------------------------------------------------------------------------

local seeded, raw_random, raw_seed = false, math.random, math.randomseed
math.random = function(...)
  if not seeded then refuse('math.random without a seed') end
  local fine, result = raw_pcall(raw_random, ...)
  if not fine then error(result, 2) end
  return result
end
math.randomseed = function(...)
  if select('#', ...) == 0 then refuse('math.randomseed without a number') end
  local fine, result = raw_pcall(raw_seed, ...)
  if not fine then error(result, 2) end
  seeded = true
end

-- posix and rpm ----------------------------------------------------------------------------------

local posix = { version = 'posix library for Lua 5.4 / Nov 2003' }
for _, name in raw_ipairs(host.no_posix) do posix[name] = unsupported('posix.' .. name) end
for _, name in raw_ipairs({ 'access', 'chdir', 'chmod', 'chown', 'ctermid', 'dir', 'errno', 'exec',
  'fork', 'getcwd', 'getenv', 'getlogin', 'getpasswd', 'getprocessid', 'link', 'mkdir', 'mkfifo',
  'pathconf', 'putenv', 'readlink', 'redirect2null', 'rmdir', 'setenv', 'setgid', 'setuid',
  'sleep', 'stat', 'symlink', 'sysconf', 'ttyname', 'umask', 'uname', 'unlink', 'unsetenv',
  'utime', 'wait' }) do
  posix[name] = wrap(host.posix[name])
end

function posix.files(...)
  local problem, list, message, number = host.posix.dir(...)
  if problem then error(problem, 2) end
  if list == nil then return nil, message, number end
  local index, done = 0, false
  return function()
    if done then error('attempt to use closed dir', 2) end
    index = index + 1
    done = list[index] == nil
    return list[index]
  end
end

function posix.getgroup(...)
  local problem, group = host.posix.getgroup(...)
  if problem then error(problem, 2) end
  if group == nil then return nil end
  for index, name in raw_ipairs(group.members) do group[index] = name end
  group.members = nil
  return group
end

function posix.mkstemp(...)
  local problem, handle, name = file.mkstemp(...)
  if problem then error(problem, 2) end
  return new_file(handle), name
end

local rpm = {}
for _, name in raw_ipairs(host.no_rpm) do rpm[name] = unsupported('rpm.' .. name) end
for _, name in raw_ipairs({ 'b64decode', 'b64encode', 'define', 'execute', 'expand', 'glob',
  'isdefined', 'redirect2null', 'splitargs', 'undefine', 'vercmp' }) do
  rpm[name] = wrap(host.rpm[name])
end
if host.has_files then rpm.next_file = wrap(host.rpm.next_file) end

local function strings(t, name)
  if type(t) ~= 'table' then error(bad(1, name, 'table', t), 3) end
  local out = {}
  for index, word in raw_ipairs(t) do out[index] = text(word, index, name, 3) end
  return out
end

function rpm.spawn(command, actions)
  local words = strings(command, 'spawn')
  local files = {}
  if type(actions) == 'table' then
    for key, name in pairs(actions) do
      if key ~= 'stdin' and key ~= 'stdout' and key ~= 'stderr' then
        error('invalid spawn directive: ' .. tostring(key), 2)
      end
      files[key] = text(name, 2, 'spawn', 2)
    end
  end
  return finish(host.rpm.spawn(files.stdin, files.stdout, files.stderr, unpack(words)))
end

function rpm.unsplitargs(t)
  return finish(host.rpm.unsplitargs(unpack(strings(t, 'unsplitargs'))))
end

-- Versions.
local Version, versions = { __name = 'rpm.ver' }, setmetatable({}, { __mode = 'k' })

local function new_version(epoch, version, release)
  local self = setmetatable({}, Version)
  versions[self] = { e = epoch, v = version, r = release }
  return self
end

local function version_of(value, index)
  local parts = versions[value]
  if not parts then error("bad argument #" .. index .. " (rpm.ver expected)", 3) end
  return parts
end

local function compare(a, b)
  a, b = version_of(a, 1), version_of(b, 2)
  local _, order = host.rpm.ver_compare(a.e, a.v, a.r, b.e, b.v, b.r)
  return order
end

Version.__index = function(self, key)
  if key ~= 'e' and key ~= 'v' and key ~= 'r' then
    error('invalid attribute: ' .. tostring(key), 2)
  end
  return version_of(self, 1)[key]
end
Version.__tostring = function(self)
  local parts = version_of(self, 1)
  return (parts.e and parts.e .. ':' or '') .. parts.v .. (parts.r and '-' .. parts.r or '')
end
Version.__eq = function(a, b) return compare(a, b) == 0 end
Version.__lt = function(a, b) return compare(a, b) < 0 end
Version.__le = function(a, b) return compare(a, b) <= 0 end
Version.__newindex = function() error("attempt to index a rpm.ver value", 2) end

function rpm.ver(...)
  local count = select('#', ...)
  if count == 1 then
    local problem, epoch, version, release = host.rpm.ver_parse(...)
    if problem then error(problem, 2) end
    if version == nil then return end
    return new_version(epoch, version, release)
  end
  if count ~= 3 then error('invalid number of arguments: ' .. count, 2) end
  local epoch, version, release = ...
  if version == nil or version == '' then return end
  return new_version(epoch, version, release)
end

-- Files through rpm's own input and output, without compression.
local RpmFile, rpm_files = { __name = 'rpm.fd' }, setmetatable({}, { __mode = 'k' })
RpmFile.__index = {}

function rpm.open(name, mode)
  name = text(name, 1, 'open', 2)
  mode = mode == nil and 'r' or text(mode, 2, 'open', 2)
  local plain_mode, kind = mode, ''
  local dot = raw_find(mode, '.', 1, true)
  if dot then plain_mode, kind = sub(mode, 1, dot - 1), sub(mode, dot + 1) end
  if kind ~= '' and kind ~= 'ufdio' and kind ~= 'fdio' and kind ~= 'fpio' then
    refuse('rpm.open with compression')
  end
  local problem, handle, message = file.open(name, plain_mode)
  if problem then error(problem, 2) end
  if handle == nil then
    error(name .. ' open failed: ' .. sub(message, #name + 3), 2)
  end
  local self = setmetatable({}, RpmFile)
  rpm_files[self] = handle
  return self
end

local function rpm_handle(self)
  local handle = rpm_files[self]
  if not handle then error('attempt to use a closed file', 3) end
  return handle
end

function RpmFile.__index.read(self, size)
  local handle = rpm_handle(self)
  local problem, all, message
  if size == nil or whole(size, 2, 'read', 2) < 0 then
    problem, all, message = file.read(handle, 'a')
  else
    problem, all, message = file.read(handle, size)
  end
  if problem then error(problem, 2) end
  if all == nil and message then error('error reading: ' .. message, 2) end
  return all or ''
end

function RpmFile.__index.write(self, bytes, size)
  bytes = text(bytes, 1, 'write', 2)
  if size ~= nil then bytes = sub(bytes, 1, whole(size, 2, 'write', 2)) end
  local problem, fine, message = file.write(rpm_handle(self), bytes)
  if problem then error(problem, 2) end
  if not fine then error('error writing: ' .. message, 2) end
  return #bytes
end

function RpmFile.__index.seek(self, ...)
  return finish(file.seek(rpm_handle(self), ...))
end

function RpmFile.__index.flush(self)
  rpm_handle(self)
  return 0
end

function RpmFile.__index.close(self)
  local handle = rpm_files[self]
  if not handle then return -1 end
  rpm_files[self] = nil
  finish(file.close(handle))
  return 0
end

RpmFile.__index.reopen = unsupported('rpm.fd reopen')

local macros = setmetatable({}, {
  __index = function(_, name) return finish(host.rpm.macro(name)) end,
  __newindex = function(_, name, body)
    if body == nil then return finish(host.rpm.undefine(name)) end
    return finish(host.rpm.define(text(name, 2, 'index', 2) .. ' ' .. text(body, 3, 'index', 2)))
  end,
})

-- The globals ------------------------------------------------------------------------------------

local function absent(name)
  local function no() refuse(name) end
  return setmetatable({}, { __index = no, __newindex = no, __call = no, __metatable = false })
end

local libraries = {
  coroutine = coroutines, io = io, math = math, os = os, posix = posix, rpm = rpm,
  string = string, table = table_library, utf8 = utf8, debug = absent('debug'),
  package = absent('package'),
}

local function require(name)
  local found = rawget(libraries, text(name, 1, 'require', 2))
  if found == nil then refuse('require') end
  return found
end

local function collectgarbage(option)
  if option ~= nil and option ~= 'collect' then refuse('collectgarbage') end
  return 0
end

local globals = _G
local function set(values)
  local name, value = raw_next(values)
  while name ~= nil do
    rawset(globals, name, value)
    name, value = raw_next(values, name)
  end
end

set(libraries)
set({
  collectgarbage = collectgarbage, dofile = dofile, load = checked_load, loadfile = loadfile,
  macros = macros, next = next, pairs = pairs, pcall = pcall, print = print, require = require,
  setmetatable = checked_setmetatable, tostring = tostring, warn = unsupported('warn'),
  xpcall = xpcall,
})
getmetatable('').__index = string

-- Runs a script: how it ended, and its message.
return function(script, name, arg)
  local chunk, problem = load(script, name, 't')
  if not chunk then return 'syntax', problem end
  local fine
  fine, problem = raw_pcall(chunk, {}, arg)
  if fine then return 'done' end
  check(problem)
  if type(problem) == 'number' then problem = raw_tostring(problem) end
  return 'failed', type(problem) == 'string' and problem or nil
end
