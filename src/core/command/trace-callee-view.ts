/** Functions with how often they were called, how long they took and what they returned, as a table. */
import { type Column, decimalColumn, textColumn } from '../output/columns.ts';
import { type Item, type Row, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { returnedText } from './trace-call-view.ts';
import { type CalleeNode, selfTime } from './trace-callee-tree.ts';
import { functionRef } from './trace-view.ts';

/** A row a node. What was returned is a column only where the kernel told it. */
export function* calleeItems(scope: Scope, nodes: readonly CalleeNode[]): Iterable<Item> {
  const { returned, ...others } = calleeColumns(scope);
  const columns = nodes.some((node) => node.returned.size > 0) ? { ...others, returned } : others;
  for (const node of nodes) yield row(cells(node), columns);
}

function cells(node: CalleeNode): Row {
  const { count, unfinished, total, longest, depth, returned } = node;
  return {
    function: node.function.name,
    module: node.function.module ?? null,
    depth,
    count,
    unfinished,
    total: microseconds(total),
    self: microseconds(selfTime(node)),
    longest: microseconds(longest),
    returned: [...returned].map(([value, times]) => ({ value, count: times })),
  };
}

function microseconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1000;
}

type Returned = readonly { readonly value: string; readonly count: number }[];

function calleeColumns({
  kernel,
}: Scope): Readonly<Record<'count' | 'total' | 'self' | 'longest' | 'function' | 'returned', Column>> {
  const time = (title: string, doc: string): Column => ({
    ...decimalColumn(title, doc, { width: 12 }),
    text: (value) => (value as number).toFixed(3),
  });
  return {
    count: decimalColumn('COUNT', 'how often it was called this way', { width: 8 }),
    total: time('TOTAL us', 'all its finished calls together, in microseconds'),
    self: time('SELF us', 'of that, what its own code took'),
    longest: time('LONGEST us', 'the longest of its calls'),
    function: {
      ...textColumn('FUNCTION', 'the function, below the one that calls it', { tone: 'symbol' }),
      text: (value, { depth }) => `${'  '.repeat(depth as number)}${value}`,
      ref: (value, { module }) =>
        functionRef(kernel, { name: value as string, ...(module ? { module: module as string } : {}) }),
    },
    returned: {
      ...textColumn('RETURNED', 'what it returned, with how often, where the kernel tells'),
      text: (value) =>
        (value as Returned)
          .map(({ value: each, count }) => `${returnedText(each)}${count > 1 ? ` x${count}` : ''}`)
          .join(', '),
    },
  };
}
