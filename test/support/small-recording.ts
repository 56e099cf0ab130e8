/** A recording made of nothing but a symbol table, types and a session: what tests of the program replay. */
import { recordBackend } from '../../src/backends/recording/record.ts';
import { createRecording } from '../../src/backends/recording/writer.ts';
import type { Backend, FileResult } from '../../src/core/memory/backend.ts';
import { btf } from './btf-builder.ts';

const TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct task_struct { int pid; char comm[16]; struct list_head tasks; };
  struct task_struct *first_task;
`;

export interface SmallRecording {
  /** Functions besides the few that are always there: fn_0, fn_1, ... */
  readonly symbols?: number;
  /** The session: what was run and what it printed. */
  readonly session?: readonly { readonly line: string; readonly output: readonly string[] }[];
}

/** Writes it to `path`, which must not exist. */
export function writeSmallRecording(path: string, { symbols = 100, session = [] }: SmallRecording = {}): void {
  const files = new Map<string, Uint8Array>([
    ['/proc/kallsyms', Buffer.from(kallsyms(symbols))],
    ['/sys/kernel/btf/vmlinux', btf(TYPES).bytes],
  ]);
  const read = (name: string): FileResult => {
    const bytes = files.get(name);
    if (bytes !== undefined) return { ok: true, bytes, truncated: false };
    return { ok: false, failure: { path: name, reason: 'absent', detail: `${name}: no such file` } };
  };
  const inner: Backend = {
    name: 'test',
    liveness: 'frozen',
    files: {
      read,
      readMany: (paths) => paths.map(read),
      list: (name) => ({ ok: false, failure: { path: name, reason: 'absent', detail: `${name}: no such directory` } }),
    },
    counters: { roundTrips: 0, bytes: 0 },
    capabilities: () => [],
    close: () => undefined,
  };
  const writer = createRecording(path, {
    header: {
      tool: 'kdbg test',
      target: { name: 'test', liveness: 'frozen', serves: ['files'], pid: 1 },
      kernel: { release: '6.1.0-test', version: undefined, arch: 'x86_64', buildId: undefined, bootId: undefined },
      userData: false,
    },
  });
  const backend = recordBackend(inner, () => writer);
  writer.capabilities(inner.capabilities());
  for (const name of files.keys()) backend.files?.read(name);
  for (const { line, output } of session) {
    writer.command(line, 'user');
    writer.output(output);
    writer.end(0);
  }
  writer.close();
}

function kallsyms(count: number): string {
  const address = (i: number): string => (0xffffffff81000000n + BigInt(i) * 64n).toString(16);
  const functions = Array.from({ length: count }, (_, i) => `${address(i + 1)} T fn_${i}`);
  const data = ['ffffffff82000000 D jiffies_test', 'ffffffff82000040 D first_task'];
  return `${[`${address(0)} T _text`, ...functions, ...data].join('\n')}\n`;
}
