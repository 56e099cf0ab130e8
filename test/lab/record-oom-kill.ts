/**
 * The session of recordings/oom-kill.kdbg: a cgroup at its limit, a process killed that was neither the largest nor the one
 * that asked, and memory that belongs to no process: files in a tmpfs.
 */
import type { Guest } from './guest.ts';
import { EVERYDAY, look, note, type Recipe, type Step } from './recording.ts';

const CGROUP = '/sys/fs/cgroup/shop';

/** A process of the cgroup: with a name, so many MiB that it has touched (perl makes it twice that), and what it does then. */
const member = (name: string, mib: number, score: number, then: string): string =>
  [
    `(echo 0 > ${CGROUP}/cgroup.procs;`,
    `exec setsid perl -e 'sub put { open(my $f, ">", shift); print {$f} shift }`,
    `put("/proc/self/comm", "${name}"); put("/proc/self/oom_score_adj", ${score});`,
    `my $m = "x" x (${mib} << 20); put("/run/${name}.up", 1); ${then}'`,
    ') < /dev/null > /dev/null 2>&1 &',
  ].join(' ');

const SLEEP = 'sleep 1 while 1';
/** 44 MiB of files in a tmpfs, then memory until it does not fit. */
const EXPORT = [
  'for my $i (1..11) { open(my $f, ">", "/dev/shm/export.$i"); print {$f} "y" x (4 << 20); close $f }',
  'my @rows; for (1..15) { push @rows, "z" x (1 << 20); select(undef, undef, undef, 0.05) }',
  SLEEP,
].join('; ');

const prepare = async (guest: Guest): Promise<void> => {
  await guest.must('grep -q cgroup2 /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup');
  await guest.must('mkdir -p /dev/shm; grep -q /dev/shm /proc/mounts || mount -t tmpfs none /dev/shm');
  await guest.must(`echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir ${CGROUP}`);
  await guest.must(`echo 96M > ${CGROUP}/memory.max`);
  await guest.must('setsid cat /dev/kmsg > /run/kern.log 2> /dev/null < /dev/null &');
  for (const [name, mib, score] of [
    ['database', 12, 0],
    ['webshop', 3, 300],
  ] as const) {
    await guest.must(member(name, mib, score, SLEEP));
    await guest.must(`until [ -e /run/${name}.up ]; do sleep 1; done`, { timeoutMs: 60_000 });
  }
  await guest.must(member('export', 1, 0, EXPORT));
  await guest.must('until dmesg | grep -q "Killed process"; do sleep 1; done; sleep 2', { timeoutMs: 120_000 });
};

const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const [reports, processes] = await look(guest, 'report -k oom', 'ps');
  const names = (processes?.rows ?? []).map((row) => (row as { readonly comm: string }).comm);
  const found = (reports?.rows ?? []) as readonly { readonly number: number; readonly comm: string }[];
  const [report] = found;
  if (report === undefined || found.length !== 1) throw new Error(`${found.length} OOM kills`);
  if (names.includes('webshop') || !names.includes('database'))
    throw new Error(`another process than webshop died: ${names.join(', ')} are there`);

  return [
    note('The web shop is down: its process is gone. Nobody has stopped it, and the machine has memory to spare.'),
    'sys',
    'ps database export',
    note('A process that ends for no reason of its own was killed. Does the kernel say so?'),
    'log -i -g /kill/',
    note('The OOM killer. When was that?'),
    'log -T -g "Killed process"',
    note('And what was said around it? -B and -A show the records before and after one that matches.'),
    'log -g oom-kill: -B 6 -A 2',
    note('That is the end of a long report. report finds it whole.'),
    'report',
    `report ${report.number}`,
    note(
      'Read it from the top: export asked for a page, on its way through a page fault. The stack says that it is the memory cgroup that refuses, try_charge_memcg, not the machine. Then the usage and the limit of the cgroup, what it is spent on, the table of its processes, and at the end the verdict.',
    ),
    note(
      'The sizes in the table are pages of 4 KiB. Taken together the processes have two thirds of the limit of 96 MiB: so who has the rest? And database has the most of all: so why did webshop die?',
    ),
    'oom',
    note(
      'Nearly half of it is shared memory and tmpfs: shmem in the report. It belongs to no process, so no kill frees it. export writes files to /dev/shm, and a tmpfs is memory, charged to the cgroup of who writes it.',
    ),
    note(
      'And webshop died for its oom_score_adj of 300: 300 thousandths of the limit, 28 MiB, count as if it had used them. Whoever set that had meant something else.',
    ),
    note('Who was told? Somebody reads the log, and has read all of it.'),
    'kmsg readers',
    note('So: a limit or another place for the files of export, a negative oom_score_adj for webshop, and an alert.'),
  ];
};

export const recipe: Recipe = {
  name: 'oom-kill',
  kernel: '6.12',
  prepare,
  investigate,
  besides: [...EVERYDAY, 'kmsg readers -w', 'oom -a', 'vdso 1', 'sys -c -n', 'sys -t'],
};
