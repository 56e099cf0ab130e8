# kdbg's far side in Python: answers requests for kernel memory and kernel files until its standard input ends.
# docs/remote-protocol.md is what it speaks. Python 3.5 and its own library; what may be left out of that is optional.
import errno
import os
import re
import select
import signal
import stat
import struct
import sys
import time

try:
    import zlib
except ImportError:
    zlib = None
try:
    import hashlib
except ImportError:
    hashlib = None

# Whoever fell silent for this long is gone; the other side sends something every 15 s.
PATIENCE = 60
FRAME_MAX = 256 * 1024  # of what a frame carries, before it is compressed
LINE_MAX = 1 << 20
RATE_MAX = 128 << 20  # bytes per second

magic = sys.argv[1].split(':')[0].encode()
kcore = -1
kcore_path = b''
ranges = []
body = bytearray()
answering = 0
streams = {}
children = {}  # the commands among the streams: their PIDs
outcomes = {}  # how those that have ended did
over = set()  # those whose output has ended
dying = {}  # commands that were told to end, and until when they may
guard_pipe = None
sent = 0
since = 0
OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
PROCESS_FILE = re.compile(rb'/proc/\d+(?:/task/\d+)?/[a-z_]+')
CONSUMING = re.compile(rb'/proc/kmsg$|/(?:trace_pipe|trace_pipe_raw|snapshot_raw)$')
KERNEL = re.compile(rb'/(?:proc|sys|boot)(?:/|$)')


def put(data):
    view = memoryview(data)
    while len(view) > 0:
        try:
            view = view[os.write(1, view[:65536]):]
            signal.alarm(PATIENCE)
        except BlockingIOError:
            select.select([], [1], [])
        except OSError:
            sys.exit(0)


# One frame: KIND is m (more follows), e (the answer's end), s (a stream's bytes) or x (a stream's end).
def frame(number, kind, data):
    global sent, since
    raw = len(data)
    check = '-'
    if zlib:
        check = '%08x' % (zlib.crc32(data) & 0xffffffff)
        if raw >= 8192:
            small = zlib.compress(bytes(data), 3)
            if len(small) < raw:
                data = small
                kind += 'z'
    head = ' %d %s %d %d %s\n' % (number, kind, len(data), raw, check)
    put(magic + head.encode() + bytes(data) + b'\n')
    if int(time.time()) != since:
        sent = 0
        since = int(time.time())
    sent += raw
    while sent > RATE_MAX and int(time.time()) == since:
        time.sleep(0.05)


# One item of the answer: + whole, > more of it follows, ~ cut at the limit, - an error, = as the asker has it.
def item(kind, data=b''):
    global body
    body += b'%s%d\n' % (kind.encode(), len(data))
    body += data
    if len(body) >= FRAME_MAX:
        frame(answering, 'm', body)
        body = bytearray()


def failed(error):
    item('-', b'%d %s' % (error.errno or 0, os.strerror(error.errno or 0).encode()))


def say(text):
    item('-', text.encode())


# Memory: ranges of /proc/kcore by their place in the file.


def pread(fd, at, length):
    data = os.pread(fd, length, at)
    while len(data) < length:
        more = os.pread(fd, length - len(data), at + len(data))
        if not more:
            raise OSError(0, '')
        data += more
    return data


def op_read(words):
    for at, length in zip(words[0::2], words[1::2]):
        try:
            item('+', pread(kcore, int(at), int(length)))
        except OSError as error:
            failed(error)


def virtual(address, length):
    for start, end, at in ranges:
        if start <= address and address + length <= end:
            return pread(kcore, address - start + at, length)
    raise OSError(errno.EFAULT, '')


def op_map(words):
    global ranges
    ranges = [tuple(int(word) for word in words[i:i + 3]) for i in range(0, len(words), 3)]


def ending(kind, address=0, error=None):
    text = kind
    if error is not None:
        text = 'fault %x %d %s' % (address, error.errno or 0, os.strerror(error.errno or 0))
    item('.', text.encode())


