/**
 * The buffer that everybody shares, borrowed: what only the top directory of tracefs has (set_graph_function,
 * max_graph_depth) can be had nowhere else. It is borrowed only while nobody uses it, every
 * setting is read before it is changed, and what puts it back is told to the target's side before the first change.
 *
 * One thing stays: a buffer that nobody ever used takes the room of "expanded" in buffer_size_kb at its first trace, and
 * the kernel has no way back.
 */
import { UnsupportedError, UsageError } from '../errors.ts';
import type { ControlStep } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { applySteps, controlOf, refused } from './trace-control.ts';
import { ownTrace } from './trace-own.ts';
import { readTraceState, readTraceStats } from './trace-state.ts';
import { type Tracefs, tracefs } from './tracefs.ts';

/** A file of the top directory and what it is set to. */
export interface SharedSetting {
  readonly file: string;
  readonly text: string;
  /** It holds a list that was empty, and is emptied again. */
  readonly isList?: true;
}

/** Of a setting's text. */
const SETTING_MAX = 4096;

/** Sets what is asked for, in order. Throws UsageError where somebody uses the buffer, UnsupportedError, BackendError. */
export class SharedBuffer {
  readonly #kernel: Kernel;
  readonly #undo: readonly ControlStep[];

  constructor(kernel: Kernel, settings: readonly SharedSetting[]) {
    const control = controlOf(kernel);
    const fs = tracefs(kernel);
    checkUnused(fs);
    this.#kernel = kernel;
    this.#undo = undoSteps(fs, settings);
    control.restore([...this.#undo, ...(ownTrace(kernel)?.undo ?? [])]);
    try {
      applySteps(
        control,
        settings.map(({ file, text, isList }) => ({
          kind: isList ? 'append' : 'write',
          path: `${fs.root}/${file}`,
          text,
        })),
      );
    } catch (error) {
      this.giveBack();
      throw error;
    }
  }

  /** Stops recording; what is in the buffer can be read until it is given back. */
  hold(): void {
    const path = `${tracefs(this.#kernel).root}/tracing_on`;
    applySteps(controlOf(this.#kernel), [{ kind: 'write', path, text: '0' }]);
  }

  /** Puts everything back; reads nothing, so that it works when the user pressed Ctrl-C. */
  giveBack(): void {
    const control = controlOf(this.#kernel);
    const failures = this.#undo.map((step) => control.apply([step]));
    const first = failures.find((failure) => failure !== undefined);
    if (first !== undefined) throw refused(first);
    control.restore(ownTrace(this.#kernel)?.undo ?? []);
  }
}

/** The names among these that the top directory has. */
export function sharedFiles(fs: Tracefs, names: readonly string[]): readonly string[] {
  const there = fs.texts(
    names.map((name) => `${fs.root}/${name}`),
    SETTING_MAX,
  );
  return names.filter((_, i) => there[i] !== undefined);
}

/** What somebody has set or not yet read must not be lost. */
function checkUnused(fs: Tracefs): void {
  const { tracer, events, filters } = readTraceState(fs, undefined);
  const entries = readTraceStats(fs, undefined).cpus.reduce((sum, each) => sum + each.entries, 0);
  const why =
    tracer !== 'nop'
      ? `its tracer is ${tracer}`
      : events.length > 0
        ? `${events.length} events are on in it`
        : filters.size > 0
          ? `${[...filters.keys()].join(', ')} are set in it`
          : entries > 0
            ? `${entries} entries are in it, and would be lost`
            : undefined;
  if (why === undefined) return;
  throw new UsageError(`the shared buffer is in use: ${why}`, {
    hint: '"trace" shows what; kdbg borrows it only while nobody has it',
  });
}

/** The last change is undone first; nothing is recorded meanwhile. */
function undoSteps(fs: Tracefs, settings: readonly SharedSetting[]): readonly ControlStep[] {
  const kept = settings.filter(({ isList }) => isList !== true);
  const before = fs.texts(
    kept.map(({ file }) => `${fs.root}/${file}`),
    SETTING_MAX,
  );
  const write = (file: string, text: string): ControlStep => ({ kind: 'write', path: `${fs.root}/${file}`, text });
  const restored = new Map<string, string>();
  for (const [i, { file }] of kept.entries()) {
    const text = before[i];
    if (text === undefined) throw new UnsupportedError(`${fs.root}/${file} cannot be read, and so not be put back`);
    // The first reading counts; trace_clock marks the clock that is chosen.
    if (!restored.has(file)) restored.set(file, /\[(\S+)\]/.exec(text)?.[1] ?? text.trim());
  }
  const isOn = restored.get('tracing_on') ?? '1';
  restored.delete('tracing_on');
  const lists = new Set(settings.flatMap(({ file, isList }) => (isList ? [file] : [])));
  return [
    write('tracing_on', '0'),
    ...[...restored].reverse().map(([file, text]) => write(file, text)),
    ...[...lists].map((file) => write(file, '')),
    write('trace', ''),
    write('tracing_on', isOn),
  ];
}
