/**
 * Starting a reader on far sides that are not at their best: banners, terminals, sudo, shells that end or never answer.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCommandChannel } from '../../../../src/backends/remote/command-channel.ts';
import type { Ask, Question } from '../../../../src/backends/remote/question.ts';
import { bootstrap } from '../../../../src/backends/remote/reader/bootstrap.ts';
import { READER_KINDS, readerProgram } from '../../../../src/backends/remote/reader/programs.ts';
import type { Reader } from '../../../../src/backends/remote/reader.ts';
import { CancelledError, OpenError } from '../../../../src/core/errors.ts';
import { eventually, type FarSide, farSide, processesOf, RAM } from './far-side.ts';

let far: FarSide;
beforeAll(() => {
  far = farSide();
});
afterAll(() => far.close());

async function works(reader: Reader): Promise<void> {
  const ranges = [{ space: 'virtual', address: RAM, length: 0x1_0000, what: 'test' }] as const;
  const [bytes] = await reader.request({ op: 'read', ranges });
  expect(bytes).toHaveLength(0x1_0000);
}

async function failure(argv: readonly string[], options: Parameters<FarSide['start']>[1] = {}): Promise<OpenError> {
  const error = await far.start(argv, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OpenError)) throw new Error(`expected an OpenError, not ${String(error)}`);
  return error;
}

describe('the line', () => {
  test('is one that any shell takes as it stands', () => {
    for (const kind of [undefined, ...READER_KINDS]) {
      const { line, magic } = bootstrap(kind, true);
      expect(line).toMatch(/^exec sh -c '[ -~]*'\n$/);
      expect(line.slice('exec sh -c '.length + 1, -2)).not.toMatch(/['!\\]/);
      // A terminal takes a line of 4095 bytes.
      expect(line.length).toBeLessThan(2000);
      expect(line).not.toContain(magic);
    }
  });

  test.each(READER_KINDS)('%s: the program is ASCII', (kind) => {
    expect(readerProgram(kind)).toMatch(/^[\n -~]+$/);
  });
});

describe('what else the far side says', () => {
  test.each(READER_KINDS)('banners before the shell are passed over: %s', async (kind) => {
    const text = 'Welcome to web7!\\n\\033[1mLast login\\033[0m: yesterday\\n%s';
    const login = far.script(
      `banner-${kind}`,
      `#!/bin/sh\nprintf '${text}' "$(head -c 100000 /dev/zero | tr '\\0' x)"\necho 'rc: no such file' >&2\nexec sh\n`,
    );
    await works(await far.start([login], { kind }));
  });

  test.each(READER_KINDS)('a terminal that echoes and translates is made raw: %s', async (kind) => {
    await works(await far.start(['script', '-qfc', 'bash --norc -i', '/dev/null'], { kind }));
  });

  test('a shell that ends is explained with its own words, with nothing that moves a cursor', async () => {
    const login = far.script(
      'nologin',
      `#!/bin/sh\nprintf '\\033]0;evil\\007This account is \\033[31mnot available\\n'\nexit 3\n`,
    );
    const error = await failure([login]);
    expect(error.message).toContain('This account is not available');
    expect(error.message).toContain('status 3');
    expect(error.message).not.toMatch(/[\x00-\x1f]/);
  });

  test('a command that does not exist is named', async () => {
    const error = await failure(['/no/such/program', '-x']);
    expect(error.message).toContain('cannot run /no/such/program');
  });

  test('one that never answers is given up, with what it said', async () => {
    const login = far.script('password', `#!/bin/sh\nprintf 'login: '\nexec sleep 100\n`);
    const error = await failure([login], { timeoutMs: 500 });
    expect(error.message).toContain('no shell answered within 0.5 s');
    expect(error.message).toContain('login:');
  });

  test('one that talks without end is given up', async () => {
    const error = await failure(['yes', 'hello hello hello hello'], { timeoutMs: 20_000 });
    expect(error.message).toContain('without end');
    expect(error.message.length).toBeLessThan(1000);
  });

  test('a far side without the reader that was asked for is told so', async () => {
    const folder = join(far.folder, 'no-perl');
    mkdirSync(folder);
    far.script('no-perl/perl', '#!/bin/sh\nexit 2\n');
    const login = far.script('no-perl-shell', `#!/bin/sh\nPATH=${folder}:$PATH exec sh\n`);
    const error = await failure([login], { kind: 'perl' });
    expect(error.message).toContain('perl does not work there');
    const reader = await far.start([login]);
    expect(reader.facts.kind).toBe('python3');
  });

  test('can be interrupted', async () => {
    const abort = new AbortController();
    const started = far.start(['sleep', '100'], { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(started).rejects.toBeInstanceOf(CancelledError);
    await expect(far.start(['sh'], { signal: abort.signal })).rejects.toBeInstanceOf(CancelledError);
  });
});

describe('sudo', () => {
  const SECRET = 'correct horse 17';

  /** A user's shell with a sudo that behaves as `rules` says: a stand-in, for these tests run as root. */
  function userShell(name: string, rules: string): string {
    const folder = join(far.folder, name);
    mkdirSync(folder);
    far.script(`${name}/id`, '#!/bin/sh\necho 1000\n');
    far.script(
      `${name}/sudo`,
      `#!/bin/sh
if [ "$1" = -n ]; then ${rules.includes('nopasswd') ? 'shift; [ "$1" != -- ] || shift; exec "$@"' : "echo 'sudo: a password is required' >&2; exit 1"}; fi
${rules.includes('tty') ? "echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1" : ''}
[ "$1 $2" = "-S -p" ] || exit 9
prompt=$3; shift 4
for try in 1 2 3; do
  printf %s "$prompt" >&2
  read -r password || exit 1
  ${rules.includes('leak') ? 'echo "you said $password" >&2' : ''}
  if [ "$password" = '${SECRET}' ]; then exec "$@"; fi
  echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1
`,
    );
    return far.script(`${name}-shell`, `#!/bin/sh\nPATH=${folder}:$PATH exec sh\n`);
  }

  function answers(...given: readonly (string | undefined)[]): { readonly ask: Ask; readonly asked: Question[] } {
    const asked: Question[] = [];
    return { asked, ask: async (question) => given[asked.push(question) - 1] };
  }

  test('without a password asks nothing', async () => {
    const { ask, asked } = answers();
    await works(await far.start([userShell('free', 'nopasswd')], { sudo: { ask } }));
    expect(asked).toEqual([]);
  });

  test.each(READER_KINDS)('with a password asks once: %s', async (kind) => {
    const { ask, asked } = answers(SECRET);
    await works(await far.start([userShell(`asks-${kind}`, '')], { sudo: { ask }, kind }));
    expect(asked.map(({ kind: secret, lines }) => [secret, lines.length])).toEqual([['secret', 0]]);
  });

  test('says that a password was wrong, and asks again', async () => {
    const { ask, asked } = answers('wrong', SECRET);
    await works(await far.start([userShell('twice', '')], { sudo: { ask } }));
    expect(asked[1]?.lines.join()).toContain('did not accept');
  });

  test('ends after three', async () => {
    const { ask, asked } = answers('one', 'two', 'three', 'four');
    const error = await failure([userShell('thrice', '')], { sudo: { ask } });
    expect(asked).toHaveLength(3);
    expect(error.message).toContain('did not accept the password');
  });

  test('that wants a terminal is explained', async () => {
    const { ask } = answers(SECRET);
    const error = await failure([userShell('wants-tty', 'tty')], { sudo: { ask } });
    expect(error.message).toContain('wants a terminal');
    expect(error.hint).toContain('requiretty');
  });

  test('when nobody answers, says what would need no answer', async () => {
    const { ask } = answers(undefined);
    const error = await failure([userShell('nobody', '')], { sudo: { ask } });
    expect(error.message).toContain('none was given');
  });

  test('keeps the password out of errors, command lines and environments', async () => {
    const { ask } = answers('hunter2 is wrong', 'hunter2 is wrong', 'hunter2 is wrong');
    const error = await failure([userShell('leaks', 'leak')], { sudo: { ask } });
    expect(error.message).toContain('you said');
    expect(`${error.message} ${error.stack} ${error.hint}`).not.toContain('hunter2');
  });
});

