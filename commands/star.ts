import { defineCommand } from '../src/core/command/define.ts';
import { STRUCT_OPERANDS, STRUCT_OPTIONS, showStruct } from '../src/core/command/struct-view.ts';

export default defineCommand({
  name: '*',
  group: 'types',
  summary: 'short for struct and union: *page ADDRESS',
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
    { line: '*list_head', shows: 'the definition' },
    { line: '*task_struct.comm init_task', shows: 'a member' },
  ],
  run: showStruct,
});
