/**
 * The session of recordings/who-ate-my-log.kdbg: dmesg shows nothing, as a worker of a telemetry service clears the kernel
 * log four times a second with syslog(2). It has no file open for that: it is found by who calls do_syslog, among those
 * who have every right to, by what it asks for.
 */
import type { Guest } from './guest.ts';
import { bare, EVERYDAY, look, note, type Recipe, type Step } from './recording.ts';

const WORKER = 'tm_worker';
const SPOOL = '/var/spool/telemetry';

/** A service that forks a worker for each thing that it collects; the one for the kernel reads the log and clears it. */
const TELEMETRY = `$0 = 'telemetry';
for my $what (qw(load net kernel disk)) {
  next if fork;
  $0 = '${WORKER}';
  open(my $spool, '>>', "${SPOOL}/$what.dat");
  select($spool);
  $| = 1;
  my $buffer = "\\0" x 65536;
  while (1) {
    if ($what eq 'kernel') {
      # SYSLOG_ACTION_READ_CLEAR
      my $length = syscall(103, 4, $buffer, length $buffer);
      print substr($buffer, 0, $length) if $length > 0;
      select(undef, undef, undef, 0.25);
    } else {
      print time, "\\n";
      sleep 5;
    }
  }
}
sleep 1 while 1;
`;

/** Looks through all of the log every second, as dmesg does: SYSLOG_ACTION_READ_ALL. */
const LOGWATCH = `$0 = 'logwatch';
my $buffer = "\\0" x 262144;
while (1) {
  my $length = syscall(103, 3, $buffer, length $buffer);
  sleep 1;
}
`;

/** Crashes three times, and stays. */
const BILLING = `for run in 1 2 3; do
  perl -e '$0 = "billing"; sleep 1; unpack "p", pack("J", 16)'
  sleep 2
done
touch /run/billing.up
exec perl -e '$0 = "billing"; sleep 1 while 1'
`;

/** Reads each record once, by a position of its own. */
const SHIPPER =
  '$0 = "shipper"; open(F, "<", "/dev/kmsg"); open(O, ">", "/run/sent"); syswrite(O, $_) while sysread(F, $_, 8192)';
const HEALTHD = '$0 = "healthd"; open(F, ">", "/dev/kmsg"); sleep 1 while 1';

const prepare = async (guest: Guest): Promise<void> => {
  // The lab's own sleepers are no part of this story.
  await guest.must('echo 0 > /proc/sys/kernel/hung_task_timeout_secs');
  await guest.must(`mkdir -p /opt ${SPOOL}`);
  for (const [name, interpreter, script] of [
    ['telemetry', 'perl', TELEMETRY],
    ['logwatch', 'perl', LOGWATCH],
    ['billing', 'sh', BILLING],
    ['shipper', 'perl', SHIPPER],
    ['healthd', 'perl', HEALTHD],
  ] as const) {
    await guest.put(`/opt/${name}`, script);
    await guest.must(`setsid ${interpreter} /opt/${name} < /dev/null > /dev/null 2>&1 &`);
  }
  await guest.must('until [ -e /run/billing.up ]; do sleep 1; done; sleep 1', { timeoutMs: 60_000 });
  const left = await guest.must('dmesg | wc -l');
  if (left.trim() !== '0') throw new Error(`dmesg still shows ${left.trim()} lines`);
};

interface Process {
  readonly pid: number;
  readonly task: string;
}

/** A member of the file that a task has open as number 3. */
const opened = (task: string, member: string): string =>
  `((struct task_struct *)0x${bare(task)})->files->fdt->fd[3]->${member}`;
const OPENED = ['f_path.dentry->d_name.name', 'f_path.dentry->d_parent->d_name.name', 'f_inode->i_size'];

const actors = async (guest: Guest): Promise<{ readonly thief: Process; readonly workers: readonly Process[] }> => {
  const [answer] = await look(guest, `ps ${WORKER}`);
  const workers = (answer as { readonly rows: readonly Process[] }).rows;
  const [, pid] =
    /\/(\d+)\//.exec(
      await guest.must(`for f in /proc/[0-9]*/fd/3; do readlink $f | grep -q '/kernel.dat$' && echo $f; done; true`),
    ) ?? [];
  const thief = workers.find((each) => each.pid === Number(pid));
  if (thief === undefined) throw new Error(`no ${WORKER} has kernel.dat open`);
  return { thief, workers };
};

