import { describe, expect, it } from 'vitest';
import { KdbgError } from '../../../src/core/errors.ts';
import { kernelLog } from '../../../src/core/kernel/kernel-log.ts';
import { parseKmsg } from '../../../src/core/kernel/kmsg.ts';
import { panicMessage } from '../../../src/core/kernel/panic.ts';
import { readPrintkRing } from '../../../src/core/kernel/printk.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { FakeKernel, fakeFiles, POINTER, U32, U64 } from '../../support/fake-kernel.ts';
import { FakePrintk } from '../../support/fake-printk.ts';
import { seededRandom } from '../../support/mutations.ts';

function ring(options: ConstructorParameters<typeof FakePrintk>[1] = {}) {
  const fake = new FakeKernel();
  return { fake, printk: new FakePrintk(fake, options) };
}

describe('the printk ring', () => {
  it('gives each record with all that is known of it', () => {
    const { fake, printk } = ring();
    printk.add({ text: 'Linux version 6.1', level: 5, time: 0n });
    printk.add({ text: 'two\nlines', level: 3, facility: 1, caller: 812, time: 1_234_567_890n });
    printk.add({ text: 'from an interrupt', caller: 0x8000_0003, subsystem: 'pci', device: '+pci:0000:00:01.0' });
    expect(kernelLog(fake.kernel()).records).toEqual([
      expect.objectContaining({
        sequence: 0n,
        time: 0n,
        level: 5,
        facility: 0,
        text: 'Linux version 6.1',
        lost: false,
      }),
      expect.objectContaining({
        sequence: 1n,
        time: 1_234_567_890n,
        level: 3,
        facility: 1,
        caller: 'T812',
        text: 'two\nlines',
      }),
      expect.objectContaining({
        caller: 'C3',
        properties: [
          { name: 'SUBSYSTEM', value: 'pci' },
          { name: 'DEVICE', value: '+pci:0000:00:01.0' },
        ],
      }),
    ]);
  });

  it('tells the name of the writer where the kernel keeps it', () => {
    const fake = new FakeKernel();
    const printk = new FakePrintk(fake, { context: true });
    printk.add({ text: 'one', caller: 7, comm: 'modprobe', subsystem: 'pci', device: '+pci:0000:00:01.0' });
    printk.add({ text: 'two', caller: 0x8000_0001, comm: '' });
    const shown = readPrintkRing(fake.kernel())?.map(({ text, caller, comm, properties }) => [
      text,
      caller,
      comm,
      properties.map(({ value }) => value).join(),
    ]);
    expect(shown).toEqual([
      ['one', 'T7', 'modprobe', 'pci,+pci:0000:00:01.0'],
      ['two', 'C1', '', ''],
    ]);
  });

  it('reads on across the end of both rings, and leaves out what was overwritten', () => {
    const { fake, printk } = ring({ countBits: 4, sizeBits: 9 });
    const texts = Array.from({ length: 100 }, (_, i) => `record ${i} ${'x'.repeat(i % 23)}`);
    for (const text of texts) printk.add({ text });
    const records = kernelLog(fake.kernel()).records;
    expect(records.map((record) => record.sequence)).toEqual(Array.from({ length: 16 }, (_, i) => BigInt(84 + i)));
    // A text whose place was taken is told apart by the id in front of it.
    for (const record of records) {
      expect(record.lost ? '' : texts[Number(record.sequence)]).toBe(record.text);
    }
    expect(records.filter((record) => !record.lost).length).toBeGreaterThan(8);
    expect(records.at(-1)).toMatchObject({ text: texts[99], lost: false });
  });

  it('keeps every text where the ring has room for all', () => {
    const { fake, printk } = ring({ countBits: 4, sizeBits: 12 });
    const texts = Array.from({ length: 300 }, (_, i) => `record ${i} ${'y'.repeat((i * 7) % 150)}`);
    for (const text of texts) printk.add({ text });
    expect(kernelLog(fake.kernel()).records.map(({ text }) => text)).toEqual(texts.slice(-16));
  });

  it('tells an empty line from a lost text, and passes over what is being written', () => {
    const { fake, printk } = ring();
    printk.add({ text: '' });
    printk.add({ text: 'gone', failed: true });
    printk.add({ text: 'being written', state: 0 });
    printk.add({ text: 'committed', state: 1 });
    printk.add({ text: 'reusable', state: 3 });
    expect(kernelLog(fake.kernel()).records.map(({ text, lost }) => [text, lost])).toEqual([
      ['', false],
      ['', true],
      ['committed', false],
    ]);
  });

  it('needs neither types nor symbols where VMCOREINFO describes the ring', () => {
    const { fake, printk } = ring();
    printk.add({ text: 'without BTF', level: 4, subsystem: 'usb' });
    const note = [
      `SYMBOL(prb)=${(fake.symbols.find('prb')?.address ?? 0n).toString(16)}`,
      ...['SIZE(printk_ringbuffer)=80', 'SIZE(prb_desc)=24', 'SIZE(printk_info)=88'],
      ...['OFFSET(printk_ringbuffer.desc_ring)=0', 'OFFSET(printk_ringbuffer.text_data_ring)=40'],
      ...['OFFSET(prb_desc_ring.count_bits)=0', 'OFFSET(prb_desc_ring.descs)=8', 'OFFSET(prb_desc_ring.infos)=16'],
      ...['OFFSET(prb_desc_ring.head_id)=24', 'OFFSET(prb_desc_ring.tail_id)=32', 'OFFSET(prb_desc.state_var)=0'],
      ...['OFFSET(prb_desc.text_blk_lpos)=8', 'OFFSET(prb_data_blk_lpos.begin)=0', 'OFFSET(prb_data_blk_lpos.next)=8'],
      ...['OFFSET(prb_data_ring.size_bits)=0', 'OFFSET(prb_data_ring.data)=8', 'OFFSET(printk_info.seq)=0'],
      ...['OFFSET(printk_info.ts_nsec)=8', 'OFFSET(printk_info.text_len)=16', 'OFFSET(printk_info.caller_id)=20'],
      ...['OFFSET(printk_info.dev_info)=24', 'OFFSET(dev_printk_info.subsystem)=0', 'LENGTH(printk_info_subsystem)=16'],
      ...['OFFSET(dev_printk_info.device)=16', 'LENGTH(printk_info_device)=48'],
    ].join('\n');
    const bare = new FakeKernel();
    for (const [page, bytes] of fake.memory.pages) bare.memory.pages.set(page, bytes);
    expect(kernelLog(bare.kernel({ vmcoreinfo: note })).records).toMatchObject([
      { text: 'without BTF', level: 4, properties: [{ name: 'SUBSYSTEM', value: 'usb' }] },
    ]);
  });

  it('refuses impossible sizes', () => {
    const { fake, printk } = ring();
    fake.set(fake.type('printk_ringbuffer'), printk.ring, 'desc_ring.count_bits', 60);
    expect(() => kernelLog(fake.kernel()).records).toThrow('desc_ring.count_bits is 60: impossible');
  });

  it('survives 10,000 corruptions', { timeout: 60_000 }, () => {
    const { fake, printk } = ring({ countBits: 3, sizeBits: 8 });
    for (let i = 0; i < 20; i++) printk.add({ text: `record ${i}` });
    const random = seededRandom(3);
    const below = (n: number) => Math.floor(random() * n);
    const before = new Map([...fake.memory.pages].map(([page, bytes]) => [page, bytes.slice()]));
    const places = [printk.ring, printk.descs, printk.infos, printk.data];
    for (let round = 0; round < 10_000; round++) {
      const at = (places[below(4)] as bigint) + BigInt(below(200));
      fake.memory.writeInteger(at, 1 + below(8), [0n, (1n << 64n) - 1n, BigInt(below(1 << 30))][below(3)] as bigint);
      try {
        expect(readPrintkRing(fake.kernel())?.length ?? 0).toBeLessThanOrEqual(1 << 26);
      } catch (error) {
        if (!(error instanceof KdbgError)) throw error;
      }
      for (const [page, bytes] of before) fake.memory.pages.set(page, bytes.slice());
    }
  });
});

