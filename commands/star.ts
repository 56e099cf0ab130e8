import { structCommand } from '../src/core/command/struct-view.ts';

export default structCommand({
  name: '*',
  summary: 'short for struct and union: *page ADDRESS',
  examples: [
    { line: '*list_head', shows: 'the definition' },
    { line: '*task_struct.comm init_task', shows: 'a member' },
  ],
});
