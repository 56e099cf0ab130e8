import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LINE_MAX } from '../../../src/app/prompt/editor-state.ts';
import { escapeEntry, HISTORY_MAX, memoryHistory, remember, unescapeEntry } from '../../../src/app/prompt/history.ts';
import { historyPath, openHistory } from '../../../src/app/prompt/history-file.ts';

describe('which lines are kept', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['each', ['ps', 'bt'], ['ps', 'bt']],
    ['repeated lines once', ['ps', 'ps', 'bt', 'ps'], ['ps', 'bt', 'ps']],
    ['no line that begins with a blank', ['ps', ' secret', '\tx', 'ps'], ['ps']],
    ['no empty line', ['', 'ps', '\n'], ['ps']],
    ['no line without bound', ['x'.repeat(LINE_MAX + 1)], []],
  ])('%s', (_, lines, expected) => {
    expect(lines.reduce<readonly string[]>(remember, [])).toEqual(expected);
    expect(memoryHistory(lines).entries).toEqual(expected);
  });

  it('the newest, up to the bound', () => {
    const lines = Array.from({ length: HISTORY_MAX + 5 }, (_, i) => `bt ${i}`);
    const history = memoryHistory(lines);
    expect([history.entries.length, history.entries[0]]).toEqual([HISTORY_MAX, 'bt 5']);
    history.add('last');
    expect([history.entries.length, history.entries[0], history.entries.at(-1)]).toEqual([HISTORY_MAX, 'bt 6', 'last']);
  });
});

describe('entries as lines of a file', () => {
  it.each([
    ['ps', 'ps'],
    ['a\nb', 'a\\nb'],
    ['a\\nb', 'a\\\\nb'],
    ['\x1b[A\x7f\x9b', '\\x1b[A\\x7f\\x9b'],
    ['é\ud800', 'é\\ud800'],
  ])('%j', (entry, line) => {
    expect(escapeEntry(entry)).toBe(line);
    expect(unescapeEntry(line)).toBe(entry);
  });

  it('come back for any text, through UTF-8', () => {
    const units = fc
      .array(fc.oneof(fc.nat(0xffff), fc.constantFrom(92, 110, 120, 10, 13, 0x9b)))
      .map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, (entry) => {
        const line = escapeEntry(entry);
        expect(line).not.toMatch(/[\n\r\x00-\x1f]/);
        expect(unescapeEntry(Buffer.from(line, 'utf8').toString('utf8'))).toBe(entry);
      }),
      { numRuns: 2000 },
    );
  });

  it('a backslash that begins no escape stands for itself', () => {
    expect(unescapeEntry('grep \\d\\x1')).toBe('grep \\d\\x1');
  });
});

