/**
 * The recordings that the project carries: whole, small, and when their session is run again on what they recorded it
 * prints what it printed then.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRecording } from '../src/backends/recording/replay.ts';
import { verify } from '../src/backends/recording/verify.ts';
import { openReplay } from './support/replay-session.ts';

const RECORDINGS = resolve(import.meta.dirname, '../recordings');
const SIZE_MAX = 4 * 1024 * 1024;

/** The one line that must differ: a replay says that it is one. */
const masked = (line: string): string => line.replace(/^( *TARGET: ).*/, '$1');

const names = readdirSync(RECORDINGS).filter((name) => name.endsWith('.kdbg'));

test('there are recordings', () => {
  expect(names).toContain('mutex-deadlock.kdbg');
});

describe.each(names)('%s', (name) => {
  const path = join(RECORDINGS, name);

  test('is small and whole', () => {
    expect(statSync(path).size).toBeLessThanOrEqual(SIZE_MAX);
    expect(verify(path)).toMatchObject({ ok: true });
  });

  test('gives the recorded output when its commands run again', () => {
    const recording = openRecording(path);
    const session = openReplay(path);
    for (const command of recording.commands) {
      if (command.by === 'rc' || /^(record|exit|status|history)\b/.test(command.line)) continue;
      const again = session.run(command.line);
      const recorded = recording.output(command.epoch)?.map((line) => line.trimEnd());
      expect([command.line, ...again.lines.map(masked)]).toEqual([command.line, ...(recorded ?? []).map(masked)]);
    }
    session.close();
    recording.close();
  });
});
