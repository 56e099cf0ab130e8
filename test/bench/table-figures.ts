/** Types and symbols: indexing a kernel's tables, and searching them as a person types. */
import { existsSync, readFileSync } from 'node:fs';
import fuzzysort from 'fuzzysort';
import { parseKallsyms } from '../../src/core/formats/kallsyms-text.ts';
import { createFuzzySearch, fuzzyNames } from '../../src/core/symbols/fuzzy-search.ts';
import { createSymbolTable } from '../../src/core/symbols/kallsyms-table.ts';
import { BtfTable } from '../../src/core/types/btf-table.ts';
import { seededRandom } from '../support/mutations.ts';
import { type Figure, figure, median, quantile, times } from './figure.ts';

const BTF = '/sys/kernel/btf/vmlinux';
const TYPED = [
  'mutlockslow',
  'vfsunl',
  'tcpv4rcv',
  'schedule_timeout',
  'doexit',
  'xfs_il',
  'e1000_clean',
  'kmemcacheal',
];

export function* tableFigures(): Iterable<Figure> {
  if (existsSync(BTF)) {
    const bytes = readFileSync(BTF);
    const size = (bytes.length / 1024 / 1024).toFixed(1);
    const index = times(9, () => void new BtfTable(bytes).find('struct', 'task_struct'));
    yield figure(`index this machine's BTF (${size} MiB) and find task_struct`, median(index), 'ms', 60);
  }
  const text = kallsyms(190_000);
  const load = times(
    7,
    () => void createSymbolTable(parseKallsyms(text).columns, { source: 'bench' }).find('schedule'),
  );
  yield figure('index kallsyms of 190,000 symbols and find one', median(load), 'ms', 150);

  const table = createSymbolTable(parseKallsyms(kallsyms(200_000)).columns, { source: 'bench' });
  const search = createFuzzySearch(fuzzysort, fuzzyNames(table));
  const strokes: number[] = [];
  for (const word of [...TYPED, ...TYPED]) {
    for (let length = 1; length <= word.length; length++) {
      const started = performance.now();
      search.find(word.slice(0, length), 100);
      strokes.push(performance.now() - started);
    }
  }
  // The first half warms up.
  yield figure(
    'fuzzy search of 200,000 symbols, p95 of a keystroke',
    quantile(strokes.slice(strokes.length / 2), 0.95),
    'ms',
    16,
  );
}

const PARTS = `tcp udp vfs xfs ext4 nfs sched rcu mutex spin lock unlock slow path alloc free page slab kmem cache init
  exit read write open close sys do get put dev net skb recv send queue work timer irq handle probe remove e1000 clean
  ring map unmap pci usb hid drm i915 amdgpu kvm vmx trace perf event bpf prog file inode dentry super block bio req`
  .trim()
  .split(/\s+/);

/** Text such as /proc/kallsyms gives, of names built as the kernel builds them. */
function kallsyms(count: number): Uint8Array {
  const random = seededRandom(7);
  const part = (): string => PARTS[Math.floor(random() * PARTS.length)] as string;
  const lines = ['ffffffff81000000 T _text', 'ffffffff81000040 T schedule'];
  for (let i = lines.length; i < count; i++) {
    const name = Array.from({ length: 2 + Math.floor(random() * 4) }, part).join('_');
    const module = i > count * 0.8 ? `\t[${part()}_${part()}]` : '';
    lines.push(
      `${(0xffffffff81000000n + BigInt(i) * 64n).toString(16)} ${i % 3 === 0 ? 't' : 'T'} ${name}_${i % 97}${module}`,
    );
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}
