/**
 * Trees: red-black trees, xarrays (radix trees) and maple trees.
 */
import { defineCommand, flag, maybe, option } from '../src/core/command/define.ts';
import { ENTRY_OPTIONS, type EntryArgs, entryItem } from '../src/core/command/entry-view.ts';
import { choice } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { address, offset } from '../src/core/command/target-kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { walkMapleNodes } from '../src/core/kernel/mapletree.ts';
import { walkRbtree, walkRbtreeFrom } from '../src/core/kernel/rbtree.ts';
import { walkXarray } from '../src/core/kernel/xarray.ts';
import { formatAddress, formatHex } from '../src/core/memory/address.ts';
import { type Item, row } from '../src/core/output/item.ts';

const TYPES = ['rb', 'ra', 'x', 'm', 'rbtree', 'radix', 'xarray', 'maple'] as const;

export default defineCommand({
  name: 'tree',
  group: 'types',
  summary: 'walk a red-black tree, an xarray or radix tree, or a maple tree',
  description: [
    'START is the address of the root: a struct rb_root, xarray, radix_tree_root or maple_tree; with -r it is that of a structure that contains the root. Entries come in order: of their keys in a red-black tree, of their indices in the others.',
    'In a red-black tree -o says where the rb_node is in each structure; the addresses shown are the structures.',
  ],
  needs: ['memory', 'types'],
  options: {
    ...ENTRY_OPTIONS,
    t: option(choice(...TYPES), 'TYPE', 'rb, x (or ra for radix trees) or m; rb unless given'),
    r: option(offset, 'OFFSET', 'START is a structure with the root at this offset'),
    o: option(offset, 'OFFSET', 'where the rb_node is in each structure'),
    N: option(address, 'NODE', 'start at this rb_node instead of a root'),
    l: flag('in order (always so here; crash asks for it)'),
    p: flag('show the position of each entry in the tree, and its index'),
    v: flag('maple trees: show the nodes and ranges as well'),
  },
  operands: { start: maybe(address, 'START', 'the root') },
  examples: [
    {
      line: 'tree -t rb -o hrtimer.node -s hrtimer.function (&hrtimer_bases:0.clock_base[0].active)',
      shows: 'the timers of CPU 0 on the monotonic clock, with their functions',
    },
    { line: 'tree -t x -p (&init_pid_ns.idr.idr_rt)', shows: 'the struct pid of every PID, with its index' },
  ],
  *run(scope, args) {
    const { t = 'rb', N, start, r = 0, o = 0 } = args;
    if ((start === undefined) === (N === undefined)) throw new UsageError('tree wants a START, or a node with -N');
    const root = (start ?? 0n) + BigInt(r);
    const common: TreeArgs = args;
    if (t.startsWith('rb')) {
      const nodes = N === undefined ? walkRbtree(scope.kernel, root) : walkRbtreeFrom(scope.kernel, N);
      for (const node of nodes) {
        const at = node.address - BigInt(o);
        yield entryItem(
          scope,
          common,
          at,
          common.p ? { position: node.position } : {},
          common.p ? `  position: ${node.position}` : undefined,
        );
      }
      return;
    }
    if (N !== undefined) throw new UsageError('-N goes with red-black trees');
    yield* t.startsWith('m') ? maple(scope, common, root) : xarray(scope, common, root);
  },
});

interface TreeArgs extends EntryArgs {
  readonly p: boolean;
  readonly v: boolean;
}

function* xarray(scope: Scope, args: TreeArgs, root: bigint): Iterable<Item> {
  for (const entry of walkXarray(scope.kernel, root)) {
    scope.check();
    const extra = { index: entry.index, ...(args.p ? { position: entry.position } : {}) };
    const note = args.p ? `  index: ${entry.index}  position: ${entry.position}` : undefined;
    if (entry.kind === 'value') yield valueItem(entry.value as bigint, extra, note);
    else yield entryItem(scope, args, entry.entry, extra, note);
  }
}

function* maple(scope: Scope, args: TreeArgs, root: bigint): Iterable<Item> {
  for (const item of walkMapleNodes(scope.kernel, root)) {
    scope.check();
    const range = `${formatHex(item.first).slice(2)}-${formatHex(item.last).slice(2)}`;
    if (item.kind === 'node') {
      if (!args.v) continue;
      const data = { node: item.address, first: item.first, last: item.last, depth: item.depth, type: item.type };
      yield row(data, () => [`${range}: node ${formatAddress(item.address)} depth ${item.depth} type ${item.type}`]);
      continue;
    }
    const extra = { first: item.first, last: item.last, ...(args.p ? { position: item.position } : {}) };
    const note = args.p ? `  range: ${range}  position: ${item.position}` : args.v ? `  range: ${range}` : undefined;
    if (item.value !== undefined) yield valueItem(item.value, extra, note);
    else yield entryItem(scope, args, item.entry, extra, note);
  }
}

/** A value entry holds an integer and no address. */
function valueItem(value: bigint, extra: Readonly<Record<string, bigint | string>>, note: string | undefined): Item {
  return row({ value, ...extra }, () => [`value ${formatHex(value)}`, ...(note === undefined ? [] : [note])]);
}
