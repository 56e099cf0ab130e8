/**
 * Transcripts: what a user types and sees, in test/transcripts/<recording>/<topic>.txt, replayed on the recording of
 * that name. A line that begins with `kdbg> ` is typed and must succeed; one with `kdbg! ` must fail, its status
 * follows in parentheses. What it printed follows, to the next such line. Lines that begin with `## ` are prose.
 * UPDATE=1 writes the files anew from what is printed now: read the difference before it is committed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../commands/index.ts';
import { openReplay, type ReplaySession } from './support/replay-session.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TRANSCRIPTS = join(ROOT, 'test/transcripts');

interface Step {
  readonly prose: readonly string[];
  readonly line: string;
  readonly fails: boolean;
  readonly printed: readonly string[];
}

function parse(text: string): readonly Step[] {
  const steps: { prose: string[]; line: string; fails: boolean; printed: string[] }[] = [];
  let prose: string[] = [];
  for (const line of text.replace(/\n+$/, '').split('\n')) {
    const typed = /^kdbg([>!]) (.*)$/.exec(line);
    if (typed !== null) {
      const fails = typed[1] === '!';
      steps.push({
        prose,
        line: fails ? (typed[2] as string).replace(/ \(\d+\)$/, '') : (typed[2] as string),
        fails,
        printed: [],
      });
      prose = [];
    } else if (line.startsWith('## ') || (steps.length === 0 && line === '')) prose.push(line);
    else steps.at(-1)?.printed.push(line);
  }
  return steps;
}

function show(steps: readonly Step[], session: ReplaySession): string {
  const lines: string[] = [];
  for (const step of steps) {
    const { lines: printed, status } = session.run(step.line);
    lines.push(...step.prose, status === 0 ? `kdbg> ${step.line}` : `kdbg! ${step.line} (${status})`, ...printed);
  }
  return `${lines.join('\n')}\n`;
}

const recordings = existsSync(TRANSCRIPTS) ? readdirSync(TRANSCRIPTS) : [];

describe.each(recordings)('%s', (recording) => {
  const path = join('recordings', `${recording}.kdbg`);
  const topics = readdirSync(join(TRANSCRIPTS, recording)).filter((name) => name.endsWith('.txt'));

  test.each(topics)('%s', (topic) => {
    const file = join(TRANSCRIPTS, recording, topic);
    const text = readFileSync(file, 'utf8');
    const session = openReplay(join(ROOT, path));
    const now = show(parse(text), session).replaceAll(ROOT, '.');
    session.close();
    if (process.env['UPDATE'] === '1') writeFileSync(file, now);
    else expect(now).toBe(text);
  });

  test('no step ends with an internal error', () => {
    for (const topic of topics) {
      expect(readFileSync(join(TRANSCRIPTS, recording, topic), 'utf8')).not.toMatch(
        /internal error|^kdbg! .* \(70\)$/m,
      );
    }
  });
});

test('every documented example is in a transcript, and so every command', () => {
  const typed = new Set(
    recordings.flatMap((recording) =>
      readdirSync(join(TRANSCRIPTS, recording)).flatMap((topic) =>
        parse(readFileSync(join(TRANSCRIPTS, recording, topic), 'utf8')).map((step) => step.line),
      ),
    ),
  );
  const missing = commands
    .flatMap((command) => command.examples.map((each) => each.line))
    .filter((line) => !typed.has(line));
  expect(missing).toEqual([]);
});