describe('the end', () => {
  test.each(READER_KINDS)('of its input is the end of the reader, %s', async (kind) => {
    const mark = `KDBG_TEST_MARK=alone-${kind}-${process.pid}`;
    // In a session of its own: the end of this side's process group is not the reader's.
    const reader = await far.start(['env', mark, 'setsid', '-w', 'sh'], { kind });
    await works(reader);
    reader.close();
    await eventually(() => processesOf(mark).length === 0, 5000);
    expect(processesOf(mark)).toEqual([]);
  });

  test.each(READER_KINDS)('of the reader is told, and nothing of it stays, %s', async (kind) => {
    const mark = `KDBG_TEST_MARK=killed-${kind}-${process.pid}`;
    const reader = await far.start(['env', mark, 'setsid', '-w', 'sh'], { kind });
    await works(reader);
    const gone = new Promise<string>((resolve) => {
      reader.onGone = resolve;
    });
    const pending = reader.request({ op: 'files', paths: ['/proc/kallsyms'], limit: 64 << 20 }).catch(() => undefined);
    for (const pid of reader.facts.pids) process.kill(pid, 'SIGKILL');
    expect(await gone).toMatch(/ended/);
    await pending;
    await expect(reader.request({ op: 'link', path: '/proc/1/cwd' })).rejects.toThrow(/has gone/);
    await eventually(() => processesOf(mark).length === 0, 15_000);
    expect(processesOf(mark)).toEqual([]);
  });
});

test('a channel that is closed ends the command and what it started', async () => {
  const mark = `KDBG_TEST_MARK=channel-${process.pid}`;
  const channel = openCommandChannel(['env', mark, 'sh', '-c', 'sleep 100 & sleep 100']);
  const ended = new Promise<string>((resolve) => {
    channel.listen({ onData: () => {}, onError: () => {}, onDrain: () => {}, onEnd: resolve });
  });
  await eventually(() => processesOf(mark).length >= 3, 3000);
  channel.close();
  expect(await ended).toBe('closed');
  await eventually(() => processesOf(mark).length === 0, 3000);
  expect(processesOf(mark)).toEqual([]);
});

test('no command is a mistake', () => {
  expect(() => openCommandChannel([])).toThrow(OpenError);
});
