import { structCommand } from '../src/core/command/struct-view.ts';

export default structCommand({
  name: 'struct',
  summary: 'the definition of a structure, or what is at an address as one',
  examples: [
    { line: 'struct list_head', shows: 'the definition' },
    { line: 'struct -o mutex', shows: 'the definition with offsets' },
    { line: 'struct task_struct.pid,comm init_task', shows: 'two members of the first task' },
    {
      line: 'struct task_struct.pid -l task_struct.tasks (init_task.tasks.next)',
      shows: 'from the address of a member',
    },
    { line: 'struct rq.nr_running runqueues:a', shows: 'a per-CPU variable on every CPU' },
  ],
});
