/** The terminal prompt on streams that pretend to be a terminal: what cannot be provoked in a real one. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryHistory } from '../../../src/app/prompt/history.ts';
import { openPrompt } from '../../../src/app/prompt/open-prompt.ts';
import type { LineHelp } from '../../../src/app/prompt/prompt.ts';
import { openScreen } from './screen.ts';

beforeEach(
  () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true, advanceTimeDelta: 2 }),
);
afterEach(() => void vi.useRealTimers());

/** Lets streams and promises go as far as they can. */
const settle = async () => {
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
};

function onTerminal(columns?: number) {
  let raw = false;
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => (raw = mode) });
  const output = Object.assign(new PassThrough(), {
    isTTY: true,
    ...(columns === undefined ? {} : { columns, rows: 24 }),
  });
  const kills: unknown[] = [];
  const host = Object.assign(new EventEmitter(), { pid: 7, kill: (...args: unknown[]) => kills.push(args) });
  const history = memoryHistory(['ps', 'bt 1']);
  const screen = openScreen(columns ?? 80, 24);
  output.on('data', (data) => void screen.write(String(data)));
  const prompt = openPrompt({
    input,
    output,
    host,
    history,
    env: { TERM: 'xterm' },
    onInterrupt: () => kills.push('^C'),
  });
  const type = async (keys: string) => {
    input.write(keys);
    await settle();
    await screen.write('');
  };
  return { input, output, host, history, prompt, screen, type, kills, isRaw: () => raw };
}

function reading(help: LineHelp = {}, columns?: number) {
  const all = onTerminal(columns);
  const answers: (string | undefined)[] = [];
  void (async () => {
    for (;;) {
      const line = await all.prompt.readLine('kdbg> ', help);
      answers.push(line);
      if (line === undefined) return;
    }
  })();
  return { ...all, answers };
}

describe('questions to the owner', () => {
  const never = () => new Promise<never>(() => {});

  it('shows why a completion failed', async () => {
    const { type, screen } = reading({ complete: () => Promise.reject(new Error('no symbols \x1b[2J')) });
    await type('sym v\t');
    expect(screen.rows()).toEqual(['kdbg> sym v', 'completion failed: no symbols \\x1b[2J']);
    await type('x');
    expect(screen.rows()).toEqual(['kdbg> sym vx']);
  });

  it('gives up a completion that takes too long, and lets the keys behind it go on', async () => {
    let signal: AbortSignal | undefined;
    const complete: LineHelp['complete'] = (_, __, given) => {
      signal = given;
      return never();
    };
    const { type, screen, answers } = reading({ complete });
    await type('v\tfs');
    expect(screen.rows()).toEqual(['kdbg> v']);
    vi.advanceTimersByTime(3000);
    await settle();
    await type('_\r');
    expect(answers).toEqual(['vfs_']);
    expect(signal?.aborted).toBe(true);
  });

  it('gives it up at once on Escape, and on Ctrl-C with the line', async () => {
    const { type, screen, answers } = reading({ complete: never });
    await type('v\tx');
    await type('\x1b[27u');
    expect(screen.rows()).toEqual(['kdbg> vx']);
    await type('\ty\rz\x03');
    expect(screen.rows()).toEqual(['kdbg> vxy', '    > z^C', 'kdbg>']);
    expect(answers).toEqual([]);
  });

  it('ignores an answer that comes after it was given up', async () => {
    let answer = (_: { start: number; end: number; candidates: { text: string }[] }) => {};
    const complete: LineHelp['complete'] = () => new Promise((resolve) => (answer = resolve));
    const { type, screen } = reading({ complete });
    await type('v\t\x1b[27u');
    answer({ start: 0, end: 1, candidates: [{ text: 'vfs' }] });
    await type('!');
    expect(screen.rows()).toEqual(['kdbg> v!']);
  });

  it('survives a check that fails', async () => {
    const check: LineHelp['check'] = (line) => {
      throw new Error(`cannot parse ${line}`);
    };
    const { type, screen, answers } = reading({ check });
    await type('ps\r');
    expect(screen.rows()).toEqual(['kdbg> ps', 'the check failed: cannot parse ps']);
    await type('\r');
    expect(answers).toEqual(['ps']);
  });

  it('waits for a check, and accepts a line that it was warned of', async () => {
    const check: LineHelp['check'] = async (line) =>
      line === 'zz' ? { column: 0, message: 'no command "zz"' } : undefined;
    const { type, screen, answers } = reading({ check });
    await type('ps\rzz\r');
    expect(answers).toEqual(['ps']);
    expect(screen.rows()).toEqual(['kdbg> ps', 'kdbg> zz', '      ^ no command "zz"']);
    await type('\r');
    expect(answers).toEqual(['ps', 'zz']);
  });
});