# A walk: each node is its address and the ranges asked for; the last item says why it ended.
def op_follow(words):
    node, next_at = int(words[0]), int(words[1])
    end = None if words[2] == b'-' else int(words[2])
    limit = int(words[3])
    wanted = [(int(words[i]), int(words[i + 1])) for i in range(4, len(words), 2)]
    seen = set()
    while True:
        if node == 0:
            return ending('null')
        if node == end:
            return ending('end')
        if node in seen:
            return ending('loop')
        if len(seen) >= limit:
            return ending('limit')
        seen.add(node)
        item('+', b'%x' % node)
        for offset, length in wanted:
            try:
                item('+', virtual((node + offset) & 0xffffffffffffffff, length))
            except OSError as error:
                failed(error)
        at = (node + next_at) & 0xffffffffffffffff
        try:
            node = struct.unpack('<Q', virtual(at, 8))[0]
        except OSError as error:
            return ending('fault', at, error)


# A way from pointer to pointer: the pointers, then why it ended. A NULL is the last.
def op_chase(words):
    at, flags = int(words[0]), int(words[1])
    pointers = b''
    for offset in words[2:]:
        place = (at + int(offset)) & 0xffffffffffffffff
        try:
            data = virtual(place, 8)
        except OSError as error:
            item('+', pointers)
            return ending('fault', place, error)
        pointers += data
        at = struct.unpack('<Q', data)[0] & ~flags
        if at == 0:
            break
    item('+', pointers)
    ending('end')


# Files: what is the kernel's (/proc, /sys, /boot, /dev/kmsg), read to the end and never waiting.


def resolved(path):
    if path == b'/dev/kmsg' or path == kcore_path or PROCESS_FILE.fullmatch(path):
        return path
    real = os.path.realpath(path)
    os.stat(real)
    if not KERNEL.match(real):
        raise OSError(errno.EACCES, '')
    return real


def open_file(path):
    return os.open(resolved(path), OPEN)


def op_files(words):
    limit = int(words[0])
    for path in words[1:]:
        one_file(path, limit)


# Files that the asker may have: the same bytes are not sent again.
def op_known(words):
    limit = int(words[0])
    for i in range(1, len(words), 2):
        one_file(words[i + 1], limit, words[i].decode())


def one_file(path, limit, known='-'):
    try:
        fd = open_file(path)
        try:
            if path != b'/dev/kmsg' and not os.path.isfile(b'/proc/self/fd/%d' % fd):
                return say('1 it is no plain file')
            if CONSUMING.search(path):
                return say('1 reading it would take its records away')
            if hashlib and known != '-' and hash_of(path, limit) == known:
                return item('=')
            read_file(fd, path, limit)
        finally:
            os.close(fd)
    except OSError as error:
        failed(error)


# Ranges of a program, wherever it is: of a plain file that begins as an ELF executable or shared object.
def op_program(words):
    fd = error = None
    try:
        fd = program(words[0])
    except OSError as refused:
        error = refused
    for at, length in zip(words[1::2], words[2::2]):
        try:
            if error is not None:
                raise error
            if fd is None:
                say('1 it is no program')
            else:
                item('+', pread(fd, int(at), int(length)))
        except OSError as refused:
            failed(refused)
    if fd is not None:
        os.close(fd)


def program(path):
    # What reading empties has no size.
    def may_be(status):
        return stat.S_ISREG(status.st_mode) and status.st_size > 0

    if not may_be(os.stat(path)):
        return None
    fd = os.open(path, OPEN & ~os.O_NOFOLLOW)
    try:
        start = os.pread(fd, 18, 0) if may_be(os.fstat(fd)) else b''
    except OSError:
        os.close(fd)
        raise
    if len(start) == 18 and start[:4] == b'\x7fELF' and start[16:] in (b'\2\0', b'\3\0'):
        return fd
    os.close(fd)
    return None


def hash_of(path, limit):
    fd = open_file(path)
    try:
        digest = hashlib.sha256()
        total = 0
        while total <= limit:
            data = os.read(fd, FRAME_MAX)
            if not data:
                return digest.hexdigest()
            digest.update(data)
            total += len(data)
        return ''
    finally:
        os.close(fd)


def read_file(fd, path, limit):
    data = bytearray()
    total = overtaken = 0
    while total <= limit:
        # One byte more than the limit tells whether the file goes on.
        want = 65536 if path == b'/dev/kmsg' else min(65536, limit + 1 - total)
        try:
            more = os.read(fd, want)
        except BlockingIOError:
            break
        except BrokenPipeError:
            overtaken += 1
            if overtaken > 1000:
                raise
            continue
        if not more:
            break
        data += more
        total += len(more)
        if len(data) >= FRAME_MAX and total <= limit:
            item('>', data)
            data = bytearray()
    if total <= limit:
        item('+', data)
    else:
        item('~', data[:len(data) - (total - limit)])


