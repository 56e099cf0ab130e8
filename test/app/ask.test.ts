/** Questions on a terminal, as a person meets them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';

let folder: string;
let program: string;
let terminal: PseudoTerminal | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kdbg-ask-'));
  program = join(folder, 'ask-program.mjs');
  const entry = join(import.meta.dirname, 'ask-program.ts');
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile: program });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => terminal?.kill());

function start(file: string, args: readonly string[]): PseudoTerminal {
  const { CI: _, ...env } = process.env as Record<string, string>;
  terminal = openPseudoTerminal(file, args, { cwd: folder, env, columns: 60 });
  return terminal;
}

async function answerAll({ type, endsWith }: PseudoTerminal): Promise<void> {
  await endsWith('Trust it?');
  type('yes\r');
  await endsWith('Passphrase:');
  type('hunter2\r');
  await endsWith('Code:');
  type('123\r');
}

const SEEN = [
  'The host is new.',
  'evil\\x1b[2J',
  'Trust it? yes',
  'Passphrase:',
  'Last one.',
  'Code: 123',
  'answers: yes, hunter2, 123',
];

describe('a question', () => {
  it('is put on the terminal, one after the other, and a secret is not shown', async () => {
    const session = start(process.execPath, [program]);
    await answerAll(session);
    expect((await session.exited).exitCode).toBe(0);
    expect(await session.until(() => true)).toEqual(SEEN);
    expect(session.screen.isPasteBracketed).toBe(false);
  });

  it('finds the terminal where the standard streams are others', async () => {
    const session = start('sh', ['-c', `echo piped | "${process.execPath}" "${program}" 2>err.txt | cat`]);
    await answerAll(session);
    await session.exited;
    expect(await session.until(() => true)).toEqual(SEEN);
  });

  it('may be left with Ctrl-C and Ctrl-D', async () => {
    const session = start(process.execPath, [program]);
    await session.endsWith('Trust it?');
    session.type('y\x03');
    await session.endsWith('Passphrase:');
    session.type('x\x03');
    await session.endsWith('Code:');
    session.type('\x04');
    expect((await session.until((rows) => rows.at(-1)?.startsWith('answers') === true)).at(-1)).toBe(
      'answers: none, none, none',
    );
  });

  it('gives the terminal back as it was', async () => {
    const session = start('sh', [
      '-c',
      `"${process.execPath}" "${program}" && stty -a | grep -o '[-]*icanon' && sleep 60`,
    ]);
    await answerAll(session);
    await session.endsWith('icanon');
    session.type('\x03');
    expect(await session.exited).toMatchObject({ signal: 2 });
  });

  it('has no answer where there is no terminal', () => {
    const { stdout } = spawnSync('setsid', [process.execPath, program], { input: 'yes\nhunter2\n', encoding: 'utf8' });
    expect(stdout).toBe('answers: none, none, none\n');
  });

  it('goes through the prompt, and has no answer while that reads a line', async () => {
    const session = start(process.execPath, [program, 'prompt']);
    await answerAll(session);
    await session.endsWith('kdbg>');
    session.type('ps\r');
    await session.exited;
    const rows = await session.until(() => true);
    expect(rows.slice(0, SEEN.length)).toEqual(SEEN);
    expect(rows).toContain('while reading: none');
    expect(rows.at(-1)).toBe('line: ps');
  });
});
