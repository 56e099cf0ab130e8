import { describe, expect, it } from 'vitest';
import { DataError, UnsupportedError } from '../../../src/core/errors.ts';
import { parseBtf } from '../../../src/core/formats/btf.ts';
import { BTF_KIND } from '../../../src/core/formats/btf-kind.ts';
import { btf } from '../../support/btf-builder.ts';
import { BtfWriter } from '../../support/btf-writer.ts';

const LIST = 'struct list_head { struct list_head *next, *prev; };';

describe('a BTF blob', () => {
  it('is indexed by id and by name', () => {
    const parsed = parseBtf(
      btf(`${LIST} typedef unsigned int u32; int list_empty(const struct list_head *head);`).bytes,
    );
    const [id] = parsed.named('list_head');
    expect(parsed.kind(id!)).toBe(BTF_KIND.struct);
    expect(parsed.record(id!)).toMatchObject({ name: 'list_head', size: 16, vlen: 2, flag: false });
    expect(parsed.named('u32').map((own) => parsed.kind(own))).toEqual([BTF_KIND.typedef]);
    expect(parsed.named('list_empty').map((own) => parsed.kind(own))).toEqual([BTF_KIND.func]);
    expect(parsed.named('list_hea')).toEqual([]);
    expect(parsed.named('')).toEqual([]);
    expect(parsed.warnings).toEqual([]);
  });

  it('gives every record of one name, in order', () => {
    const writer = new BtfWriter();
    const first = writer.compound('struct', 'twice', 4, []);
    writer.compound('struct', 'other', 4, []);
    const second = writer.compound('struct', 'twice', 8, []);
    expect(parseBtf(writer.bytes()).named('twice')).toEqual([first, second]);
  });

  it('need not start on a 4-byte boundary', () => {
    const { bytes } = btf(LIST);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(parseBtf(shifted.subarray(1)).named('list_head')).toHaveLength(1);
  });

  it('continues its base: ids, strings and references', () => {
    const vmlinux = btf(`${LIST} typedef unsigned int u32;`);
    const module = btf('struct inode_info { struct list_head open; u32 flags; };', { base: vmlinux });
    const base = parseBtf(vmlinux.bytes);
    const split = parseBtf(module.bytes, { base, name: 'nfs' });
    expect(split.firstId).toBe(base.endId);
    const [id] = split.named('inode_info');
    const record = split.record(id!);
    expect([record.nameAt(0), record.nameAt(3)]).toEqual(['open', 'flags']);
    expect(split.record(record.word(1)).name).toBe('list_head');
    expect(split.named('list_head')).toEqual([]);
  });

  it('has 24-bit counts: more than 65,535 enumerators in one enum', () => {
    const constants = Array.from({ length: 70_000 }, (_, i) => `C${i}`).join(',');
    const parsed = parseBtf(btf(`enum big { ${constants} };`).bytes);
    const [id] = parsed.named('big');
    expect(parsed.record(id!).vlen).toBe(70_000);
    expect(parsed.record(id!).nameAt(69_999 * 2)).toBe('C69999');
  });

  it('ends at a record of an unknown kind, and says so', () => {
    const writer = new BtfWriter();
    writer.int('int', 4);
    writer.add({ kind: 20, name: 'later' });
    writer.int('char', 1);
    const parsed = parseBtf(writer.bytes());
    expect(parsed.endId).toBe(2);
    expect(parsed.warnings).toEqual([
      'BTF of vmlinux: record 2 is of unknown kind 20; it and the records after it are left out',
    ]);
    expect(() => parsed.record(2)).toThrow('refers to type 2, which does not exist');
  });

  it('passes over kinds of a later time that its own layout section describes', () => {
    const writer = new BtfWriter();
    writer.int('int', 4);
    writer.add({ kind: 21, name: 'later', vlen: 3, words: [7, 1, 2, 3] });
    const last = writer.int('char', 1);
    const layout = Array.from({ length: 22 }, (_, kind) => (kind === 21 ? ([4, 4] as const) : ([0, 0] as const)));
    const parsed = parseBtf(writer.bytes({ layout }));
    expect(parsed.warnings).toEqual([]);
    expect(parsed.record(last).name).toBe('char');
  });

  it('ends at a record that does not fit', () => {
    const writer = new BtfWriter();
    writer.int('int', 4);
    writer.add({ kind: BTF_KIND.struct, name: 'huge', size: 8, vlen: 0xffffff });
    const parsed = parseBtf(writer.bytes());
    expect(parsed.endId).toBe(2);
    expect(parsed.warnings[0]).toContain('record 2 does not fit');
  });
});

describe('what is not a BTF blob', () => {
  const { bytes } = btf(LIST);
  const changed = (at: number, value: number) => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(at, value, true);
    return copy;
  };

  it.each([
    ['nothing', new Uint8Array(0), 'BTF of vmlinux is 0 bytes: too short for a BTF header'],
    ['another file', new Uint8Array(64).fill(0x7f), 'BTF of vmlinux is not BTF: magic 0x7f7f, not 0xeb9f'],
    ['version 2', new BtfWriter().bytes({ version: 2 }), 'BTF of vmlinux has BTF version 2: only version 1 is known'],
    ['a header that is too short', changed(4, 8), 'impossible header length, 8 of'],
    ['a header that is too long', changed(4, 100_000), 'impossible header length, 100000 of'],
    ['types beyond the end', changed(12, 100_000), 'is cut off: its types end at byte 100024 of'],
    ['strings beyond the end', changed(20, 100_000), 'is cut off: its strings end'],
    ['half of a blob', bytes.subarray(0, bytes.length / 2), 'is cut off'],
  ])('%s', (_, damaged, message) => {
    expect(() => parseBtf(damaged)).toThrow(DataError);
    expect(() => parseBtf(damaged)).toThrow(message);
  });

  it('a big-endian kernel', () => {
    expect(() => parseBtf(new BtfWriter().bytes({ magic: 0x9feb }))).toThrow(UnsupportedError);
    expect(() => parseBtf(new BtfWriter().bytes({ magic: 0x9feb }))).toThrow('big-endian');
  });

  it('names outside of the string section are found by nothing and refused when read', () => {
    const writer = new BtfWriter();
    const id = writer.int('int', 4);
    const damaged = writer.bytes();
    new DataView(damaged.buffer).setUint32(24, 0x7fffffff, true);
    const parsed = parseBtf(damaged);
    expect(parsed.named('int')).toEqual([]);
    expect(() => parsed.record(id).name).toThrow('beyond its 5 string bytes');
  });
});
