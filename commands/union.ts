import { defineCommand } from '../src/core/command/define.ts';
import { STRUCT_OPERANDS, STRUCT_OPTIONS, showStruct } from '../src/core/command/struct-view.ts';

export default defineCommand({
  name: 'union',
  group: 'types',
  summary: 'the definition of a union, or what is at an address as one',
  description: [
    'Without an address the definition is shown as C, with the size; -o adds offsets. With an address the bytes there are shown as one. Members may be chosen: NAME.MEMBER, with several after commas, each a path like thread.sp or pids[1].',
    'For a per-CPU variable the CPUs stand behind a colon: struct rq.nr_running runqueues:0,2-3 or runqueues:a.',
    'struct and union take either kind of tag; the name alone ("task_struct" or "*task_struct") does the same.',
  ],
  needs: ['types'],
  input: 'address',
  options: STRUCT_OPTIONS,
  operands: STRUCT_OPERANDS,
  examples: [
    { line: 'union sigval', shows: 'the definition' },
    { line: 'union sigval -o', shows: 'with offsets' },
  ],
  run: showStruct,
});
