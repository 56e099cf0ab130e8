/**
 * /proc/modules: `NAME SIZE REFERENCES USERS STATE ADDRESS [TAINTS]`, one module a line. Addresses are zero for readers
 * who may not know them.
 */
import { parseHex } from '../memory/address.ts';
import { decodeText } from '../memory/text.ts';
import type { Module, ModuleState } from './module.ts';

const STATES: Readonly<Record<string, ModuleState>> = { Live: 'live', Loading: 'loading', Unloading: 'unloading' };
const LINE = /^(\S{1,64}) (\d{1,10}) (\d{1,10}|-) (\S+) (\w+) 0x([0-9a-f]{1,16})(?: \((\w*)[-+]?\))?$/;

/** The modules in the file's order, newest first; lines of another form are passed over. */
export function parseProcModules(bytes: Uint8Array): readonly Module[] {
  const found: Module[] = [];
  for (const line of decodeText(bytes).split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, name = '', size, references, users = '-', state = '', address = '', taints = ''] = match;
    const usedBy = users === '-' ? [] : users.split(',').filter((user) => user !== '');
    const base = parseHex(address) ?? 0n;
    found.push({
      address: undefined,
      name,
      state: STATES[state] ?? 'live',
      base: base === 0n ? undefined : base,
      size: Number(size),
      regions: [],
      references: references === '-' ? undefined : Number(references),
      usedBy: usedBy.filter((user) => user !== '[permanent]'),
      permanent: usedBy.includes('[permanent]'),
      taints,
    });
  }
  return found;
}
