/** Command lines on a fake kernel, in this thread: what a user sees, and the rows as JSON. */
import { complete } from '../../src/core/command/complete.ts';
import type { Shell } from '../../src/core/command/scope.ts';
import type { Kernel } from '../../src/core/kernel/kernel.ts';
import { textOf } from '../../src/core/output/line.ts';
import { Session } from '../../src/engine/session.ts';
import type { SessionRecorder } from '../../src/engine/session-options.ts';
import type { FakeKernel, FakeKernelOptions } from './fake-kernel.ts';

export const NOT_RECORDING: SessionRecorder = {
  path: undefined,
  status: () => undefined,
  start: () => undefined,
  stop: () => undefined,
  note: () => undefined,
  begin: () => undefined,
  output: () => undefined,
  end: () => undefined,
  close: () => undefined,
};

export interface Answer {
  readonly status: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly notices: readonly string[];
  readonly error?: string;
}

export interface FakeSession {
  readonly kernel: Kernel;
  readonly shell: Shell;
  /** The lines that the command prints, its errors too; as it prints them for a pane. */
  lines(line: string, mode?: { readonly pane: boolean }): readonly string[];
  json(line: string): Answer;
  /** What completes the line: each candidate with what explains it. */
  completions(line: string): readonly string[];
}

/** A session whose context is the task with this PID. */
export function fakeSession(
  fake: FakeKernel,
  options: FakeKernelOptions & { readonly pid?: number; readonly recorder?: SessionRecorder } = {},
): FakeSession {
  const notices: string[] = [];
  const cancelled = options.cancelled ?? (() => false);
  const kernel = fake.kernel({ ...options, notice: (text) => notices.push(text) });
  const session = new Session({
    kernel,
    recorder: options.recorder ?? NOT_RECORDING,
    pid: options.pid ?? 1,
    cancelled,
    notices,
    failures: [],
    replay: undefined,
  });
  return {
    kernel,
    shell: session.shell,
    lines(line, mode) {
      const lines: string[] = [];
      for (const output of session.execute(line, { json: false, rc: false, ...mode })) {
        if (output.kind === 'lines') lines.push(...output.lines.map(textOf));
        if (output.kind === 'error') lines.push(...output.lines);
      }
      return lines.map((each) => each.trimEnd());
    },
    json(line) {
      for (const output of session.execute(line, { json: true, rc: false })) {
        if (output.kind === 'json') return JSON.parse(output.line) as Answer;
      }
      throw new Error(`no answer to ${line}`);
    },
    completions: (line) =>
      complete(line, line.length, session.scope()).candidates.map(({ text, detail }) => `${text} ${detail ?? ''}`),
  };
}
