/**
 * Trees: red-black trees, xarrays (radix trees) and maple trees.
 */
import { defineCommand, flag, maybe, option } from '../src/core/command/define.ts';
import { ENTRY_OPTIONS, type EntryArgs, entriesAhead, entryItem } from '../src/core/command/entry-view.ts';
import { choice } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { address, offset } from '../src/core/command/target-kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { walkIda, walkIdr } from '../src/core/kernel/idr.ts';
import { type MapleEntry, type MapleNode, walkMapleNodes } from '../src/core/kernel/mapletree.ts';
import { type TreeNode, walkRbtree, walkRbtreeFrom } from '../src/core/kernel/rbtree.ts';
import { walkXarray, walkXarrayFrom, type XarrayEntry } from '../src/core/kernel/xarray.ts';
import { formatAddress, formatHex } from '../src/core/memory/address.ts';
import { type Item, row } from '../src/core/output/item.ts';

const TYPES = ['rb', 'ra', 'x', 'm', 'idr', 'ida', 'rbtree', 'radix', 'xarray', 'maple'] as const;

export default defineCommand({
  name: 'tree',
  group: 'types',
  summary: 'walk a red-black tree, an xarray or radix tree, a maple tree, an IDR or IDA',
  description: [
    'START is the address of the root: a struct rb_root, xarray, radix_tree_root, maple_tree, idr or ida; with -r it is that of a structure that contains the root. Entries come in order: of their keys in a red-black tree, of their indices in the others.',
    'In a red-black tree -o says where the rb_node is in each structure; the addresses shown are the structures.',
    'A damaged part is left out, the rest is shown, and the error at the end says what is wrong where.',
  ],
  needs: ['memory', 'types'],
  options: {
    ...ENTRY_OPTIONS,
    t: option(choice(...TYPES), 'TYPE', 'rb, x (or ra for radix trees), m, idr or ida; rb unless given'),
    r: option(offset, 'OFFSET', 'START is a structure with the root at this offset'),
    o: option(offset, 'OFFSET', 'where the rb_node is in each structure'),
    N: option(address, 'NODE', 'start at this rb_node or xa_node instead of a root'),
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
    { line: 'tree -t idr -p init_pid_ns.idr', shows: 'the struct pid of every PID, with its index' },
  ],
  *run(scope, args) {
    const { t = 'rb', N, start, r = 0, o = 0 } = args;
    if ((start === undefined) === (N === undefined)) throw new UsageError('tree wants a START, or a node with -N');
    const root = (start ?? 0n) + BigInt(r);
    const common: TreeArgs = args;
    const { kernel } = scope;
    const limit = { limit: scope.settings.walk_max };
    if (t.startsWith('rb')) {
      const nodes = N === undefined ? walkRbtree(kernel, root, limit) : walkRbtreeFrom(kernel, N, limit);
      yield* rbtree(scope, common, nodes, BigInt(o));
      return;
    }
    if (N !== undefined && !/^(x|ra)/.test(t)) throw new UsageError('-N goes with red-black trees and xarrays');
    if (t.startsWith('m')) yield* maple(scope, common, root);
    else if (t === 'ida') yield* ida(scope, root);
    else if (t === 'idr') yield* xarray(scope, common, walkIdr(kernel, root, limit));
    else
      yield* xarray(
        scope,
        common,
        N === undefined ? walkXarray(kernel, root, limit) : walkXarrayFrom(kernel, N, limit),
      );
  },
});

interface TreeArgs extends EntryArgs {
  readonly p: boolean;
  readonly v: boolean;
}

function* rbtree(scope: Scope, args: TreeArgs, nodes: Iterator<TreeNode, void>, offset: bigint): Iterable<Item> {
  const structure = (node: TreeNode): bigint => BigInt.asUintN(64, node.address - offset);
  for (const node of entriesAhead(scope, args, nodes, structure)) {
    const { position } = node;
    const note = args.p ? `  position: ${position}` : undefined;
    yield entryItem(scope, args, structure(node), args.p ? { position } : {}, note);
  }
}

function* xarray(scope: Scope, args: TreeArgs, entries: Iterator<XarrayEntry, void>): Iterable<Item> {
  for (const entry of entriesAhead(scope, args, entries, (each) => (each.kind === 'value' ? undefined : each.entry))) {
    const { index, last, position } = entry;
    const extra = { index, ...(last > index ? { last } : {}), ...(args.p ? { position } : {}) };
    const note = args.p ? `  index: ${index}${last > index ? `-${last}` : ''}  position: ${position}` : undefined;
    if (entry.kind === 'value') yield valueItem(entry.value as bigint, extra, note);
    else yield entryItem(scope, args, entry.entry, extra, note);
  }
}

function* ida(scope: Scope, root: bigint): Iterable<Item> {
  for (const id of walkIda(scope.kernel, root, { limit: scope.settings.walk_max })) {
    scope.check();
    yield row({ id: Number(id) }, () => [`${id}`]);
  }
}

function* maple(scope: Scope, args: TreeArgs, root: bigint): Iterable<Item> {
  const items = walkMapleNodes(scope.kernel, root, { limit: scope.settings.walk_max });
  const pointer = (item: MapleEntry | MapleNode): bigint | undefined =>
    item.kind === 'entry' && item.value === undefined ? item.entry : undefined;
  for (const item of entriesAhead(scope, args, items, pointer)) {
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