def op_list(words):
    try:
        item('+', b'/'.join(os.listdir(resolved(words[0]))))
    except OSError as error:
        failed(error)


def op_link(words):
    try:
        item('+', os.readlink(words[0]))
    except OSError as error:
        failed(error)


# Changes of tracefs, and of nothing else.

TRACEFS = re.compile(rb'/sys/kernel/(?:debug/)?tracing/[^\0]+')


def check_change(path):
    if not TRACEFS.fullmatch(path) or re.search(rb'/\.\.?(?:/|$)', path):
        raise OSError(errno.EPERM, '')


def step(kind, path, text):
    check_change(path)
    if kind == b'm':
        return os.mkdir(path, 0o700)
    if kind == b'd':
        return os.rmdir(path)
    fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | (os.O_APPEND if kind == b'a' else os.O_TRUNC))
    try:
        if os.write(fd, text) != len(text):
            raise OSError(errno.EIO, '')
    finally:
        os.close(fd)


# Steps come as KIND PATH, and the text where KIND is w or a, behind a "=".
def steps_of(words):
    rest = iter(words)
    return [(kind, next(rest), next(rest)[1:] if kind in b'wa' else b'') for kind in rest]


def op_control(words):
    for done, each in enumerate(steps_of(words)):
        try:
            step(*each)
        except OSError as error:
            return say('%d %d %s' % (error.errno or 0, done, os.strerror(error.errno or 0)))
    item('+')


# The guard: a process of its own that waits for this one to end, in whatever way, and puts tracefs back.
def op_restore(words):
    global guard_pipe
    if guard_pipe is None:
        if not words:
            return item('+')
        reading, writing = os.pipe()
        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                guard(reading, tell, writing, ready)
            finally:
                os._exit(0)
        os.close(reading)
        os.close(tell)
        os.read(ready, 1)
        os.close(ready)
        os.waitpid(child, 0)
        guard_pipe = writing
    plan = b' '.join(encode(word) for word in words) + b'\n'
    while plan:
        plan = plan[os.write(guard_pipe, plan):]
    item('+')