describe('the log before 5.10', () => {
  const TYPES = `struct printk_log {
    unsigned long ts_nsec;
    unsigned short len, text_len, dict_len;
    unsigned char facility;
    unsigned char flags : 5, level : 3;
  };`;

  /** Writes records from `first` on; one with no text is the mark that the next is at the start. */
  function planted(first: number, records: readonly (readonly [text: string, dict: string] | 'wrap')[]) {
    const fake = new FakeKernel();
    fake.c(TYPES);
    const buffer = fake.allocate(256);
    let at = first;
    for (const [i, record] of records.entries()) {
      if (record === 'wrap') {
        at = 0;
        continue;
      }
      const [text, dict] = [encodeText(record[0]), encodeText(record[1])];
      const length = Math.ceil((16 + text.length + dict.length) / 8) * 8;
      const place = buffer + BigInt(at);
      fake.place(
        fake.type('printk_log'),
        { ts_nsec: i * 1000, len: length, text_len: text.length, dict_len: dict.length },
        place,
      );
      fake.memory.writeInteger(place + 15n, 1, 6n << 5n);
      fake.memory.write(place + 16n, text);
      fake.memory.write(place + 16n + BigInt(text.length), dict);
      at += length;
    }
    fake.globalInteger('log_buf', POINTER, buffer);
    fake.globalInteger('log_buf_len', U32, 256);
    fake.globalInteger('log_first_idx', U32, first);
    fake.globalInteger('log_next_idx', U32, at);
    fake.globalInteger('log_first_seq', U64, 40);
    return fake;
  }

  it('gives the records with their dictionaries', () => {
    const fake = planted(0, [
      ['Booting', ''],
      ['a device', 'SUBSYSTEM=pci\0DEVICE=+pci:1'],
    ]);
    expect(kernelLog(fake.kernel()).records).toMatchObject([
      { sequence: 40n, text: 'Booting', level: 6, properties: [] },
      {
        sequence: 41n,
        text: 'a device',
        properties: [
          { name: 'SUBSYSTEM', value: 'pci' },
          { name: 'DEVICE', value: '+pci:1' },
        ],
      },
    ]);
  });

  it('goes on at the start where the buffer wrapped', () => {
    const fake = planted(160, [['before', ''], 'wrap', ['after', '']]);
    expect(kernelLog(fake.kernel()).records.map(({ text }) => text)).toEqual(['before', 'after']);
  });

  it('is empty where nothing was written, and ends where a record does not fit', () => {
    const fake = planted(0, [['one', '']]);
    fake.memory.writeInteger((fake.symbols.find('log_next_idx')?.address ?? 0n) + 0n, 4, 200n);
    expect(kernelLog(fake.kernel()).records.map(({ text }) => text)).toEqual(['one']);
  });
});

