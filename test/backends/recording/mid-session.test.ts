import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../../src/backends/open.ts';
import { verify } from '../../../src/backends/recording/verify.ts';
import { Kernel } from '../../../src/core/kernel/kernel.ts';
import { textOf } from '../../../src/core/output/line.ts';
import { RecordedShell } from '../../../src/engine/recorded.ts';
import { EngineRecorder } from '../../../src/engine/recorder.ts';
import { Session } from '../../../src/engine/session.ts';
import { openReplay } from '../../support/replay-session.ts';
import { Folder } from './fake-backend.ts';

// A recording of a real kernel stands for that kernel: what is read of it is recorded again.
const KERNEL = resolve(import.meta.dirname, '../../../recordings/mutex-deadlock.kdbg');
const folder = new Folder();
afterAll(() => folder.remove());

function openTarget() {
  const { backend, pid, recording } = openBackend({ kind: 'replay', path: KERNEL });
  if (recording === undefined) throw new Error('no recording');
  const recorder = new EngineRecorder(backend, { tool: 'kdbg', pid, now: () => recording.now() });
  const kernel = new Kernel(recorder.backend);
  recorder.onStart = () => kernel.forgetAll();
  const session = new Session({
    kernel,
    recorder,
    pid,
    cancelled: () => false,
    notices: [],
    failures: [],
    replay: new RecordedShell(recording),
  });
  const run = (line: string): string[] | undefined => {
    const lines: string[] = [];
    for (const output of session.execute(line, { json: false, rc: false })) {
      if (output.kind === 'lines') lines.push(...output.lines.map((each) => textOf(each).trimEnd()));
      if (output.kind === 'error') return undefined;
    }
    return lines;
  };
  // What it ran that leaves nothing behind; together it takes symbols, types, ORC tables, memory and files.
  const lines = recording.commands.filter(
    ({ by, line }) => by === 'user' && /^(?:ps|bt|struct|list|log|mod|sym|dis|rd)\b/.test(line),
  );
  const commands = [...new Set(lines.map(({ line }) => line))].filter((line) => run(line) !== undefined);
  return { run, commands, session };
}

describe('a recording that starts when everything was read already', () => {
  it('holds all that its commands need', () => {
    const path = folder.file();
    const { run, commands, session } = openTarget();
    expect(commands.filter((line) => /^(?:bt|struct|list)\b/.test(line))).not.toEqual([]);
    const before = new Map(commands.map((line) => [line, run(line)]));
    run(`record start ${path}`);
    for (const line of commands) expect(run(line)).toEqual(before.get(line));
    run('record note the deadlock');
    run('record stop');
    run('ps');
    session.close();

    expect(verify(path)).toMatchObject({ ok: true });
    const replay = openReplay(path);
    // In another order than they were run, so that none leans on what another one read.
    for (const line of [...commands].reverse()) {
      const { lines, status } = replay.run(line);
      expect({ line, status, lines }).toEqual({ line, status: 0, lines: before.get(line) });
      expect(lines.join('\n')).not.toContain('not recorded');
    }
    replay.close();
  });

  it('is what forgetting gives: without it symbols and types are missing', () => {
    const path = folder.file();
    const { backend, recording } = openBackend({ kind: 'replay', path: KERNEL });
    const recorder = new EngineRecorder(backend, { tool: 'kdbg' });
    const kernel = new Kernel(recorder.backend);
    expect(kernel.symbols.count).toBeGreaterThan(10_000);
    recorder.start(path);
    recorder.begin('sym', 'user');
    expect(kernel.symbols.count).toBeGreaterThan(10_000);
    recorder.end(0);
    recorder.close();
    const replay = openReplay(path);
    expect(replay.run('sym schedule').status).not.toBe(0);
    replay.close();
    recording?.close();
  });
});
