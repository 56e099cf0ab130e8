import { defineCommand, some } from '../src/core/command/define.ts';
import { address } from '../src/core/command/target-kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'ptob',
  group: 'memory',
  summary: 'page numbers to bytes',
  operands: { pages: some(address, 'PFN', 'a page frame number, in hex') },
  examples: [{ line: 'ptob 512a', shows: 'the physical address of the page' }],
  *run(_scope, { pages }) {
    for (const pfn of pages) {
      if (pfn >= 1n << 52n) throw new UsageError(`${pfn.toString(16)} is no page frame number: too large`);
      yield row({ pfn, address: pfn << 12n }, () => [`${pfn.toString(16)}: ${(pfn << 12n).toString(16)}`]);
    }
  },
});
