import { describe, expect, it } from 'vitest';
import { FakeKernel, fakeFiles } from '../support/fake-kernel.ts';
import { FakePrintk } from '../support/fake-printk.ts';
import { fakeSession } from '../support/fake-session.ts';

function planted() {
  const fake = new FakeKernel();
  const printk = new FakePrintk(fake);
  printk.add({ text: 'Linux version 6.12', level: 5, time: 0n, caller: 0 });
  printk.add({ text: 'disk: error\nsecond line', level: 3, time: 7_214_120_334_999n, caller: 2210 });
  printk.add({
    text: 'usb: new',
    level: 6,
    time: 123_456_789_012_000n,
    caller: 0x8000_0003,
    subsystem: 'usb',
    device: 'c189:1',
  });
  return { fake, printk };
}

describe('log', () => {
  const { fake } = planted();
  const session = fakeSession(fake);

  it('is laid out as by dmesg, further lines of a record indented', () => {
    expect(session.lines('log')).toEqual([
      '[    0.000000] Linux version 6.12',
      '[ 7214.120334] disk: error',
      '               second line',
      '[123456.789012] usb: new',
    ]);
    expect(session.lines('log -t')).toEqual(['Linux version 6.12', 'disk: error', 'second line', 'usb: new']);
  });

  it('shows writer, level and properties', () => {
    expect(session.lines('log -c -m -d')).toEqual([
      '[    0.000000] [    T0] <5>Linux version 6.12',
      '[ 7214.120334] [ T2210] <3>disk: error',
      '                           second line',
      '[123456.789012] [    C3] <6>usb: new',
      '                            SUBSYSTEM=usb',
      '                            DEVICE=c189:1',
    ]);
  });

  it.each([
    ['log -l err', ['disk']],
    ['log -l notice,info', ['Linux', 'usb']],
    ['log -l 5+', ['Linux', 'disk']],
    ['log -l warning+', ['disk']],
    ['log -g DISK', ['disk']],
    ['log -g /^u/', ['usb']],
    ['log -n 2', ['disk', 'usb']],
    ['log -n 1 -l notice+', ['disk']],
    ['log -g nothing', []],
  ])('%s picks records', (line, words) => {
    const { rows, notices } = session.json(line);
    expect(rows.map(({ text }) => String(text).split(/[ :]/)[0])).toEqual(words);
    expect(notices).toEqual([]);
  });

  it('has rows with numbers', () => {
    expect(session.json('log -n 2').rows[0]).toEqual({
      sequence: 1,
      time: 7214.120334,
      level: 3,
      caller: 'T2210',
      text: 'disk: error\nsecond line',
    });
    expect(session.json('log -n 1 -d').rows[0]).toMatchObject({ subsystem: 'usb', device: 'c189:1' });
  });

  it.each([
    ['log -l loud', 'none of the levels'],
    ['log -g /(/', 'no regular expression'],
    ['log -T', 'does not tell what time'],
    ['log -a', 'no audit'],
    ['log -s', 'puts no messages aside'],
  ])('%s says what is wrong', (line, part) => {
    const { status, error } = session.json(line);
    expect(status).toBeGreaterThan(0);
    expect(error).toContain(part);
  });
});

describe('log of another source or in another state', () => {
  it('tells of records that are gone and of texts that are lost', () => {
    const fake = new FakeKernel();
    const printk = new FakePrintk(fake, { countBits: 2 });
    for (let i = 0; i < 9; i++) printk.add({ text: `line ${i}`, failed: i === 7, state: i === 6 ? 0 : 2 });
    const { rows, notices } = fakeSession(fake).json('log');
    expect(rows.map(({ text, lost }) => (lost === true ? 'lost' : text))).toEqual(['line 5', 'lost', 'line 8']);
    expect(notices).toEqual(['5 earlier records are no longer in the ring', '1 record is missing here']);
    expect(
      fakeSession(fake)
        .lines('log')
        .some((line) => line.includes('(its text was overwritten)')),
    ).toBe(true);
  });

  it('comes from /dev/kmsg where memory does not tell, and has the wall clock from /proc', () => {
    const files = fakeFiles({
      '/dev/kmsg': '4,10,7214120334,-;from the file\n SUBSYSTEM=pci\n',
      '/proc/uptime': '8000.00 15000.00\n',
      '/proc/stat': 'cpu  1 2 3\nbtime 1772500000\n',
    });
    const session = fakeSession(new FakeKernel(), { files });
    expect(session.lines('log')).toEqual([
      '(from /dev/kmsg)',
      '(10 earlier records are no longer in the ring)',
      '[ 7214.120334] from the file',
    ]);
    expect(session.lines('log -T -n 1').at(-1)).toBe('[Tue Mar  3 03:06:54 2026] from the file');
    expect(session.json('log -c').rows[0]).toMatchObject({ caller: null, level: 4 });
  });

  it('prints what a hostile process wrote without obeying it', () => {
    const fake = new FakeKernel();
    new FakePrintk(fake).add({ text: 'a\u001b[2J\u0007b' });
    // Lines keep the text as it is; whoever draws them escapes it.
    expect(fakeSession(fake).lines('log')).toEqual(['[    0.000000] a\u001b[2J\u0007b']);
  });
});