const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const { thief } = await actors(guest);
  return [
    note('billing restarts by itself, and dmesg shows nothing at all. Has the kernel nothing to say?'),
    'log -g billing',
    note('It has: billing crashed three times. report knows what such lines mean.'),
    'report',
    note('And dmesg, run on this machine, with the kernel watched meanwhile?'),
    'trace callers do_syslog -- dmesg',
    note(
      'Not a line. It asked the kernel twice, by the system call syslog, which do_syslog serves: once for the size of the log, once for the log. Who has the log open?',
    ),
    'kmsg readers',
    'kmsg readers -w',
    note(
      'shipper has a position of its own and takes nothing from anybody, healthd only writes. But the log was cleared, up to its very end: dmesg begins where whoever cleared it left off. The records are still in the buffer, and so log has them.',
    ),
    note('A system call leaves no file open behind it. Who makes it can be seen only while it is made.'),
    'whatis do_syslog',
    'dis __x64_sys_syslog',
    'trace callers do_syslog',
    note('Two, and both by the same way. What do they ask for? The first argument, type, says it.'),
    'trace probe do_syslog type len ret --for 3',
    note(
      `logwatch asks for 3, SYSLOG_ACTION_READ_ALL, as dmesg does, and gets 0 bytes. ${WORKER} asks for 4, SYSLOG_ACTION_READ_CLEAR: all that came since the last clear, and clear. Four times a second.`,
    ),
    'trace hist syscalls:sys_enter_syslog type common_pid.execname --for 3',
    note(
      'What is done for it in there? syslog_print_all looks for what came since the last clear, and moves the mark.',
    ),
    `trace callees do_syslog -p ${thief.pid} --for 2`,
    note(`Which ${WORKER}? There are several.`),
    `ps ${WORKER}`,
    `ps -p ${thief.pid}`,
    'ps -c telemetry',
    note('It does not look guilty when one looks at it: it sleeps between two calls.'),
    `bt ${thief.pid}`,
    note('And where does it put what it takes?'),
    ...OPENED.map((member) => `p ${opened(thief.task, member)}`),
    note(
      'kernel.dat, in the folder telemetry: nothing is lost. The way out: it should read /dev/kmsg, as shipper does, by a position of its own. And logwatch should, too.',
    ),
  ];
};

/** What a replay can answer besides, of traces: each only as it was typed. */
const TRACES = [
  ...['2', '3', '5', '10'].map((seconds) => `trace callers do_syslog --for ${seconds}`),
  ...['__x64_sys_syslog', 'syslog_print_all', 'syslog_print', 'kmsg_read', 'devkmsg_read', 'security_syslog'].map(
    (name) => `trace callers ${name}`,
  ),
  ...['type', 'type len', 'type ret', 'type comm', 'type buf len source ret'].map(
    (words) => `trace probe do_syslog ${words} --for 3`,
  ),
  ...['type', 'type len ret'].flatMap((words) => [
    `trace probe do_syslog ${words} --for 5`,
    `trace probe do_syslog ${words} -n 10`,
  ]),
  ...['', ' type', ' common_pid.execname'].map((keys) => `trace hist syscalls:sys_enter_syslog${keys}`),
  ...['trace', 'trace probe', 'trace functions *syslog*'],
];

export const recipe: Recipe = {
  name: 'who-ate-my-log',
  kernel: '6.12',
  threads: 'single',
  prepare,
  investigate,
  besides: async (guest) => {
    const { thief, workers } = await actors(guest);
    return [
      ...EVERYDAY,
      ...[
        'log -T',
        'report 1',
        'kmsg',
        'stacks IN',
        'foreach IN bt',
        `ps -p ${WORKER}`,
        'ps -c init',
        `foreach ${WORKER} task`,
      ],
      ...['do_syslog', 'kmsg_read', 'syslog_print_all', 'syslog_print', 'devkmsg_read'].map((name) => `dis ${name}`),
      // Not with p: the session's own values would be numbered behind these.
      ...workers.flatMap(({ task }) => OPENED.map((member) => `rd (&${opened(task, member)})`)),
      ...workers.flatMap(({ task }) => OPENED.slice(0, 2).map((member) => `rd (${opened(task, member)}) 4`)),
      ...['callers', 'callees'].map((question) => `trace ${question} do_syslog -p ${thief.pid}`),
      ...TRACES,
    ];
  },
};
