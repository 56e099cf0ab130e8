/** What the arguments of commands complete to: by the grammar of expressions, the target's types and its symbols. */
import { describe, expect, it } from 'vitest';
import { complete } from '../../src/core/command/complete.ts';
import { Session } from '../../src/engine/session.ts';
import { U32, U64 } from '../support/fake-kernel.ts';
import { NOT_RECORDING } from '../support/fake-session.ts';
import { typedKernel } from '../support/fake-types-kernel.ts';

const TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct inner { int depth; int width; };
  struct outer_state { int level; struct inner in; struct inner *to; struct list_head link; char pad[80]; };
  typedef int level_t;
  struct inner hits;
`;

function session() {
  const { fake, modulesRead } = typedKernel(TYPES, { lab: 'struct lab_thing { int x; };' });
  const { symbols } = fake;
  symbols.add('outer_state', fake.place(fake.type('outer_state')), 'D', undefined, 128);
  symbols.add('outer_function', 0xffff_ffff_8100_0000n, 'T');
  symbols.add('__pfx_outer_function', 0xffff_ffff_80ff_fff0n, 't');
  symbols.add('outer_lab', 0xffff_ffff_c000_0000n, 'd', 'lab');
  symbols.add('__per_cpu_start', 0n);
  symbols.add('hits', 0x1000n);
  symbols.add('__per_cpu_end', 0x2000n);
  fake.globalInteger('nr_cpu_ids', U32, 2);
  symbols.add('__cpu_possible_mask', fake.globalInteger('mask', U64, 3n));
  const notices: string[] = [];
  const kernel = fake.kernel({ notice: (text) => notices.push(text) });
  const made = new Session({
    kernel,
    recorder: NOT_RECORDING,
    pid: 1,
    cancelled: () => false,
    notices,
    failures: [],
    replay: undefined,
  });
  return { scope: made.scope(), notices, modulesRead, reads: fake.memory.reads };
}

describe('completion', () => {
  const { scope, notices, modulesRead, reads } = session();
  const words = (line: string) => complete(line, line.length, scope).candidates.map(({ text }) => text);

  it.each<[string, readonly string[]]>([
    ['p outer_', ['outer_function', 'outer_lab', 'outer_state']],
    ['p outer_state.l', ['level', 'link']],
    ['p outer_state.in.', ['depth', 'width']],
    ['p outer_state.to->w', ['width']],
    ['p ((struct outer_state *)1)->to->d', ['depth']],
    ['p offsetof(struct inner, w', ['width']],
    ['p sizeof(struct out', ['outer_state']],
    ['p hits:', ['all', '0', '1']],
    ['p hits:0.d', ['depth']],
    ['rd outer_f', ['outer_function']],
    ['struct out', ['outer_state']],
    ['struct outer_state.le', ['level']],
    ['struct outer_state.level,in.w', ['width']],
    ['list outer_state.li', ['link']],
    ['list -H 1 -s outer_state.in.d', ['depth']],
    ['tree -o outer_state.li', ['link']],
    ['sym outer_l', ['outer_lab']],
    ['sym -m l', ['lab']],
    ['dis outer_fu', ['outer_function']],
    ['eval outer_st', ['outer_state']],
    ['p 12', []],
    ['p nothing_like_it.', []],
  ])('%s', (line, expected) => {
    expect(words(line)).toEqual(expected);
  });

  it('says what each candidate is', () => {
    expect(complete('p outer_', 8, scope).candidates).toEqual([
      { text: 'outer_function', detail: 'text' },
      { text: 'outer_lab', detail: 'data [lab]' },
      { text: 'outer_state', detail: 'data' },
    ]);
    expect(complete('p outer_state.to', 16, scope).candidates).toEqual([{ text: 'to', detail: 'struct inner *' }]);
  });

  it('reads no memory but of the CPUs, and tells nothing', () => {
    for (const line of ['p outer_state.in.', 'struct outer_state.le', 'sym outer_l']) words(line);
    expect(reads.flat().filter(({ what }) => !/cpu/.test(what ?? ''))).toEqual([]);
    expect(notices).toEqual([]);
    expect(scope.notices).toEqual([]);
    expect(modulesRead.length).toBeLessThanOrEqual(1);
  });
});
