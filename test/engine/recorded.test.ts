/** Where a replay answers from: the line's own moment, where the user stands, or the end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRecording, type Recording } from '../../src/backends/recording/replay.ts';
import { RecordedShell } from '../../src/engine/recorded.ts';
import { writeSmallRecording } from '../support/small-recording.ts';

let folder: string;
let recording: Recording;
let shell: RecordedShell;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kdbg-recorded-'));
  const lines = ['ps', 'bt 1', 'ps', 'record note look', 'sys'];
  const session = lines.map((line, i) => ({ line, output: [`output ${i}`] }));
  writeSmallRecording(join(folder, 'small.kdbg'), { session });
  recording = openRecording(join(folder, 'small.kdbg'));
});
afterAll(() => {
  recording.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  shell = new RecordedShell(recording);
});

/** The epoch that a line is answered from. */
function answeredFrom(line: string, by: 'user' | 'pane' = 'user'): number {
  shell.begin(line, by);
  return recording.position;
}

describe('a replay', () => {
  it('answers from the end what was not typed, and each run of a line by its turn', () => {
    expect(answeredFrom('mod')).toBe(5);
    expect([answeredFrom('ps'), answeredFrom('ps'), answeredFrom('ps')]).toEqual([1, 3, 1]);
  });

  it('leaves out the commands that notes were made by', () => {
    expect(shell.lines.map(({ text }) => text)).toEqual(['ps', 'bt 1', 'ps', 'sys']);
    expect(shell.output(3)).toEqual(['output 4']);
    expect(shell.lines[0]).toMatchObject({ kind: 'command', status: 0, printed: 1 });
  });

  it('answers from where the user stands, panes too', () => {
    shell.goTo(2);
    expect([answeredFrom('mod'), answeredFrom('mod', 'pane')]).toEqual([2, 2]);
    // The line that one stands at, and from there on.
    expect([answeredFrom('bt 1'), answeredFrom('ps')]).toEqual([2, 3]);
    expect(answeredFrom('mod')).toBe(2);
    shell.goTo(0);
    expect([answeredFrom('mod'), answeredFrom('ps')]).toEqual([0, 1]);
    shell.goTo(undefined);
    expect(answeredFrom('mod')).toBe(5);
  });
});