describe('/dev/kmsg', () => {
  it('reads records, properties and escapes, and passes unknown fields over', () => {
    const text = [
      '6,0,0,-;Linux version',
      '4,12,5243000,-,caller=T812,future=1;a \\x5c and \\xc3\\xa9 and \\x0anext',
      ' SUBSYSTEM=pci',
      ' DEVICE=+pci:0000:00:01.0',
      'not a record',
      '30,13,5244000,c;from a user',
      '',
    ].join('\n');
    expect(parseKmsg(encodeText(text))).toEqual([
      expect.objectContaining({ sequence: 0n, level: 6, text: 'Linux version', caller: undefined }),
      expect.objectContaining({
        sequence: 12n,
        time: 5_243_000_000n,
        caller: 'T812',
        text: 'a \\ and é and \nnext',
        properties: [
          { name: 'SUBSYSTEM', value: 'pci' },
          { name: 'DEVICE', value: '+pci:0000:00:01.0' },
        ],
      }),
      expect.objectContaining({ level: 6, facility: 3, text: 'from a user' }),
    ]);
  });

  it('is read where there is no memory, and its absence is told', () => {
    const fake = new FakeKernel();
    const files = fakeFiles({ '/dev/kmsg': '6,0,0,-;hello\n' });
    expect(kernelLog(fake.kernel({ memory: false, files })).records).toMatchObject([{ text: 'hello' }]);
    expect(() => kernelLog(fake.kernel({ memory: false, files: fakeFiles({}) }))).toThrow(
      'fake does not give the kernel log: /dev/kmsg: no such file',
    );
  });
});

describe('panic messages', () => {
  const log = (...texts: string[]) => parseKmsg(encodeText(texts.map((text, i) => `6,${i},${i},-;${text}`).join('\n')));

  it('prefers what ended the kernel to what led there', () => {
    const records = log(
      'BUG: kernel NULL pointer dereference, address: 0000000000000000',
      'Oops: 0002 [#1] PREEMPT SMP',
      'Kernel panic - not syncing: Fatal exception',
    );
    expect(panicMessage(records)).toBe('Kernel panic - not syncing: Fatal exception');
    expect(panicMessage(records.slice(0, 2))).toBe('Oops: 0002 [#1] PREEMPT SMP');
    expect(panicMessage(log('sysrq: Trigger a crash'))).toBe('sysrq: Trigger a crash');
  });

  it('is silent on a healthy log', () => {
    expect(
      panicMessage(log('NMI watchdog: Perf NMI watchdog permanently disabled', 'usb 1-1: BUG: not')),
    ).toBeUndefined();
  });
});
