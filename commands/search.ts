/**
 * Memory that holds a value: who points at an object, whose stack has an address, where a string lies.
 */
import { defineCommand, flag, many, option } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { type Pattern, parsePattern, searchValue } from '../src/core/command/search-pattern.ts';
import { planSearch, type SearchPlan } from '../src/core/command/search-plan.ts';
import { mebibytes, searchProgress } from '../src/core/command/search-progress.ts';
import type { SearchPiece } from '../src/core/command/search-source.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { address, integer } from '../src/core/command/target-kinds.ts';
import { taskCells, taskHeading } from '../src/core/command/task-view.ts';
import { summaryOf } from '../src/core/kernel/task-summary.ts';
import { formatAddress } from '../src/core/memory/address.ts';
import type { ScanProgress } from '../src/core/memory/scan.ts';
import { hexdumpLines } from '../src/core/output/hexdump.ts';
import { type Item, notice, row, text } from '../src/core/output/item.ts';
import { type Line, type Span, span } from '../src/core/output/line.ts';
import { formatSymbol } from '../src/core/symbols/symbol-table.ts';

/** On a live target a search that takes long says so this often. */
const PROGRESS_MS = 10_000;

export default defineCommand({
  name: 'search',
  group: 'memory',
  summary: 'find values or strings in memory',
  description: [
    'VALUE is a number in hex, a symbol (its address) or an expression; several may be given, and each word of memory that has one of them is shown. Words are 64 bits unless -w or -h says otherwise, and are looked for where they are aligned; strings (-c) anywhere.',
    "Without an option all of the kernel's memory is searched: its text and data, RAM by the direct map, vmalloc and module areas. A page of vmalloc memory is in RAM too, so what is in it shows at two addresses. On a live target RAM is searched only if it is asked for (-k, -K, -p or a range) or small.",
    'A search of a live target reads much, and while the session is recorded everything that it reads goes into the recording. A search of this machine finds what kdbg itself holds as well.',
  ],
  needs: ['memory'],
  options: {
    k: flag("all of the kernel's memory"),
    K: flag('text, data and RAM; not vmalloc and module areas'),
    V: flag('vmalloc and module areas only'),
    u: flag("the memory of the context's task"),
    p: flag('physical memory; addresses are physical'),
    t: flag('the stacks of all tasks'),
    T: flag('the stacks of the tasks that CPUs run'),
    s: option(address, 'START', 'from this address on'),
    e: option(address, 'END', 'up to this address'),
    l: option(integer, 'LENGTH', 'so many bytes from START on'),
    m: option(address, 'MASK', 'bits of a word that need not agree'),
    x: option(count, 'COUNT', 'show so many words before and after each as well'),
    c: flag('VALUE is a string'),
    w: flag('32-bit words'),
    h: flag('16-bit words'),
  },
  operands: { values: many(searchValue, 'VALUE', 'what to look for') },
  examples: [
    { line: 'search -t init_task', shows: 'the stacks that hold the address of a symbol' },
    { line: 'search -V -m ff dead000000000100', shows: 'list poison in vmalloc memory, the last byte left open' },
    { line: 'search -s init_task -l 0x1000 init_cred', shows: 'a range' },
    { line: 'search -s linux_banner -l 0x100 -c "Linux version"', shows: 'a string' },
  ],
  *run(scope, args) {
    const pattern = parsePattern(scope, args);
    const progress: ScanProgress = { done: 0, unreadable: 0 };
    const plan = planSearch(scope, args, progress);
    if (plan.remark !== undefined) yield notice(plan.remark);
    const began = scope.shell.now();
    let said = began;
    let task: bigint | undefined;
    for (const piece of plan.pieces) {
      scope.kernel.progress(progress.done, Number(plan.length));
      for (const { address: at, index } of pattern.find(piece)) {
        if (at < plan.from) continue;
        if (piece.task !== undefined && piece.task.address !== task) {
          if (task !== undefined) yield text('');
          task = piece.task.address;
          yield text(taskHeading(summaryOf(piece.task)));
        }
        yield hit(scope, plan, pattern, piece, at, index, args.x ?? 0);
      }
      if (scope.kernel.liveness === 'frozen' || scope.shell.now() - said < PROGRESS_MS) continue;
      const isFirst = said === began;
      said = scope.shell.now();
      yield notice(searchProgress(progress.done, Number(plan.length), said - began, isFirst));
    }
    yield notice(summary(plan, progress));
  },
});

function hit(
  scope: Scope,
  plan: SearchPlan,
  pattern: Pattern,
  piece: SearchPiece,
  at: bigint,
  index: number,
  around: number,
): Item {
  const value = pattern.valueAt(piece, at, index);
  const found = plan.space === 'kernel' ? scope.kernel.symbols.nearest(at) : undefined;
  const symbol =
    found === undefined ? undefined : formatSymbol(found.symbol, found.offset, offsetRadix(scope.settings));
  const { task } = piece;
  const data = {
    address: at,
    value,
    symbol: symbol ?? null,
    ...(task === undefined ? {} : taskCells(summaryOf(task))),
  };
  return row(data, () => {
    const name = pattern.names[index];
    const shown = typeof value === 'bigint' ? value.toString(16).padStart(pattern.unit * 2, '0') : value;
    const spans: Span[] = [span(formatAddress(at), { kind: 'address', address: at }, 'address'), `: ${shown}`];
    if (name !== undefined) spans.push(` (${name})`);
    if (symbol !== undefined && found !== undefined)
      spans.push('  <', span(symbol, { kind: 'symbol', name: found.symbol.name, address: found.symbol.address }), '>');
    return [spans, ...context(piece, at, pattern.unit, around)];
  });
}

/** `-x`: the words around, as far as they were read. */
function context(piece: SearchPiece, at: bigint, unit: Pattern['unit'], around: number): readonly Line[] {
  if (around === 0) return [];
  const offset = Number(at - piece.address);
  const size = Math.max(unit, 1);
  const first = Math.max(offset - around * size, 0);
  const bytes = piece.bytes.subarray(first, offset + (around + 1) * size);
  return [...hexdumpLines({ bytes, address: piece.address + BigInt(first), unit }), ''];
}

function summary(plan: SearchPlan, { done, unreadable }: ScanProgress): string {
  const missing = unreadable === 0 ? '' : `; ${mebibytes(unreadable)} of it could not be read`;
  return `searched ${plan.what}: ${mebibytes(done)}${missing}`;
}