def guard(reading, tell, *others):
    for fd in list(others) + [kcore] + [stream[0] for stream in streams.values()]:
        os.close(fd)
    signal.alarm(0)
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(name, signal.SIG_IGN)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open('/dev/null', os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.write(tell, b'+')
    os.close(tell)
    plan = data = b''
    while True:
        more = os.read(reading, 65536)
        if not more:
            break
        data += more
        lines = data.split(b'\n')
        data = lines.pop()
        if lines:
            plan = lines[-1]
    # A file that somebody has open still keeps an instance busy for a moment: each step gets some tries.
    for each in steps_of([decode(word) for word in plan.split()]):
        for attempt in range(5):
            try:
                step(*each)
                break
            except OSError as error:
                if error.errno != errno.EBUSY:
                    break
                time.sleep(0.5 * (attempt + 1))


# Streams: files that flow, sent as far as the other side has given credit.


def op_open(words):
    try:
        streams[answering] = [open_file(words[1]), int(words[0])]
        item('+')
    except OSError as error:
        failed(error)


# A command of the user's: its PID goes into files of tracefs, then it runs, in a process group of its own. What it prints
# is a stream, which ends when the command has, whoever else still holds its output.
def op_run(words):
    count = int(words[1])
    files, command = words[2:2 + count], [word[1:] for word in words[2 + count:]]
    try:
        for path in files:
            check_change(path)
    except OSError as error:
        return failed(error)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            run(writing, files, command)
        finally:
            os._exit(127)
    os.close(writing)
    os.set_blocking(reading, False)
    streams[answering] = [reading, int(words[0])]
    children[answering] = child
    item('+')


def run(out, files, command):
    signal.alarm(0)
    for name in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGALRM):
        signal.signal(name, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    path = command[0]
    try:
        for path in files:
            step(b'a', path, b'%d' % os.getpid())
        path = command[0]
        os.execvp(path, command)
    except OSError as error:
        os.write(2, path + b': ' + os.strerror(error.errno or 0).encode() + b'\n')
        os._exit(127 if path == command[0] else 126)


# Those that have ended, their output sent: how.
def reap():
    for number, child in list(children.items()):
        if number not in outcomes:
            gone, status = os.waitpid(child, os.WNOHANG)
            if gone == 0:
                continue
            signalled = os.WIFSIGNALED(status)
            outcomes[number] = 'signal %d' % os.WTERMSIG(status) if signalled else 'exit %d' % os.WEXITSTATUS(status)
        if number not in over and streams[number][1] > 0 and not flow(number):
            over.add(number)
        if number in over:
            why = outcomes[number]
            forget(number)
            end_stream(number, why)


def forget(number):
    children.pop(number, None)
    outcomes.pop(number, None)
    over.discard(number)


# Whoever started a command and does not want it any more ends it and what it started.
def stop(number):
    child = children.get(number)
    if child is not None and number not in outcomes:
        os.killpg(child, signal.SIGTERM)
        dying[child] = time.time() + 2
    forget(number)


def bury():
    for child, until in list(dying.items()):
        if os.waitpid(child, os.WNOHANG)[0] != 0:
            del dying[child]
        elif time.time() > until:
            os.killpg(child, signal.SIGKILL)


def op_taken(words):
    stream = streams.get(int(words[0]))
    if stream:
        stream[1] += int(words[1])


def op_close(words):
    stop(int(words[0]))
    end_stream(int(words[0]), 'closed')


def end_stream(number, why):
    stream = streams.pop(number, None)
    if stream:
        os.close(stream[0])
        frame(number, 'x', why.encode())


def flow(number):
    fd, credit = streams[number]
    try:
        # A record of the kernel log comes whole or not at all.
        data = os.read(fd, max(8192, min(65536, credit)))
    except (BlockingIOError, InterruptedError, BrokenPipeError):
        return False
    except OSError as error:
        end_stream(number, os.strerror(error.errno))
        return False
    if not data and number in children:
        over.add(number)
        return False
    if not data:
        end_stream(number, 'the file ended')
        return False
    streams[number][1] -= len(data)
    frame(number, 's', data)
    return True


# Words of a request line: bytes that are no plain characters are written \0ooo.


def decode(word):
    return re.sub(rb'\\0([0-7]{3})', lambda match: bytes([int(match.group(1), 8)]), word)


def encode(word):
    return re.sub(rb'[^!-\[\]-~]', lambda match: b'\\0%03o' % ord(match.group()), word)


# The first request: where kernel memory is, and what the asker should know of this process.
def op_hello(words):
    global kcore, kcore_path
    kcore_path = words[0]
    try:
        kcore = os.open(kcore_path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        kcore = os.open('/dev/null', os.O_RDONLY | os.O_CLOEXEC)
    item('+', b'python3 %d %d %d %d' % (os.geteuid(), os.getpid(), os.getppid(), 1 if zlib else 0))


def op_ping(words):
    item('+')


OPS = {
    b'h': op_hello, b'r': op_read, b'm': op_map, b'w': op_follow, b'a': op_chase, b'f': op_files, b'F': op_known,
    b'b': op_program, b'l': op_list, b'k': op_link, b'c': op_control, b'g': op_restore, b'o': op_open, b'e': op_run,
    b't': op_taken, b'x': op_close, b'p': op_ping,
}


def serve(line):
    global answering, body
    words = [decode(word) for word in line.split()]
    answering = int(words[0])
    body = bytearray()
    act = OPS.get(words[1])
    if act:
        act(words[2:])
    else:
        say('38 no such request')
    if words[1] not in (b't', b'x'):
        frame(answering, 'e', body)


def leave(*_):
    sys.exit(1)


def main():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # In whatever way it ends, but by being killed.
    for name in (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM):
        signal.signal(name, leave)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    data = b''
    signal.alarm(PATIENCE)
    while True:
        flowing = {stream[0]: number for number, stream in streams.items() if stream[1] > 0 and number not in over}
        ready = select.select([0] + list(flowing), [], [], 0.1 if children or dying else None)[0]
        for fd in ready:
            if fd != 0 and flowing[fd] in streams:
                flow(flowing[fd])
        reap()
        bury()
        if 0 not in ready:
            continue
        more = os.read(0, 65536)
        if not more:
            break
        signal.alarm(PATIENCE)
        lines = (data + more).split(b'\n')
        data = lines.pop()
        if len(data) > LINE_MAX:
            break
        for line in lines:
            if line.strip():
                serve(line)


try:
    main()
finally:
    for each in list(children):
        stop(each)
