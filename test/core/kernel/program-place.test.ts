import { describe, expect, it } from 'vitest';
import { DataError, KdbgError } from '../../../src/core/errors.ts';
import { readProgram } from '../../../src/core/formats/elf-program.ts';
import { Kernel } from '../../../src/core/kernel/kernel.ts';
import { programFunctions, programPlace } from '../../../src/core/kernel/program-place.ts';
import type { ProgramRange, ProgramSource } from '../../../src/core/memory/backend.ts';
import { CODE, programFile, type TestProgram } from '../../support/elf-program-builder.ts';
import { FakeTracefs } from '../../support/fake-tracefs.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const LIBRARY: TestProgram = {
  dynamic: [
    { name: 'malloc', value: CODE.address + 0x10, size: 0x40, version: 'LIB_2.2' },
    { name: 'realpath', value: CODE.address + 0x80, size: 8, version: 'LIB_2.3' },
    { name: 'realpath', value: CODE.address + 0x90, size: 8, version: 'LIB_2.2', hidden: true },
    { name: 'alias', value: CODE.address + 0x100, size: 8, version: 'LIB_2.3' },
    { name: 'alias', value: CODE.address + 0x100, size: 8, version: 'LIB_2.2', hidden: true },
    { name: 'strlen', value: CODE.address + 0x200, type: 10 },
    { name: 'environ', value: 0x1000, size: 8, type: 1 },
    { name: 'in_data', value: 0x1000 },
    { name: 'write', section: 0 },
  ],
  needed: ['libc.so.6', 'libm.so.6'],
};
const UNSTRIPPED: TestProgram = {
  dynamic: [{ name: 'main', value: CODE.address }],
  all: [
    { name: 'main', value: CODE.address },
    { name: 'helper', value: CODE.address + 0x300, size: 4 },
    { name: 'init', value: CODE.address + 0x310 },
    { name: 'init', value: CODE.address + 0x320 },
    { name: 'main.(*T).Run[...]', value: CODE.address + 0x400, size: 0x20 },
    { name: 'file.c', type: 4, section: 0xfff1 },
  ],
};
const PATH = '/lib/libx.so';

/** How often it was asked, and for how much. */
const asked: number[] = [];

function sourceOf(bytes: Uint8Array): ProgramSource {
  return {
    read(path, ranges) {
      asked.push(ranges.reduce((sum, { length }) => sum + length, 0));
      if (path !== PATH) return { ok: false, failure: { path, reason: 'absent', detail: 'no such file' } };
      const parts = ranges.map(({ offset, length }) => bytes.subarray(offset, offset + length));
      const isWhole = parts.every((part, i) => part.length === ranges[i]?.length);
      if (!isWhole) return { ok: false, failure: { path, reason: 'io', detail: 'the file ends' } };
      return { ok: true, bytes: parts };
    },
  };
}

function kernelWith(programs: ProgramSource | undefined): Kernel {
  const backend = new FakeTracefs().backend();
  return new Kernel({ ...backend, ...(programs && { programs }) });
}

const place = (text: string, program: TestProgram = LIBRARY) =>
  programPlace(kernelWith(sourceOf(programFile(program))), PATH, text);

describe('a place in a program', () => {
  it.each([
    ['malloc', LIBRARY, 0x10],
    ['malloc+0x3f', LIBRARY, 0x4f],
    ['malloc+8', LIBRARY, 0x18],
    ['malloc@LIB_2.2', LIBRARY, 0x10],
    ['realpath@LIB_2.3', LIBRARY, 0x80],
    ['realpath@@LIB_2.3', LIBRARY, 0x80],
    ['realpath@LIB_2.2', LIBRARY, 0x90],
    ['alias', LIBRARY, 0x100],
    ['main', UNSTRIPPED, 0],
    ['helper', UNSTRIPPED, 0x300],
    ['main.(*T).Run[...]+4', UNSTRIPPED, 0x404],
  ])('%s is where the file has it', (text, program, expected) => {
    const found = place(text, program);
    expect(Number(found.offset)).toBe(CODE.offset + expected);
    expect(text.startsWith(found.name)).toBe(true);
  });

  it.each([
    ['maloc', LIBRARY, /no symbol "maloc" in \/lib\/libx.so; did you mean malloc/],
    ['nowhere', LIBRARY, /no symbol "nowhere" in \/lib\/libx.so$/],
    ['realpath', LIBRARY, /has 2 symbols named realpath: realpath@@LIB_2.3, realpath@LIB_2.2/],
    ['realpath@LIB_9', LIBRARY, /has no realpath@LIB_9: /],
    ['init', UNSTRIPPED, /has 2 symbols named init: init at 0x5310, init at 0x5320/],
    ['malloc+0x40', LIBRARY, /malloc is 64 bytes long/],
    ['strlen', LIBRARY, /no code of its own/],
    ['environ', LIBRARY, /is data, not a function/],
    ['in_data', LIBRARY, /is not within code/],
    ['write', LIBRARY, /only calls write, which is in a library of its: libc.so.6, libm.so.6/],
    ['file.c', UNSTRIPPED, /no symbol "file.c"/],
    ['main', {}, /has no symbols: it is stripped/],
    ['two words', LIBRARY, /is no place in a program/],
    ['main', { ...UNSTRIPPED, type: 4 }, /an ELF file that is no program/],
  ])('%s is none, and it is said why', (text, program, message) => {
    expect(() => place(text, program as TestProgram)).toThrow(message);
  });

  it('costs three requests, one more for names that are not offered, and none of what was asked before', () => {
    const kernel = kernelWith(sourceOf(programFile(UNSTRIPPED)));
    asked.length = 0;
    programPlace(kernel, PATH, 'main');
    expect(asked).toHaveLength(3);
    programPlace(kernel, PATH, 'main+1');
    expect(asked).toHaveLength(3);
    programPlace(kernel, PATH, 'helper');
    programPlace(kernel, PATH, 'helper+1');
    expect(asked).toHaveLength(4);
  });

  it('is not told where the target serves no programs, or none there', () => {
    expect(() => programPlace(kernelWith(undefined), PATH, 'malloc')).toThrow(/has no programs/);
    expect(() => programPlace(kernelWith(sourceOf(new Uint8Array(0))), '/no', 'malloc')).toThrow(/no such file/);
  });

  it('is completed by functions alone', () => {
    const kernel = kernelWith(sourceOf(programFile(LIBRARY)));
    expect(programFunctions(kernel, PATH, '', 10)).toEqual(['malloc', 'realpath', 'alias']);
    expect(programFunctions(kernel, PATH, 'm', 10)).toEqual(['malloc']);
    expect(programFunctions(kernel, PATH, '', 1)).toEqual(['malloc']);
  });
});

it('a damaged program is an error, in bounded time and memory', () => {
  const original = programFile({ ...LIBRARY, all: UNSTRIPPED.all ?? [] });
  const random = seededRandom(7);
  for (let i = 0; i < 10_000; i++) {
    const bytes = mutate(original, random);
    const read = (ranges: readonly ProgramRange[]): readonly Uint8Array[] => {
      if (ranges.reduce((sum, { length }) => sum + length, 0) > 5 * 32 * 1024 * 1024) throw new Error('too much');
      return ranges.map(({ offset, length }) => {
        if (offset + length > bytes.length) throw new DataError('the file ends');
        return bytes.subarray(offset, offset + length);
      });
    };
    try {
      const program = readProgram(read);
      for (const table of [program.dynamic, program.all()]) {
        table?.named('malloc');
        table?.columns();
      }
    } catch (error) {
      if (!(error instanceof KdbgError)) throw error;
    }
  }
});
