/**
 * The vDSO of a process: what it offers, where, and its code.
 */
import { contextSummary } from '../src/core/command/context.ts';
import { defineCommand, flag, maybe } from '../src/core/command/define.ts';
import { word } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { oneTask, taskArgument } from '../src/core/command/task-kinds.ts';
import { VDSO_COLUMNS, vdsoCode, vdsoMapping, vdsoSymbol } from '../src/core/command/vdso-view.ts';
import { NotFoundError } from '../src/core/errors.ts';
import { structOf, type TaskSummary } from '../src/core/kernel/task-summary.ts';
import { vdsoOf } from '../src/core/kernel/vdso.ts';

const taskOrSymbol = { ...taskArgument, parse: word.parse };

export default defineCommand({
  name: 'vdso',
  group: 'symbols',
  summary: 'the vDSO of a process: its symbols, its code, its pages of data',
  description: [
    'The vDSO is a shared object that the kernel maps into every process: clock_gettime, getcpu and a few others that need no system call. Without a SYMBOL the mappings are listed with their pages of data, then the dynamic symbols with their addresses in the process; with one the SYMBOL is disassembled.',
    'The code is read from kernel memory, as the kernel patched it for this CPU. A 32-bit process has an image of its own, whose code is not disassembled.',
  ],
  needs: ['memory', 'symbols', 'types'],
  options: { d: flag('disassembles all functions'), i: flag('Intel syntax') },
  operands: {
    first: maybe(taskOrSymbol, 'TASK', 'a process, by PID, address or name; without one the context'),
    second: maybe(word, 'SYMBOL', 'disassembles this one'),
  },
  columns: VDSO_COLUMNS,
  examples: [
    { line: 'vdso 1', shows: 'what the vDSO of a process offers' },
    { line: 'vdso 1 __vdso_getcpu', shows: 'the code of a function of it' },
  ],
  *run(scope, { d, i, first, second }) {
    const { task, symbol } = chosen(scope, first, second);
    const vdso = vdsoOf(scope.kernel, structOf(scope.kernel, task));
    const syntax = i ? 'intel' : scope.settings.syntax;
    if (symbol !== undefined) {
      const found = vdso.symbols.filter(({ name }) => name === symbol);
      const near = vdso.symbols.map(({ name }) => name).filter((name) => name.includes(symbol));
      if (found.length === 0) throw new NotFoundError('symbol', symbol, near, `in the vDSO of task ${task.pid}`);
      yield* vdsoCode(vdso, found, scope.shell.disassembler(), syntax);
    } else if (d) {
      const functions = vdso.symbols.filter(({ type }) => type === 'function');
      yield* vdsoCode(vdso, functions, scope.shell.disassembler(), syntax);
    } else {
      for (const mapping of vdso.mappings) yield vdsoMapping(mapping, vdso);
      for (const each of vdso.symbols) yield vdsoSymbol(each, vdso);
    }
  },
});

/** A single word that is no task is a symbol of the context's vDSO. */
function chosen(
  scope: Scope,
  first: string | undefined,
  second: string | undefined,
): { readonly task: TaskSummary; readonly symbol: string | undefined } {
  if (first === undefined) return { task: contextSummary(scope), symbol: undefined };
  try {
    return { task: oneTask(first, scope.kernel), symbol: second };
  } catch (error) {
    if (!(error instanceof NotFoundError) || second !== undefined || !/^[A-Za-z_]\w*$/.test(first)) throw error;
    return { task: contextSummary(scope), symbol: first };
  }
}
