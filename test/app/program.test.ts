/** The built program in batch runs: statuses, what goes to stdout and what to stderr, pipes, files, signals. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { buildProgram, type Ended, type Program } from '../support/program.ts';

let program: Program;
beforeAll(() => {
  const session = [
    { line: 'eval 5', output: ['hexadecimal: 5'] },
    { line: 'sym fn_1', output: ['ffffffff81000080 (T) fn_1'] },
  ];
  program = buildProgram({ symbols: 200_000, session });
});
afterAll(() => program.remove());
afterEach(() => rmSync(rc(), { force: true }));

const rc = (): string => join(program.folder, 'home/.config/kdbg/rc');
const replay = (...args: string[]): Promise<Ended> => program.run(['replay', program.recording, ...args]);

describe('what the program is asked for', () => {
  it('tells its version and its help', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await program.run(['--version'])).toMatchObject({ status: 0, stdout: `kdbg ${version}\n`, stderr: '' });
    const help = await program.run(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    for (const word of ['local', 'replay', '--json', '--record', '-c', '-i', '--no-rc'])
      expect(help.stdout).toContain(word);
  });

  test.each<[string[], number, RegExp]>([
    [['nosuch'], 2, /^kdbg: there is no target "nosuch"/],
    [['--nosuch'], 2, /^kdbg: unknown option '--nosuch'/],
    [['replay'], 2, /^kdbg: missing required argument 'recording'/],
    [['-c'], 2, /^kdbg: option '-c <commands>' argument missing/],
    [['replay', '/nowhere.kdbg'], 3, /^kdbg: .*\/nowhere\.kdbg.*no such file/],
    [['replay', import.meta.filename], 3, /^kdbg: .*program\.test\.ts/],
    [['-i', '/nowhere'], 2, /^kdbg: cannot read \/nowhere: no such file\n$/],
    [['-i', '/'], 2, /^kdbg: cannot read \/: it is a directory\n$/],
  ])('%j ends with %i', async (args, status, message) => {
    const ended = await program.run(args);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(ended).toMatchObject({ status, stdout: '' });
  });
});

describe('a batch run', () => {
  it('runs all commands, tells failures on stderr, and ends with the worst status', async () => {
    expect(await replay('-c', 'eval 1; nosuch', '-c', 'eval 2')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/hexadecimal: 1[\s\S]*hexadecimal: 2/),
      stderr: 'kdbg: no command "nosuch"\n',
    });
    const wrong = await replay('-c', 'eval 2 + )');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr.split('\n').slice(0, 2)).toEqual(['  eval 2 + )', '           ^']);
    expect(wrong.stderr.split('\n')[2]).toMatch(/^kdbg: .*; usage: eval/);
    expect((await replay('-c', 'eval 1; exit 7; eval 2')).status).toBe(7);
    expect((await replay('-c', 'nosuch; exit')).status).toBe(1);
  });

  it('reads commands from a file and from standard input', async () => {
    const path = join(program.folder, 'commands');
    writeFileSync(path, '# two\neval 1\nnosuch\n');
    const ended = await replay('-i', path, '-c', 'eval 2');
    expect(ended.stdout).toMatch(/hexadecimal: 1[\s\S]*hexadecimal: 2/);
    expect(ended).toMatchObject({ status: 1, stderr: `kdbg: ${path}:3: no command "nosuch"\n` });
    const piped = await program.run(['replay', program.recording], { input: 'eval 3\neval 4' });
    expect(piped.stdout).toMatch(/hexadecimal: 3[\s\S]*hexadecimal: 4/);
    const local = await program.run([], { input: '' });
    expect(local).toMatchObject({ status: 0, stdout: '' });
  });

  it('shows the recorded session when nothing is asked', async () => {
    const { stdout, status } = await program.run(['replay', program.recording], { input: '' });
    expect(stdout.split('\n')).toEqual([
      'kdbg> eval 5',
      'hexadecimal: 5',
      'kdbg> sym fn_1',
      'ffffffff81000080 (T) fn_1',
      '',
    ]);
    expect(status).toBe(0);
  });

  it('answers in lines of JSON, and nothing else is on stdout', async () => {
    writeFileSync(rc(), 'eval 9\nset timing on\n!echo from the shell\n');
    const ended = await replay('--json', '-c', 'eval 1; nosuch; sym fn_7', '-c', '!echo shell', '-c', 'exit');
    const lines = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ command, status }) => [command, status])).toEqual([
      ['eval 1', 0],
      ['nosuch', 1],
      ['sym fn_7', 0],
      ['exit', 0],
    ]);
    expect(lines[1]).toMatchObject({ rows: [], notices: [], error: 'no command "nosuch"' });
    expect(lines[2].rows[0]).toMatchObject({ name: 'fn_7', address: '0xffffffff81000200' });
    expect(ended.stderr).toContain('from the shell');
    expect(ended.stderr).toContain('hexadecimal: 9');
  });

  it('writes to files and pipes', async () => {
    const file = join(program.folder, 'out');
    expect((await replay('-c', `eval 1 > ${file}; eval 2 >> ${file}; eval 3 | tr a-f A-F`)).stdout).toContain(
      'hExADECimAl: 3',
    );
    expect(readFileSync(file, 'utf8')).toMatch(/hexadecimal: 1[\s\S]*hexadecimal: 2/);
    const unwritable = await replay('-c', 'eval 1 > /nowhere/x; eval 2 > /dev/full; eval 3');
    expect(unwritable.stderr).toBe(
      'kdbg: cannot write the output: no such file\nkdbg: cannot write the output: no space is left\n',
    );
    expect(unwritable).toMatchObject({ status: 1, stdout: expect.stringContaining('hexadecimal: 3') });
  });

  it('shows what a command cost beside its output', async () => {
    const file = join(program.folder, 'timed');
    const { stderr } = await replay('-c', `set timing on; eval 1 > ${file}`);
    expect(stderr).toMatch(/round trips, \d+ KiB, \d\.\d{3} s/);
    expect(readFileSync(file, 'utf8')).not.toContain('round trip');
  });

  it('records', async () => {
    const file = join(program.folder, 'made.kdbg');
    expect(await replay('--record', file, '-c', 'sym fn_3; nosuch')).toMatchObject({ status: 1 });
    const again = await program.run(['replay', file], { input: '' });
    expect(again.stdout).toContain('kdbg> sym fn_3\nffffffff81000100 (T) fn_3\nkdbg> nosuch\nno command "nosuch"');
    const refused = await replay('--record', '/nowhere/x.kdbg', '-c', 'eval 1');
    expect(refused).toMatchObject({ status: 3, stdout: '', stderr: expect.stringContaining('/nowhere/x.kdbg') });
  });
});

describe('a reader that goes away', () => {
  it('ends its own command quickly and quietly, and no other', async () => {
    const started = performance.now();
    const ended = await replay('-c', 'sym -l | head -2; eval 5');
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout.split('\n').slice(0, 3)).toEqual([
      expect.stringContaining('_text'),
      expect.stringContaining('fn_0'),
      'hexadecimal: 5',
    ]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('ends the program with 0', async () => {
    const ended = await program.shell(`kdbg replay small.kdbg -c 'sym -l' | head -1; kdbg --help | head -1`);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    const status = await program.shell(`{ kdbg replay small.kdbg -c 'sym -l'; echo "status $?" >&2; } | head -1`);
    expect(status.stderr).toBe('status 0\n');
  });

  it('that is slow keeps the program small', async () => {
    const script = join(program.folder, 'slow.sh');
    const parent = 'p=$PPID; grep -q "^sh$" /proc/$p/comm && p=$(cut -d" " -f4 /proc/$p/stat)';
    writeFileSync(script, `${parent}; sleep 0.5; grep VmHWM /proc/$p/status >&2; wc -l\n`);
    const ended = await replay('-c', `sym -l | sh ${script}`);
    expect(Number(ended.stdout)).toBe(200_003);
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(ended.stderr)?.[1] ?? 0);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(400 * 1024);
  });
});

describe('signals', () => {
  /** Sends the signal once a command has printed: then it runs. */
  const sendOnce = (signal: NodeJS.Signals, input = '') => {
    return (child: ChildProcess): void => {
      child.stdin?.write(input);
      const onData = (data: Buffer): void => {
        if (!String(data).includes('binary:')) return;
        child.stdout?.off('data', onData);
        child.kill(signal);
      };
      child.stdout?.on('data', onData);
    };
  };

  it('Ctrl-C stops the command, keeps its rows and runs nothing more', async () => {
    const args = ['replay', program.recording, '-c', 'repeat -n 100 -s 1 eval 1', '-c', 'eval 2'];
    const ended = await program.run(args, { during: sendOnce('SIGINT') });
    expect(ended).toMatchObject({ status: 130, stderr: 'kdbg: interrupted\n' });
    expect(ended.stdout).toContain('hexadecimal: 1');
    expect(ended.stdout).not.toContain('hexadecimal: 2');
  });

  it('Ctrl-C ends the wait for standard input', async () => {
    const ended = await program.run(['replay', program.recording], { during: sendOnce('SIGINT', 'eval 1\n') });
    expect(ended).toMatchObject({ status: 130, stderr: '' });
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('%s completes the recording', async (signal) => {
    const file = join(program.folder, `${signal}.kdbg`);
    const args = ['replay', program.recording, '--record', file, '-c', 'sym fn_9; repeat -n 100 -s 1 eval 1'];
    const ended = await program.run(args, { during: sendOnce(signal) });
    expect(ended.status).toBe(signal === 'SIGTERM' ? 143 : 129);
    const again = await program.run(['replay', file], { input: '' });
    expect(again.stderr).toBe('');
    expect(again.stdout).toContain('kdbg> sym fn_9');
  });
});

