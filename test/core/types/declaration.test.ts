import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import {
  definitionLines,
  formatDefinition,
  formatSize,
  type OffsetOptions,
} from '../../../src/core/types/declaration.ts';
import { parseTypeName } from '../../../src/core/types/type-name.ts';
import { btf } from '../../support/btf-builder.ts';
import { BtfWriter } from '../../support/btf-writer.ts';

const table = new BtfTable(
  btf(`
    typedef unsigned int u32;
    struct list_head { struct list_head *next, *prev; };
    enum color { RED, GREEN = 5, BLUE };
    struct sample {
      unsigned long flags;
      u32 busy : 1, depth : 3;
      enum color color;
      enum { ONE, SEVEN = 7, EIGHT } choice;
      int (*fn)(struct list_head *, int);
      union {
        int number;
        struct { char low, high; };
        struct { int inner; } named;
      };
      struct { int x; struct { int y; } deep; } pairs[3];
      const struct list_head *list;
      struct list_head head;
      char tail[];
    };
    typedef struct { int counter; } atomic_t;
    typedef enum { OFF, ON } switch_t;
    typedef u32 __u32;
    union empty { };
    int used(char);
  `).bytes,
);

function text(name: string, offsets?: OffsetOptions): string {
  const type = parseTypeName(name, table);
  return formatDefinition(type, definitionLines(type), offsets).join('\n');
}

describe('a definition', () => {
  it('is written as C, structs without a name where they stand', () => {
    expect(text('struct sample')).toBe(`struct sample {
    unsigned long flags;
    u32 busy : 1;
    u32 depth : 3;
    enum color color;
    enum {ONE, SEVEN = 7, EIGHT} choice;
    int (*fn)(struct list_head *, int);
    union {
        int number;
        struct {
            char low;
            char high;
        };
        struct {
            int inner;
        } named;
    };
    struct {
        int x;
        struct {
            int y;
        } deep;
    } pairs[3];
    const struct list_head *list;
    struct list_head head;
    char tail[];
}`);
  });

  it('has the offset of each member in front', () => {
    expect(text('struct sample', { radix: 16 })).toBe(`struct sample {
   [0x0] unsigned long flags;
   [0x8] u32 busy : 1;
   [0x8] u32 depth : 3;
   [0xc] enum color color;
  [0x10] enum {ONE, SEVEN = 7, EIGHT} choice;
  [0x18] int (*fn)(struct list_head *, int);
         union {
  [0x20]     int number;
             struct {
  [0x20]         char low;
  [0x21]         char high;
             };
             struct {
  [0x20]         int inner;
  [0x20]     } named;
         };
         struct {
  [0x24]     int x;
             struct {
  [0x28]         int y;
  [0x28]     } deep;
  [0x24] } pairs[3];
  [0x40] const struct list_head *list;
  [0x48] struct list_head head;
  [0x58] char tail[];
}`);
  });

  it('has decimal offsets, or the addresses of a structure in memory', () => {
    expect(text('struct list_head', { radix: 10 })).toBe(`struct list_head {
   [0] struct list_head *next;
   [8] struct list_head *prev;
}`);
    expect(text('struct list_head', { radix: 16, address: 0xffff888000000ff8n })).toBe(`struct list_head {
  [ffff888000000ff8] struct list_head *next;
  [ffff888000001000] struct list_head *prev;
}`);
  });

  it('of a typedef is that of what it comes down to', () => {
    expect(text('atomic_t')).toBe('typedef struct {\n    int counter;\n} atomic_t;');
    expect(text('__u32')).toBe('typedef unsigned int __u32;');
    expect(text('switch_t')).toBe('typedef enum {\n  OFF = 0\n  ON = 1\n} switch_t;');
  });

  it('of an enum has every value', () => {
    expect(text('enum color')).toBe('enum color {\n  RED = 0\n  GREEN = 5\n  BLUE = 6\n};');
  });

  it('of anything else is its name', () => {
    expect(text('unsigned long')).toBe('unsigned long');
    expect(text('int (*)(char)')).toBe('int (*)(char)');
    expect(text('union empty')).toBe('union empty {\n}');
  });

  it('ends with a size', () => {
    expect(formatSize(parseTypeName('struct sample', table), 16)).toBe('SIZE: 0x58');
    expect(formatSize(parseTypeName('struct sample', table), 10)).toBe('SIZE: 88');
  });

  it('is data: each line knows its member', () => {
    const lines = definitionLines(parseTypeName('struct sample', table));
    const members = lines.flatMap(({ member }) => (member === undefined ? [] : [member]));
    expect(members.map(({ path }) => path)).toEqual([
      ...['flags', 'busy', 'depth', 'color', 'choice', 'fn', 'number', 'low', 'high', 'named.inner', 'named'],
      ...['pairs[0].x', 'pairs[0].deep.y', 'pairs[0].deep', 'pairs', 'list', 'head', 'tail'],
    ]);
    expect(members.find(({ path }) => path === 'depth')).toMatchObject({ offset: 8, bitOffset: 1, bitSize: 3 });
    expect(lines[0]).toEqual({ text: 'struct sample {', depth: 0 });
  });

  it('of a struct that contains itself is refused', () => {
    const writer = new BtfWriter();
    const anonymous = writer.reserve();
    writer.fill(anonymous, { kind: 4, size: 8, vlen: 2, words: ['', anonymous, 0, '', anonymous, 0] });
    writer.compound('struct', 'endless', 8, [['', anonymous, 0]]);
    const type = new BtfTable(writer.bytes()).find('struct', 'endless')!;
    expect(() => definitionLines(type)).toThrow(DataError);
    expect(() => definitionLines(type)).toThrow('has no end of members');
  });
});