describe('the terminal as it may be', () => {
  it('is taken for 80 columns when it does not tell', async () => {
    const { type, screen } = reading();
    await type('x'.repeat(80));
    expect(screen.rows()).toEqual([`kdbg> ${'x'.repeat(74)}`, 'x'.repeat(6)]);
  });

  it('redraws after a resize without an answer about the cursor', async () => {
    const { type, screen, output } = reading({}, 40);
    await type('bt 1 2 3');
    screen.resize(20, 24);
    Object.assign(output, { columns: 20 });
    output.emit('resize');
    await type(' 4');
    expect(screen.rows()).toEqual(['kdbg> bt 1 2 3']);
    vi.advanceTimersByTime(300);
    await settle();
    await type(' 5');
    expect(screen.rows()).toEqual(['kdbg> bt 1 2 3 4 5']);
  });

  it('takes an answer about the cursor only when it has asked', async () => {
    const { type, output, answers } = reading({}, 40);
    await type('a');
    output.emit('resize');
    await type('\x1b[1;2Rb\x1b[1;2R\r');
    expect(answers).toEqual(['ab']);
  });

  it('ends the input when it breaks', async () => {
    const { type, output, answers, prompt } = reading();
    await type('half');
    output.emit('error', new Error('EIO'));
    await settle();
    expect(answers).toEqual([undefined]);
    expect(await prompt.readLine('')).toBeUndefined();
    expect(await prompt.readSecret('')).toBeUndefined();
  });
});

describe('the process', () => {
  it('leaves raw mode on a fatal signal, and dies of it only when nobody else handles it', async () => {
    const { host, kills, isRaw } = reading();
    expect(isRaw()).toBe(true);
    const other = vi.fn();
    host.on('SIGTERM', other);
    host.emit('SIGTERM', 'SIGTERM');
    expect([isRaw(), other.mock.calls.length, kills]).toEqual([false, 1, []]);
    host.off('SIGTERM', other);
    host.emit('SIGTERM', 'SIGTERM');
    expect(kills).toEqual([[7, 'SIGTERM']]);
  });

  it('takes SIGINT for Ctrl-C', async () => {
    const { host, prompt, kills, type, screen } = onTerminal();
    host.emit('SIGINT');
    expect(kills).toEqual(['^C']);
    void prompt.readLine('kdbg> ');
    await type('half');
    host.emit('SIGINT');
    await type('');
    expect(screen.rows()).toEqual(['kdbg> half^C', 'kdbg>']);
  });

  it('is left as it was found', async () => {
    const { host, input, output, prompt, answers, isRaw, screen } = reading();
    const before = (emitter: EventEmitter) =>
      emitter.eventNames().filter((name) => !['data', 'end'].includes(String(name)));
    prompt.close();
    await settle();
    expect(answers).toEqual([undefined]);
    expect(host.eventNames()).toEqual([]);
    expect(before(input).includes('error')).toBe(false);
    expect(output.listenerCount('resize')).toBe(0);
    expect(isRaw()).toBe(false);
    expect(screen.isPasteBracketed).toBe(false);
  });

  it('refuses a second reader', async () => {
    const { prompt } = reading();
    await expect(prompt.readLine('x')).rejects.toThrow('already reading');
    await expect(prompt.readSecret('x')).rejects.toThrow('already reading');
  });
});