describe('the rc file', () => {
  it('runs first, and its failures are told with their line', async () => {
    writeFileSync(rc(), '# mine\nalias two "eval 2"\n\nnosuch\nset radix 7\nalias three "eval 3; eval 33"\n');
    const ended = await replay('-c', 'two; three; alias two');
    expect(ended.stderr.split('\n')).toEqual([
      `kdbg: ${rc()}:4: no command "nosuch"`,
      expect.stringMatching(/^kdbg: .*\/rc:5: radix is auto, 10, 16, not "7"/),
      '',
    ]);
    expect(ended.stdout).toMatch(/hexadecimal: 2[\s\S]*hexadecimal: 3[\s\S]*hexadecimal: 21[\s\S]*rc +two/);
    expect(ended.status).toBe(0);
    expect((await replay('--no-rc', '-c', 'two')).status).toBe(1);
  });

  it('is read where XDG_CONFIG_HOME says', async () => {
    const config = join(program.folder, 'home/.config');
    writeFileSync(rc(), 'alias two "eval 2"\n');
    const env = { XDG_CONFIG_HOME: config, HOME: '/nowhere' };
    const ended = await program.run(['replay', program.recording, '-c', 'two'], { env });
    expect(ended.status).toBe(0);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['binary', new Uint8Array([...Buffer.from('eval 1\n'), 0, 1, 2]), /rc:2: not a text file/],
    ['huge', 'eval 1\n'.repeat(300_000), /rc is too large/],
    ['of nothing but mistakes', 'nosuch\n'.repeat(1_000), /too many errors/],
  ])('that is %s is told in few lines and spoils nothing', async (_what, text, message) => {
    writeFileSync(rc(), text);
    const ended = await replay('-c', 'eval 4');
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr.split('\n').length).toBeLessThan(30);
    expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('hexadecimal: 4') });
  });

  it('may be anything', async () => {
    const rows = fc.sample(fc.array(fc.string({ maxLength: 60 }), { maxLength: 50 }), 4);
    for (const lines of rows) {
      writeFileSync(rc(), lines.join('\n').replaceAll(/[!|<>]|exit|\bq\b/gi, ''));
      const ended = await replay('-c', 'eval 4');
      expect(ended.stderr).not.toContain('internal error');
      expect(ended).toMatchObject({ status: 0, stdout: expect.stringContaining('hexadecimal: 4') });
    }
  });
});

it('leaves no file of its own behind', () => {
  expect(existsSync(join(program.folder, 'home/.local/state/kdbg/history'))).toBe(false);
});
