/**
 * The session of recordings/enosys.kdbg: a 32-bit program that worked for fifteen years and is told "Function not implemented"
 * since it runs on a 64-bit kernel. Which system call it is hides behind a number that means another call to 64-bit
 * programs, to the kernel's tracer as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, keyOf, labRoot, runHost } from './cache.ts';
import type { Guest } from './guest.ts';
import { EVERYDAY, look, note, type Recipe, type Step } from './recording.ts';

const NAME = 'dosrun';

/** The 32-bit program of guest/dosrun.c; without a library it compiles wherever the lab does. */
const buildDosrun = (): Uint8Array => {
  const source = join(labRoot, `guest/${NAME}.c`);
  const alone = ['-static', '-nostdlib', '-ffreestanding', '-fno-pie', '-no-pie', '-fno-stack-protector'];
  const path = cached(`programs/${NAME}-${keyOf(readFileSync(source))}`, (made) => {
    runHost('gcc', ['-m32', '-O2', '-Wall', ...alone, '-s', '-o', made, source]);
  });
  return readFileSync(path);
};

const prepare = async (guest: Guest): Promise<void> => {
  // The lab's own sleepers are no part of this story.
  await guest.must('echo 0 > /proc/sys/kernel/hung_task_timeout_secs');
  await guest.must('mkdir -p /opt/till; echo MZ > /opt/till/TILL.EXE');
  await guest.put(`/opt/till/${NAME}`, buildDosrun());
  await guest.must(`chmod 755 /opt/till/${NAME}`);
  await guest.must(`setsid /opt/till/${NAME} < /dev/null > /dev/null 2>&1 &`);
  await guest.must('until dmesg | grep -q "dosrun: .*Function not implemented"; do sleep 1; done', {
    timeoutMs: 60_000,
  });
};

const pidOf = async (guest: Guest): Promise<number> => {
  const [answer] = await look(guest, `ps ${NAME}`);
  const [process] = (answer?.rows ?? []) as readonly { readonly pid: number }[];
  if (process === undefined) throw new Error(`no ${NAME}`);
  return process.pid;
};

const REFUSED = "trace hist 'raw_syscalls:sys_exit if ret == -38'";

const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const pid = await pidOf(guest);
  return [
    note(
      'The till shows nothing since its disk was put into a new machine. dosrun, which runs its program for DOS, is there.',
    ),
    `ps ${NAME}`,
    `log -g ${NAME}`,
    note(
      'Function not implemented is the text of error 38, ENOSYS: a system call answered that. Which? The kernel can count the system calls that end with -38.',
    ),
    `${REFUSED} id common_pid.execname`,
    note('Number 166, once a second, and nobody else is refused anything. What is 166?'),
    'sys -c 166',
    `${REFUSED} id.syscall`,
    note(
      'umount, says the table, and the tracer says it too. But dosrun unmounts nothing, and umount is certainly there. Where does it come into the kernel?',
    ),
    `bt ${NAME}`,
    'bt 1',
    note(
      'do_int80_emulation: by interrupt 0x80, as 32-bit programs do, and its CS is 0023. init comes by do_syscall_64, with CS 0033. 32-bit programs have numbers of their own.',
    ),
    'sys -c -32 166',
    note(
      'No call has this number. So nothing else refuses it, as a seccomp filter could, which answers before any call is looked up. Mode 0 is none.',
    ),
    `task -R seccomp.mode ${NAME}`,
    note('Let us see it happen: ia32_sys_call finds the function for a number.'),
    `trace callees ia32_sys_call -p ${pid} --depth 1`,
    note(
      'It calls a function for four of five calls, and none that can be traced for the fifth. What does that one return?',
    ),
    "trace probe ia32_sys_call nr ret if 'ret < 0' -n 3",
    'dis __ia32_sys_ni_syscall',
    'eval 0xffffffffffffffda',
    note(
      'That is all: -38. Its name says "not implemented". To 32-bit programs 166 has always been vm86, which runs code for the 8086. Is that anywhere in this kernel?',
    ),
    'sys -c -32 vm86',
    'sym __ia32_sys_vm86',
    'dis __ia32_sys_vm86 4',
    note(
      'W, a weak symbol: what stands in for a call that the kernel was built without, and returns -38 as well. No number leads to it. Can one build a kernel that has it?',
    ),
    'sys config VM86',
    'sys config 64BIT',
    'sys config IA32_EMULATION',
    note(
      'The option is X86_LEGACY_VM86, and a 64-bit kernel has no such option: a processor in 64-bit mode has no virtual 8086 mode. What else is refused?',
    ),
    'sys -c -n -32',
    'sys -c -n',
    note('vm86old, 113, would be no way out. dosrun needs a version that emulates the 8086, or uses KVM.'),
  ];
};

/** What a replay can answer besides, of traces: each only as it was typed. */
const traces = (pid: number): readonly string[] => [
  'trace',
  `${REFUSED} id`,
  `${REFUSED} common_pid.execname`,
  ...[`-p ${pid}`, `-p ${pid} --depth 2`, `-p ${pid} --for 3`].map((words) => `trace callees ia32_sys_call ${words}`),
  `trace callers __ia32_sys_nanosleep_time32 -p ${pid} --for 3`,
  'trace probe ia32_sys_call nr ret --for 3',
];

/** Code that is looked at beyond the session's. */
const CODE = ['ia32_sys_call', 'x64_sys_call', 'do_int80_emulation', 'do_syscall_64', 'sys_ni_syscall'];

export const recipe: Recipe = {
  name: 'enosys',
  kernel: '6.12',
  threads: 'single',
  prepare,
  investigate,
  besides: async (guest) => [
    ...EVERYDAY,
    ...['foreach IN bt', 'sys -c', 'sys -c -32', 'sys -t', 'sys config', `task ${NAME}`],
    ...[...CODE, '__ia32_sys_vm86', '__ia32_sys_vm86old'].map((name) => `dis ${name}`),
    ...traces(await pidOf(guest)),
  ],
};
