import { describe, expect, it } from 'vitest';
import { FakeKernel } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';
import { symbolTableOf } from '../support/kallsyms-builder.ts';

const TEXT = 0xffff_ffff_8100_0000n;
/** first: push, mov, call second, pop, ret, padding; second: xor, ret, padding; third: jmp into first. */
const CODE = '554889e5e8070000005dc3cccccccccc' + '31c0c30f1f8400000000006690909090' + 'ebe29090';
const hex = (address: bigint) => address.toString(16);

function planted() {
  const fake = new FakeKernel();
  const page = new Uint8Array(4096).fill(0x90);
  page.set(Uint8Array.from(CODE.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
  fake.memory.write(TEXT, page);
  const symbols = symbolTableOf([
    { name: 'first', type: 'T', address: TEXT },
    { name: 'second', type: 'T', address: TEXT + 0x10n },
    { name: 'third', type: 't', address: TEXT + 0x20n },
    { name: 'twin', type: 't', address: TEXT + 0x40n },
    { name: 'some_data', type: 'D', address: TEXT + 0x100n },
    { name: 'twin', type: 't', address: 0xffff_ffff_c000_0000n, module: 'lab' },
    { name: 'lab_data', type: 'd', address: 0xffff_ffff_c000_1000n, module: 'lab' },
  ]);
  Object.defineProperty(fake, 'symbols', { value: symbols });
  return fakeSession(fake);
}

describe('sym', () => {
  const session = planted();

  it.each([
    ['sym first', ['ffffffff81000000 (T) first']],
    ['sym ffffffff81000004', ['ffffffff81000004 (T) first+0x4']],
    ['sym -d ffffffff81000014', ['ffffffff81000014 (T) second+4']],
    ['sym (first+0x18)', ['ffffffff81000018 (T) second+0x8']],
    ['sym twin', ['ffffffff81000040 (t) twin', 'ffffffffc0000000 (t) twin [lab]']],
    ['sym -m lab twin', ['ffffffffc0000000 (t) twin [lab]']],
    ['sym -m lab', ['ffffffffc0000000 (t) twin [lab]', 'ffffffffc0001000 (d) lab_data [lab]']],
    ['sym -M', ['ffffffffc0000000 (t) twin [lab]', 'ffffffffc0001000 (d) lab_data [lab]']],
    ['sym -p -n second', ['ffffffff81000000 (T) first', 'ffffffff81000010 (T) second', 'ffffffff81000020 (t) third']],
    ['sym -q ir', ['ffffffff81000000 (T) first', 'ffffffff81000020 (t) third']],
    ['sym -q *data', ['ffffffff81000100 (D) some_data', 'ffffffffc0001000 (d) lab_data [lab]']],
    ['sym -q /^t/ -m lab', ['ffffffffc0000000 (t) twin [lab]']],
    ['sym first third', ['ffffffff81000000 (T) first', 'ffffffff81000020 (t) third']],
    ['sym -z smdt', ['ffffffff81000100 (D) some_data']],
  ])('%s', (line, expected) => {
    expect(session.lines(line)).toEqual(expected);
  });

  it('lists all by address, with module and offset as JSON', () => {
    const { rows } = session.json('sym -l');
    expect(rows).toHaveLength(7);
    expect(rows.at(-1)).toEqual({
      address: '0xffffffffc0001000',
      type: 'd',
      name: 'lab_data',
      offset: 0,
      module: 'lab',
    });
  });

  it('shows the others when one of several is unknown', () => {
    const answer = session.json('sym first no_such_thing third 10 20');
    expect(answer.rows.map(({ name }) => name)).toEqual(['first', 'third']);
    expect(answer).toMatchObject({ status: 1, error: expect.stringContaining('no_such_thing') });
    expect(answer.notices).toEqual(['not found either: 10, 20']);
  });

  it('says what is wrong', () => {
    const error = (line: string) => session.json(line).error;
    expect(error('sym')).toMatch(/wants a symbol/);
    expect(error('sym firts')).toMatch(/first/);
    expect(error('sym 10')).toMatch(/no known text or data/);
    expect(error('sym -m nothing')).toMatch(/module/);
    expect(error('sym -q /(/')).toMatch(/regular expression/);
  });
});

describe('dis', () => {
  const session = planted();
  const texts = (line: string) =>
    session.json(line).rows.map(({ offset, symbol, text }) => `${symbol}+${offset} ${text}`);

  it('shows a whole function without its padding', () => {
    expect(session.lines('dis first')).toEqual([
      `0x${hex(TEXT)} <first>:\tpush   %rbp`,
      `0x${hex(TEXT + 1n)} <first+0x1>:\tmov    %rsp,%rbp`,
      `0x${hex(TEXT + 4n)} <first+0x4>:\tcall   0x${hex(TEXT + 0x10n)} <second>`,
      `0x${hex(TEXT + 9n)} <first+0x9>:\tpop    %rbp`,
      `0x${hex(TEXT + 10n)} <first+0xa>:\tret`,
    ]);
  });

  it.each<[string, readonly string[]]>([
    ['dis ffffffff81000001', ['first+1 mov    %rsp,%rbp']],
    ['dis ffffffff81000001 2', ['first+1 mov    %rsp,%rbp', `first+4 call   0x${hex(TEXT + 0x10n)} <second>`]],
    ['dis first 1', ['first+0 push   %rbp']],
    ['dis -r (first+1)', ['first+0 push   %rbp', 'first+1 mov    %rsp,%rbp']],
    ['dis -r (first+9) 1', ['first+9 pop    %rbp']],
    ['dis -f (first+9)', ['first+9 pop    %rbp', 'first+10 ret']],
    ['dis -f (first+9) 1', ['first+9 pop    %rbp']],
    ['dis -i second', ['second+0 xor    eax,eax', 'second+2 ret']],
  ])('%s', (line, expected) => {
    expect(texts(line)).toEqual(expected);
  });

  it('shows bytes and decimal offsets', () => {
    expect(session.lines('dis -B -d (first+9)')).toEqual([
      `0x${hex(TEXT + 9n)} <first+9>:\t${'5d'.padEnd(30)} pop    %rbp`,
    ]);
  });

  it('says when an address is within an instruction', () => {
    for (const line of ['dis (first+2)', 'dis -f (first+2)', 'dis (first+2) 2']) {
      expect(session.json(line).notices, line).toEqual([
        expect.stringMatching(/81000002 is in the middle of the instruction at 0xffffffff81000001/),
      ]);
    }
    for (const line of ['dis (first+4)', 'dis -f (first+9)', 'dis first', 'dis -r (first+2)']) {
      expect(session.json(line).notices, line).toEqual([]);
    }
  });

  it('takes addresses from a pipe, and ends where memory ends', () => {
    expect(texts('sym first second | dis')).toHaveLength(7);
    expect(session.json(`dis ${hex(TEXT + 0xffen)} 5`).rows.length).toBe(2);
  });

  it('says what is wrong', () => {
    const error = (line: string) => session.json(line).error;
    expect(error('dis')).toMatch(/wants a SYMBOL/);
    expect(error('dis -r -f first')).toMatch(/exclude each other/);
    expect(error('dis 10')).toMatch(/cannot read/);
    expect(error('dis -r 10')).toMatch(/to disassemble in/);
    expect(session.json('dis -l first').notices).toEqual(['no line numbers: BTF has none']);
  });
});
