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
      facility: 'kern',
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
    ['log --facility kernel', 'none of the facilities kern, user'],
    ['log -l err..loud', 'none of the levels'],
    ['log -v', '-v goes with -g'],
    ['log -H --time iso', 'exclude each other'],
    ['log --time never', 'none of raw, ctime'],
    ['log --since yesterday', 'is no time'],
    ['log --since 14:30', 'does not tell what time'],
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

/** Ten records a second apart, the fourth and ninth errors; the target's clock stands at 12 s. */
function tenSeconds() {
  const lines = Array.from({ length: 10 }, (_, i) => {
    const level = i === 3 || i === 8 ? 3 : 6;
    const facility = i % 5 === 4 ? 3 : 0;
    return `${facility * 8 + level},${i},${i * 1_000_000},-;line ${i}${i === 3 ? ' FAILED' : ''}`;
  });
  const files = fakeFiles({
    '/dev/kmsg': `${lines.join('\n')}\n`,
    '/proc/uptime': '12.00 15.00\n',
    '/proc/stat': 'btime 1772500005\n',
  });
  return fakeSession(new FakeKernel(), { files });
}

describe('log around, between and by whom', () => {
  const session = tenSeconds();
  const numbers = (line: string): string =>
    session
      .json(line)
      .rows.map(({ text, context }) => `${String(text).split(' ')[1]}${context === true ? '~' : ''}`)
      .join(' ');

  it.each([
    ['log -l err -C 1', '2~ 3 4~ 7~ 8 9~'],
    ['log -l err -A 5', '3 4~ 5~ 6~ 7~ 8 9~'],
    ['log -l err -B 9', '0~ 1~ 2~ 3 4~ 5~ 6~ 7~ 8'],
    ['log -l err -C 1 -A 0', '2~ 3 7~ 8'],
    ['log -l err -n 1 -B 1', '7~ 8'],
    ['log -l notice..info -n 3', '6 7 9'],
    ['log -l info..err -n 2', '8 9'],
    ['log --facility daemon', '4 9'],
    ['log --facility 0,daemon -n 2', '8 9'],
    ['log -g /failed/', ''],
    ['log -i -g /failed/', '3'],
    ['log -v -g line', ''],
    ['log -v -g failed -n 7', '2 4 5 6 7 8 9'],
    ['log --since 7', '7 8 9'],
    ['log --since 3.5 --until 5', '4 5'],
    ['log --since 4s', '8 9'],
    ['log --since -4s --until 3s', '8 9'],
    ['log --since "2026-03-03 01:06:53"', '8 9'],
    ['log --since 01:06:53', '8 9'],
    ['log --until 2026-03-03', ''],
    ['log --since 23:00 --until 01:06:46', '0 1'],
    ['log -l err -C 2 --since 3 --until 4', '3 4~'],
  ])('%s', (line, shown) => {
    expect(numbers(line)).toBe(shown);
  });

  it('parts what is not together', () => {
    expect(session.lines('log -t -l err -C 1').slice(1)).toEqual([
      ...['line 2', 'line 3 FAILED', 'line 4', '--', 'line 7', 'line 8', 'line 9'],
    ]);
    expect(session.lines('log -t -l err -B 4').slice(1)).not.toContain('--');
  });

  it('has the times and the names of dmesg', () => {
    const last = (line: string) => session.lines(line).slice(-2);
    expect(last('log -x')).toEqual(['kern  :err   : [    8.000000] line 8', 'daemon:info  : [    9.000000] line 9']);
    expect(last('log --time delta -l err')).toEqual([
      '[    3.000000 <    0.000000>] line 3 FAILED',
      '[    8.000000 <    5.000000>] line 8',
    ]);
    expect(last('log --time iso')[1]).toBe('2026-03-03T01:06:54,000000+00:00 line 9');
    expect(session.lines('log -H --since 8').slice(1)).toEqual(['[Mar 3 01:06] line 8', '[  +1.000000] line 9']);
    expect(session.lines('log -t -T -n 1').at(-1)).toBe('line 9');
  });
});
