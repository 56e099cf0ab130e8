import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { printBinary } from '../../../src/core/formats/print-binary.ts';
import { isTraceDat } from '../../../src/core/formats/trace-dat.ts';
import type { TraceEntry } from '../../../src/core/formats/trace-entry.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';
import {
  asV6,
  asZlibV7,
  DAT_FIXTURES,
  datBytes,
  datReport,
  entriesOf,
  openDat,
  printkText,
} from '../../support/trace-dat-fixture.ts';

/** An entry as trace-cmd prints it: no flags, function names apart, stacks as entries of their own. */
function reported(entry: TraceEntry): readonly string[] {
  const head = `${entry.comm}-${entry.pid} [${String(entry.cpu).padStart(3, '0')}] ${/\d+\.\d{6}/.exec(entry.raw)?.[0]}:`;
  const stack = entry.stack?.map((frame) => `=> ${frame.name}`) ?? [];
  if (entry.kind === 'function')
    return [`${head} function: ${entry.function.name} <-- ${entry.caller?.name}`, ...stack];
  return entry.kind === 'event' ? [`${head} ${entry.name}: ${entry.text}`, ...stack] : [entry.raw, ...stack];
}

/** What trace-cmd prints, its blanks and two peculiarities aside: a page whose base it does not know, flags of 0; frames at 0
 * are none. */
function plain(line: string): string {
  return line
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/^.* kernel_stack: /, '')
    .replace(/page=(?:0x[0-9a-f]+|\?)/, 'page=')
    .replace(/(timer_start: .*flags=).*/, '$1');
}

describe.each(DAT_FIXTURES)('%s', (name) => {
  const bytes = datBytes(name);
  const dat = openDat(bytes);

  test('says what trace-cmd says of it', () => {
    const ours = entriesOf(dat).flatMap(reported).map(plain);
    expect(ours).toEqual(
      datReport(name)
        .map(plain)
        .filter((line) => line !== '' && line !== '=> 0x0'),
    );
  });

  test('is the same in version 6, and packed by zlib', () => {
    const entries = entriesOf(dat);
    const six = openDat(asV6(dat));
    expect([six.version, six.compression, six.options.tool]).toEqual([6, 'none', dat.options.tool]);
    expect(entriesOf(six)).toEqual(entries);
    const seven = openDat(asZlibV7(dat, 'mine'));
    expect([seven.version, seven.compression, seven.buffers[0]?.instance]).toEqual([7, 'zlib', 'mine']);
    expect(entriesOf(seven)).toEqual(entries);
  });
});

test('events have their fields, typed', () => {
  const entries = entriesOf(openDat(datBytes('syslog-6.18')));
  const call = entries.find((entry) => entry.kind === 'event' && entry.name === 'sys_enter_syslog');
  expect(call).toMatchObject({ pid: 163, comm: 'dmesg', cpu: 1, fields: { type: 10, buf: '0x0' } });
  const change = entries.find((entry) => entry.kind === 'event' && entry.name === 'sched_switch');
  expect(change).toMatchObject({
    flags: 'd..2.',
    fields: { prev_comm: 'swapper/0', prev_pid: 0, prev_prio: 120, next_comm: 'rcu_preempt', next_pid: 15 },
  });
});

/** A module on 6.12 that calls trace_printk() with what it can print. */
describe('trace_printk', () => {
  const dat = openDat(datBytes('printk-6.12'));

  test('says what the kernel says', () => {
    const lines = entriesOf(dat).flatMap(({ raw }) => raw.split('\n'));
    const expected = printkText()
      // A function's length is not in the file, nor are names of errors; pointers are marked.
      .replace('schedule+0x4/0xc0 ffff8', 'schedule 0xffff8')
      .replace('-ENOENT', '-2');
    expect(lines).toEqual(expected.trimEnd().split('\n'));
  });

  test('is of the function that calls it, a marker of the kernel', () => {
    const [first, ...rest] = entriesOf(dat);
    expect(first).toMatchObject({ kind: 'event', name: 'say_all', text: 'plain', comm: 'insmod' });
    expect(rest.at(-1)).toMatchObject({ kind: 'marker', text: 'by hand' });
  });

  test('without its formats says what is missing', () => {
    const [, , numbers] = entriesOf({ ...dat, printk: '' });
    expect(numbers).toMatchObject({ text: expect.stringMatching(/^its text at 0xffff\w+ is not in printk_formats$/) });
  });

  test('that is cut has question marks', () => {
    const names = { symbol: () => undefined, text: () => undefined };
    const bytes = Uint8Array.of(5, 0, 0, 0, 104, 105, 0, 1);
    expect(printBinary('%d %s %d %s %pI4 %*d %%', bytes, true, names)).toBe('5 hi ? ? ? ? %');
  });
});

describe('a file that is none, or damaged', () => {
  test.each<readonly [string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(), /no file of trace-cmd/],
    ['another file', Buffer.from('\x7fELF and so on'), /no file of trace-cmd/],
    ['of version 8', Buffer.from('\x17\x08\x44tracing8\0\0\x08\0\x10\0\0'), /version 8: kdbg reads 6 and 7/],
    ['cut off', datBytes('syslog-6.18').subarray(0, 30), /cut off|no end of a name/],
    ['of an impossible machine', Buffer.from('\x17\x08\x44tracing6\0\x07\x08\0\x10\0\0'), /impossible/],
  ])('%s', (_name, bytes, message) => {
    expect(() => openDat(new Uint8Array(bytes))).toThrow(message);
    expect(() => openDat(new Uint8Array(bytes))).toThrow(DataError);
  });

  test('says by what it is packed that kdbg does not know', () => {
    const bytes = datBytes('syslog-6.18');
    bytes.set(Buffer.from('lz4!'), 18);
    expect(() => openDat(bytes)).toThrow(/compressed with "lz4!": kdbg reads zstd and zlib/);
  });

  test('10,000 changes of it end soon, in entries or an error', { timeout: 120_000 }, () => {
    const dat = openDat(datBytes('syslog-6.18'));
    // Few formats and symbols: what is changed is then mostly the structure.
    const small = { ...dat, kallsyms: dat.kallsyms.subarray(0, 400), formats: dat.formats.slice(0, 6) };
    const files = [asV6(small), asZlibV7(small), datBytes('syslog-6.18')];
    expect(files.every(isTraceDat)).toBe(true);
    const random = seededRandom(7);
    let slowest = 0;
    for (let i = 0; i < 10_000; i++) {
      // The large one, which takes longest, now and then.
      const bytes = mutate(files[i % 20 === 0 ? 2 : i % 2] as Uint8Array, random);
      const started = performance.now();
      try {
        entriesOf(openDat(bytes));
      } catch (error) {
        const isExpected = error instanceof DataError || (error as { code?: string }).code?.startsWith('Z_') === true;
        if (!isExpected && (error as { code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
      }
      slowest = Math.max(slowest, performance.now() - started);
    }
    expect(slowest).toBeLessThan(5000);
  });
});
