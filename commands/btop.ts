import { defineCommand, some } from '../src/core/command/define.ts';
import { address } from '../src/core/command/target-kinds.ts';
import { row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'btop',
  group: 'memory',
  summary: 'bytes to page numbers',
  operands: { addresses: some(address, 'ADDRESS', 'a physical address, in hex') },
  examples: [{ line: 'btop 512a000', shows: 'the page frame number' }],
  *run(_scope, { addresses }) {
    for (const value of addresses) {
      const pfn = value >> 12n;
      yield row({ address: value, pfn }, () => [`${value.toString(16)}: ${pfn.toString(16)}`]);
    }
  },
});