describe('the history file', () => {
  let home = '';
  let path = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kdbg-history-'));
    path = historyPath({ HOME: home });
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const fileLines = () => readFileSync(path, 'utf8').trimEnd().split('\n');
  const write = (content: string | Uint8Array) => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  };

  it('lies in the state directory', () => {
    expect(path).toBe(join(home, '.local/state/kdbg/history'));
    expect(historyPath({ HOME: home, XDG_STATE_HOME: '/srv/state' })).toBe('/srv/state/kdbg/history');
    expect(historyPath({ HOME: home, XDG_STATE_HOME: 'relative' })).toBe(path);
  });

  it('survives, with mode 0600 in a directory of mode 0700', () => {
    const history = openHistory(path);
    for (const line of ['ps UN', 'bt 1', 'bt 1', ' not me', 'a\nb']) history.add(line);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    expect(fileLines()).toEqual(['ps UN', 'bt 1', 'a\\nb']);
    expect(openHistory(path).entries).toEqual(['ps UN', 'bt 1', 'a\nb']);
  });

  it('takes back permissions of others', () => {
    write('ps\n');
    chmodSync(path, 0o644);
    openHistory(path).add('bt');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps what two sessions add, and both see it at the next start', () => {
    const [a, b] = [openHistory(path), openHistory(path)];
    a.add('from a');
    b.add('from b');
    a.add('a again');
    expect(a.entries).toEqual(['from a', 'a again']);
    expect(openHistory(path).entries).toEqual(['from a', 'from b', 'a again']);
  });

  it('mends a line that was cut short', () => {
    write('ps\nbt 1');
    const history = openHistory(path);
    history.add('sym');
    expect(fileLines()).toEqual(['ps', 'bt 1', 'sym']);
  });

  it('is cut to the newest entries when it has grown too long, and keeps a link in its place', () => {
    write('');
    const real = join(home, 'real');
    rmSync(path);
    writeFileSync(real, Array.from({ length: HISTORY_MAX + 3000 }, (_, i) => `bt ${i}\n`).join(''));
    symlinkSync(real, path);
    const history = openHistory(path);
    expect(history.entries.length).toBe(HISTORY_MAX);
    expect(fileLines().length).toBe(HISTORY_MAX);
    expect(fileLines()[0]).toBe('bt 3000');
    expect(statSync(real).mode & 0o777).toBe(0o600);
    history.add('ps');
    expect(readFileSync(real, 'utf8').endsWith('\nps\n')).toBe(true);
    expect(readdirSync(home).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('loses no line of sessions that append while another cuts it', async () => {
    const script = join(home, 'appender.mjs');
    await build({
      stdin: {
        contents: `import { openHistory } from './history-file.ts';
          const [path, name, starts] = process.argv.slice(2);
          for (let start = 0; start < Number(starts); start++) {
            const history = openHistory(path);
            for (let i = 0; i < 40; i++) history.add(name + ' ' + start + ' ' + i);
          }`,
        resolveDir: join(import.meta.dirname, '../../../src/app/prompt'),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
    });
    // Old lines far beyond the bound: whoever opens first cuts the file, while the others append.
    write(Array.from({ length: HISTORY_MAX + 9000 }, (_, i) => `old ${i}\n`).join(''));
    const run = (name: string) =>
      new Promise<number | null>((done) => spawn(process.execPath, [script, path, name, '3']).on('exit', done));
    expect(await Promise.all(['a', 'b', 'c'].map(run))).toEqual([0, 0, 0]);
    const lines = new Set(fileLines());
    for (const name of ['a', 'b', 'c']) {
      for (let start = 0; start < 3; start++) {
        for (let i = 0; i < 40; i++) expect(lines.has(`${name} ${start} ${i}`), `${name} ${start} ${i}`).toBe(true);
      }
    }
    expect(lines.size).toBeLessThan(HISTORY_MAX + 2500);
  });

  it.each<[string, () => void]>([
    ['a directory in its place', () => mkdirSync(path, { recursive: true })],
    ['a file in the place of the directory', () => writeFileSync(join(home, '.local'), '')],
    [
      'a link that loops',
      () => {
        mkdirSync(join(path, '..'), { recursive: true });
        symlinkSync(path, path);
      },
    ],
    [
      'a named pipe',
      () => {
        mkdirSync(join(path, '..'), { recursive: true });
        execFileSync('mkfifo', [path]);
      },
    ],
  ])('does without: %s', (_, spoil) => {
    spoil();
    const troubles: string[] = [];
    const history = openHistory(path, (message) => troubles.push(message));
    expect(history.entries).toEqual([]);
    history.add('ps');
    history.add('bt');
    expect(history.entries).toEqual(['ps', 'bt']);
    expect(troubles.length).toBe(1);
    expect(troubles[0]).toContain(path);
  });

  it('can be switched off by a link to /dev/null', () => {
    mkdirSync(join(path, '..'), { recursive: true });
    symlinkSync('/dev/null', path);
    const troubles: string[] = [];
    const history = openHistory(path, (message) => troubles.push(message));
    history.add('ps');
    expect([history.entries, troubles]).toEqual([['ps'], []]);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('reads any bytes as some history, in bounded time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        write(bytes);
        const { entries } = openHistory(path);
        expect(entries.every((entry) => entry.trim() !== '' && entry.length <= LINE_MAX)).toBe(true);
      }),
      { numRuns: 200 },
    );
    write(Buffer.alloc(20 * 1024 * 1024, 'x'));
    appendFileSync(path, '\nps\n');
    expect(openHistory(path).entries.at(-1)).toBe('ps');
    expect(existsSync(`${path}.new`)).toBe(false);
  });
});
