// A far side that means no good, for `kdbg shell -- node hostile-shell.mjs MODE [NUMBER]`.
//
// Modes that never are a shell: silent, exit, random, endless, one-line, errors, echo, login.
// Modes with a real shell behind them: banner and motd say something first; flip, drop, repeat, insert, cut and freeze
// pass what the shell says, and do that once NUMBER bytes have passed; giant sends a lot after that.
// Modes that change the NUMBERth frame (docs/remote-protocol.md): longer, shorter, raw, sum, stranger, deflated, twice.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const [mode = 'silent', number = '0'] = process.argv.slice(2);
const at = Number(number);

/** What a terminal would obey: its title, a cleared screen, a report that types, another font, bells, a line taken back. */
const escapes =
  '\x1b]0;taken\x07\x1b[2J\x1b[H\x1b[6n\x1b(0\x9b31m\x1bP$q"p\x1b\\\x07\x08\x08\rroot@web7:~# \u202egnp.exe\u2066';

const flood = (stream, chunk) => {
  const more = () => {
    while (stream.write(typeof chunk === 'function' ? chunk() : chunk));
    stream.once('drain', more);
  };
  more();
};

const forever = () => setInterval(() => undefined, 1 << 30);

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(0));
process.stdin.on('error', () => undefined);

const shell = (change) => {
  const child = spawn('sh', { stdio: ['pipe', 'pipe', 'inherit'] });
  process.stdin.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk) => {
    const changed = change === undefined ? chunk : change(chunk, child);
    if (changed.length > 0 && !process.stdout.write(changed)) {
      child.stdout.pause();
      process.stdout.once('drain', () => child.stdout.resume());
    }
  });
  child.on('close', (status) => process.exit(status ?? 1));
};

/** Passes bytes until `at` have passed; then `change` has the rest of that chunk, once. */
const once = (change) => {
  let passed = 0;
  let isDone = false;
  return (chunk, child) => {
    const before = passed;
    passed += chunk.length;
    if (isDone || passed <= at) return chunk;
    isDone = true;
    const place = Math.max(0, at - before);
    return Buffer.concat([chunk.subarray(0, place), change(chunk.subarray(place), child)]);
  };
};

/** Changes the `at`th frame: `change` gets its header's fields and its bytes, and gives what to send. */
const frame = (change) => {
  let count = 0;
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const out = [];
    for (;;) {
      const end = pending.indexOf(10);
      if (end < 0) break;
      const line = pending.toString('latin1', 0, end);
      const fields = /^(\S+) (\d+) ([mesx])([zgh]?) (\d+) (\d+|-) (\S+)$/.exec(line)?.slice(1);
      const length = end + 1 + (fields === undefined ? 0 : Number(fields[4]) + 1);
      if (pending.length < length) break;
      const whole = pending.subarray(0, length);
      pending = pending.subarray(length);
      const isTheOne = fields !== undefined && count++ === at;
      out.push(isTheOne ? change(fields, whole.subarray(end + 1, -1), whole) : whole);
    }
    return Buffer.concat(out);
  };
};

const framed = ([magic, id, kind, coding, wire, raw, sum], bytes) =>
  Buffer.concat([Buffer.from(`${magic} ${id} ${kind}${coding} ${wire} ${raw} ${sum}\n`), bytes, Buffer.from('\n')]);

const modes = {
  longer: () => shell(frame((fields, bytes) => framed(fields.with(4, '99999999'), bytes))),
  shorter: () => shell(frame((fields, bytes) => framed(fields.with(4, String(Math.max(0, bytes.length - 3))), bytes))),
  raw: () => shell(frame((fields, bytes) => framed(fields.with(5, '7'), bytes))),
  sum: () => shell(frame((fields, bytes) => framed(fields.with(6, '00c0ffee'), bytes))),
  stranger: () =>
    shell(frame((fields, bytes, whole) => Buffer.concat([framed(fields.with(1, '777777'), bytes), whole]))),
  twice: () => shell(frame((_, __, whole) => Buffer.concat([whole, whole]))),
  // A little that becomes a lot.
  deflated: () =>
    shell(
      frame((fields) => {
        const bomb = deflateSync(Buffer.alloc(512 * 1024 * 1024));
        return framed(fields.with(3, 'z').with(4, String(bomb.length)).with(5, '-').with(6, '-'), bomb);
      }),
    ),
  silent: () => {
    process.stdin.resume();
    forever();
  },
  exit: () => {
    process.stderr.write(`sh: not today ${escapes}\n`);
    process.exitCode = at;
  },
  random: () => {
    process.stdin.resume();
    process.stdout.write(randomBytes(at || 1 << 20));
    forever();
  },
  endless: () => {
    process.stdin.resume();
    flood(process.stdout, () => randomBytes(65_536));
  },
  'one-line': () => {
    process.stdin.resume();
    flood(process.stdout, Buffer.alloc(65_536, 0x61));
  },
  errors: () => {
    process.stdin.resume();
    flood(process.stderr, Buffer.from(`${escapes}\n`.repeat(1000)));
  },
  echo: () => process.stdin.pipe(process.stdout),
  login: () => {
    process.stdin.on('data', () => process.stdout.write('\r\nLogin incorrect\r\nweb7 login: '));
    process.stdout.write(`${escapes}Debian GNU/Linux 12 web7 ttyS0\r\n\r\nweb7 login: `);
    forever();
  },
  banner: () => {
    process.stderr.write(`${escapes}\n`);
    process.stdout.write(`${escapes}\nWelcome to web7\n${'*'.repeat(70_000)}\n`);
    shell();
  },
  motd: () => {
    process.stdout.write('Last login: today\nYou have mail.\nsh: 1: .profile: cannot open nvm\n');
    shell();
  },
  flip: () => shell(once((rest) => Buffer.concat([Buffer.from([(rest[0] ?? 0) ^ 0x21]), rest.subarray(1)]))),
  drop: () => shell(once((rest) => rest.subarray(1))),
  repeat: () => shell(once((rest) => Buffer.concat([rest, rest]))),
  insert: () => shell(once((rest) => Buffer.concat([Buffer.from(`${escapes}\n`), rest]))),
  cut: () =>
    shell(
      once((_, child) => {
        child.kill('SIGKILL');
        return Buffer.alloc(0);
      }),
    ),
  freeze: () =>
    shell(
      once((_, child) => {
        child.kill('SIGSTOP');
        process.on('exit', () => child.kill('SIGKILL'));
        return Buffer.alloc(0);
      }),
    ),
  giant: () =>
    shell(
      once((rest, child) => {
        child.stdout.removeAllListeners('data');
        child.stdout.resume();
        flood(process.stdout, Buffer.alloc(65_536, 0xff));
        return rest;
      }),
    ),
};

if (modes[mode] === undefined) {
  process.stderr.write(`there is no mode ${mode}\n`);
  process.exitCode = 2;
} else {
  modes[mode]();
}
