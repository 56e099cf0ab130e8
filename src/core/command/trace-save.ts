/**
 * kdbg's own trace as a file of trace-cmd: the pages of its buffer as the kernel wrote them, with what it takes to read
 * them. Of a trace that was stopped, those that were taken along.
 */
import { UsageError } from '../errors.ts';
import { encodeTraceDat } from '../formats/trace-dat-write.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { controlOf } from '../kernel/trace-control.ts';
import { ownDirectory, ownTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import { readTraceState, readTraceStats } from '../kernel/trace-state.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { uts } from '../kernel/uts.ts';
import { encodeText } from '../memory/text.ts';
import { type Item, notice, row } from '../output/item.ts';
import { isTextType } from '../symbols/symbol-table.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { keptPages } from './trace-buffer.ts';
import { entriesHeld, type TakenTrace, takeTrace } from './trace-pages.ts';

export function* traceSave(scope: Scope, { words }: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const [path, ...more] = words;
  if (path === undefined || more.length > 0) throw new UsageError('trace save wants one FILE');
  const kept = ownTrace(kernel) === undefined ? keptPages(kernel) : undefined;
  if (kept === undefined) {
    yield* saveRunning(scope, path);
    return;
  }
  if (typeof kept === 'string') {
    throw new UsageError(`of the trace that was stopped only its text is left: ${kept}`, {
      hint: '"trace save" before "trace stop" saves all',
    });
  }
  yield* write(scope, path, kept);
}

/** What is in the buffer now; it goes on recording afterwards. */
function* saveRunning(scope: Scope, path: string): Iterable<Item> {
  const { kernel, shell } = scope;
  const { trace, directory } = ownDirectory(kernel);
  const fs = tracefs(kernel);
  const { isOn } = readTraceState(fs, trace.instance);
  switchOwnTrace(kernel, false);
  try {
    const { cpus } = readTraceStats(fs, trace.instance);
    if (entriesHeld(cpus) === 0) {
      throw new UsageError('the buffer is empty: nothing can be saved', { hint: '"trace stat" counts what is in it' });
    }
    // That it cannot be written is told before anything is taken out.
    shell.checkWritable(path);
    yield* write(scope, path, takeTrace(scope, trace.instance, cpus));
    yield notice(`they are out of the buffer now: "trace open ${path}" shows them, as "trace-cmd report" does`);
  } finally {
    // Reads nothing, so that it goes on recording also after Ctrl-C.
    if (isOn) controlOf(kernel).apply([{ kind: 'write', path: `${directory}/tracing_on`, text: '1' }]);
  }
}

function* write({ kernel, shell }: Scope, path: string, { entries, missing, parts }: TakenTrace): Iterable<Item> {
  const { release, version, machine } = uts(kernel);
  const bytes = encodeTraceDat({
    ...parts,
    kallsyms: kallsymsOf(kernel),
    uname: `Linux ${release} ${version} ${machine}`,
    tool: 'kdbg',
  });
  shell.writeFile(path, bytes);
  yield row({ file: path, bytes: bytes.length, entries }, () => [`saved ${entries} entries to ${path}`]);
  if (missing > 0) yield notice(`${missing} entries more are counted, which the kernel did not give`);
}

/** The kernel's functions as /proc/kallsyms has them. */
function kallsymsOf(kernel: Kernel): Uint8Array {
  const lines: string[] = [];
  for (const { address, type, name, module } of kernel.symbols.symbols()) {
    if (!isTextType(type)) continue;
    lines.push(
      `${address.toString(16).padStart(16, '0')} ${type} ${name}${module === undefined ? '' : `\t[${module}]`}\n`,
    );
  }
  return encodeText(lines.join(''));
}
