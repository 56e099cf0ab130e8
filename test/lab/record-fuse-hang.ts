/**
 * The session of recordings/fuse-hang.kdbg: a queue for a directory's lock, held by a task that waits for the server of a FUSE
 * file system, which is stopped. No cycle: what matters is who stands at the end.
 */
import type { Guest } from './guest.ts';
import { awaitHung, bare, EVERYDAY, evaluate, look, note, type Recipe, type Step, stacksByComm } from './recording.ts';

const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const stackOf = await stacksByComm(guest);
  const [mkdir, touch] = [stackOf('mkdir'), stackOf('touch')];
  const [backup, head] = ['backup', 'head'].map(await stacksByComm(guest, 'IN'));
  const [stopped] = await look(guest, 'ps ST');
  const server = (stopped as { rows: readonly { pid: number; task: string }[] }).rows[0];
  if (!backup || !head || !server) throw new Error('the actors are not all there');
  const [locks] = await look(guest, `locks ${backup.pid}`);
  const names = (locks as { rows: readonly { name: string }[] }).rows.map(({ name }) => name);
  const request = names.flatMap((name) => /^fuse_req (\S+) /.exec(name)?.[1] ?? [])[0];
  if (request === undefined) throw new Error('backup waits for no FUSE request');
  const connection = bare(await evaluate(guest, `((struct fuse_req *)0x${request})->fm->fc`));
  const files = `((struct task_struct *)${server.task})->files->fdt`;
  const device = bare(await evaluate(guest, `${files}->fd[3]->private_data`));

  return [
    note('Whoever looks into /mnt/share hangs. What is in uninterruptible sleep, and in what?'),
    'ps -m UN',
    'stacks UN',
    note(
      'cat, touch and mkdir wait for an rwsem, on their way through a path. lab_recurse and lab_killable are always there on this machine.',
    ),
    `waiters ${mkdir.pid}`,
    note(
      'All three are on one queue: the lock of the directory /mnt/share. Who looks a name up locks its directory, and so does who makes one. backup has it. What does backup do?',
    ),
    `ps ${backup.pid}`,
    `bt ${backup.pid}`,
    note(
      'It is not in the list above: IN is interruptible sleep. It opens a file, with the directory locked, and the file system is FUSE: a program in user space has to say what is there. request_wait_answer sleeps until it has.',
    ),
    note('What did it ask? The wait queue that it sleeps on is part of the request.'),
    `locks ${backup.pid}`,
    `struct fuse_req.in -d ${request}`,
    'whatis enum fuse_opcode',
    note(
      'FUSE_LOOKUP, the simplest of questions. Who has to answer? The request leads to the connection to its server.',
    ),
    `px ((struct fuse_req *)0x${request})->fm->fc`,
    note('A server has /dev/fuse open. Which of the programs that look suspicious does? One is stopped, state ST.'),
    'ps ST',
    `px ${files}->fd[3]->f_op`,
    note('Its descriptor 3 is /dev/fuse. And for which connection?'),
    `struct fuse_dev.fc ${device}`,
    note(`The same, ${connection}: this is the server. Why does it not answer?`),
    `bt ${server.pid}`,
    note(
      'do_signal_stop: somebody has sent it SIGSTOP, or pressed Ctrl-Z. It holds no lock and waits for none, so no list of blocked tasks shows it, and all of them wait for it.',
    ),
    note('The same in one command each.'),
    'blocked',
    'locks -e',
    note('There is no cycle. deadlock shows the longest way instead, and who stands at its end.'),
    'deadlock',
    `walk ${touch.pid}`,
    'walk up',
    'walk up',
    note('head hangs as well, and waits for no lock: it asks the server itself.'),
    `waiters ${head.pid}`,
    note('The kernel complains of those that queue, not of the one that matters.'),
    'log -g "blocked for more"',
    note(
      `The way out is kill -CONT ${server.pid}. Were the server beyond help, writing 1 to /sys/fs/fuse/connections/N/abort would end all its requests with an error, with N as in dev below.`,
    ),
    `p ((struct fuse_conn *)0x${connection})->dev`,
  ];
};

export const recipe: Recipe = {
  name: 'fuse-hang',
  kernel: '6.12',
  prepare: (guest) => awaitHung(guest, 'mkdir', () => guest.must('hang fuse')),
  investigate,
  besides: [...EVERYDAY, 'ps ST', 'foreach ST bt'],
};
