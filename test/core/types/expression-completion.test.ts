import { describe, expect, test } from 'vitest';
import { expressionCandidates } from '../../../src/core/types/expression-candidates.ts';
import { expressionCompletion } from '../../../src/core/types/expression-completion.ts';
import { Value } from '../../../src/core/types/value.ts';
import { ExpressionKernel, TASK } from '../../support/c-types.ts';

const kernel = new ExpressionKernel();
kernel.variables.set('task', Value.at(kernel.memory, TASK, kernel.second));
const { environment } = kernel;

/** What is completed at the `|` of a text, as "kind start prefix rest". */
function completed(marked: string): string {
  const cursor = marked.indexOf('|');
  const found = expressionCompletion(marked.replace('|', ''), cursor, environment);
  if (found === undefined) return 'nothing';
  const rest =
    found.kind === 'member'
      ? (found.type.name ?? 'anonymous')
      : found.kind === 'type'
        ? found.namespace
        : found.kind === 'name' && found.types
          ? 'types'
          : '';
  return `${found.kind} ${found.start} "${found.prefix}" ${rest}`.trimEnd();
}

test.each([
  ['|', 'name 0 ""'],
  ['ini|', 'name 0 "ini"'],
  ['ini|t_task', 'name 0 "ini"'],
  ['1 + ini|', 'name 4 "ini"'],
  ['init_task.|', 'member 10 "" task_struct'],
  ['init_task.co|', 'member 10 "co" task_struct'],
  ['init_task . co|', 'member 12 "co" task_struct'],
  ['1 + init_task.tasks.|', 'member 20 "" list_head'],
  ['init_task.tasks.next->|', 'member 22 "" list_head'],
  ['task_pointer->pa|', 'member 14 "pa" task_struct'],
  ['task_pointer->parent->se.|', 'member 25 "" sched_entity'],
  ['task_pointer[3].|', 'member 16 "" task_struct'],
  ['(*task_pointer).|', 'member 16 "" task_struct'],
  ['((struct task_struct *)untyped)->|', 'member 33 "" task_struct'],
  ['((task_struct *)0x1000)->se.|', 'member 28 "" sched_entity'],
  ['container_of(untyped, struct task_struct, tasks)->|', 'member 50 "" task_struct'],
  ['per_cpu(runqueues, 1).|', 'member 22 "" rq'],
  ['runqueues:0.|', 'member 12 "" rq'],
  ['runqueues.curr->|', 'member 16 "" task_struct'],
  ['$task.|', 'member 6 "" task_struct'],
  ['1 + $ta|', 'variable 5 "ta"'],
  ['$|', 'variable 1 ""'],
  ['struct |', 'type 7 "" struct'],
  ['(struct tas|', 'type 8 "tas" struct'],
  ['sizeof(union x|', 'type 13 "x" union'],
  ['(|', 'name 1 "" types'],
  ['(u3|', 'name 1 "u3" types'],
  ['sizeof(u|', 'name 7 "u" types'],
  ['(struct task_struct *)unt|', 'name 22 "unt"'],
  ['offsetof(struct task_struct, |', 'member 29 "" task_struct'],
  ['offsetof(task_struct, se.v|', 'member 25 "v" sched_entity'],
  ['offsetof(struct task_struct, nope.|', 'nothing'],
  ['container_of(init_task.tasks.next, struct task_struct, ta|', 'member 55 "ta" task_struct'],
  ['container_of(init_task.|', 'member 23 "" task_struct'],
  ['runqueues:|', 'cpu 10 ""'],
  ['1 ? x:|', 'name 6 ""'],
  ['12|', 'nothing'],
  ['untyped.|', 'nothing'],
  ['nothere.|', 'nothing'],
  ['"ab|', 'nothing'],
  ['init_task |', 'nothing'],
  ['].|', 'nothing'],
  [').|', 'nothing'],
  ['.|', 'nothing'],
])('%s', (marked, expected) => {
  expect(completed(marked)).toBe(expected);
});

test('reads no memory', () => {
  kernel.fake.memory.reads.length = 0;
  completed('init_task.tasks.next->next->|');
  completed('$task.parent->parent->|');
  expect(kernel.fake.memory.reads).toEqual([]);
});

describe('candidates', () => {
  const names = (text: string, limit = 10) =>
    expressionCandidates(text, text.length, environment, limit).candidates.map(({ text: name }) => name);

  test('are members with their types, through anonymous ones', () => {
    const { start, candidates } = expressionCandidates('init_task.m', 11, environment, 10);
    expect(start).toBe(10);
    expect(candidates).toEqual([
      { text: 'mm', detail: 'void *' },
      { text: 'mode', detail: 'int' },
    ]);
  });

  test('are symbols and builtins, variables, CPUs', () => {
    expect(names('sch')).toEqual(['schedule', 'schedule.cold']);
    expect(names('si')).toEqual(['sizeof']);
    expect(names('per')).toEqual(['per_cpu', 'per_cpu_ptr']);
    expect(names('$')).toEqual(['task']);
    expect(names('runqueues:')).toEqual(['all', '0', '1', '2', '3']);
    expect(names('init_task.', 3)).toHaveLength(3);
    expect(names('"')).toEqual([]);
  });
});

test('any text is completed or not, and never an error', () => {
  const pieces = [
    'init_task',
    '.',
    '->',
    '(',
    ')',
    '[',
    ']',
    'struct ',
    'sizeof',
    ',',
    '$',
    ':',
    '?',
    '1',
    '"',
    "'",
    '*',
    'x',
    'offsetof(',
    'container_of(',
  ];
  let state = 7;
  for (let i = 0; i < 3000; i++) {
    let text = '';
    for (let length = i % 12; length >= 0; length--) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      text += pieces[state % pieces.length];
    }
    expect(() => expressionCompletion(text, text.length, environment)).not.toThrow();
  }
});
