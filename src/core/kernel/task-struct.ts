/**
 * What kdbg reads of struct task_struct, struct pid and struct mm_struct to list tasks.
 */
import { chars, defineStruct, embedded, int, type Loaded, long, optional, pointer } from './struct.ts';

export const TaskStruct = defineStruct('task_struct', {
  pid: int('pid'),
  tgid: int('tgid'),
  comm: chars('comm'),
  // Renamed by 2f064a59a11f "sched: Change task_struct::state" (v5.14), which also made it 32 bits wide.
  state: int('__state', 'state'),
  exitState: int('exit_state'),
  flags: int('flags'),
  // Moved by bcf9033e5449 "sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y" (v5.16).
  cpu: optional(int('thread_info.cpu', 'cpu')),
  onCpu: optional(int('on_cpu')),
  stack: pointer('stack'),
  sp: pointer('thread.sp'),
  mm: pointer('mm'),
  realParent: pointer('real_parent'),
  groupLeader: pointer('group_leader'),
  signal: pointer('signal'),
  threadNode: embedded('thread_node'),
  tasks: embedded('tasks'),
  pidLinks: embedded('pid_links'),
  prio: int('prio'),
  staticPrio: int('static_prio'),
  normalPrio: int('normal_prio'),
  policy: int('policy'),
  rtPriority: int('rt_priority'),
  /** Nanoseconds of CPU in user and kernel mode, without what the cputime accounting adds later. */
  utime: long('utime'),
  stime: long('stime'),
  sumExec: long('se.sum_exec_runtime'),
  /** Nanoseconds since boot, suspend included. Renamed by cf25e24db61c "time: Rename tsk->real_start_time" (v5.6). */
  startTime: long('start_boottime', 'real_start_time'),
  voluntarySwitches: long('nvcsw'),
  involuntarySwitches: long('nivcsw'),
  /** Nanoseconds of the run queue's clock when it last came onto a CPU; only with CONFIG_SCHED_INFO. */
  lastArrival: optional(long('sched_info.last_arrival')),
});

/** One task: the fields are read when they are asked for. */
export type Task = Loaded<typeof TaskStruct.fields>;

/** PF_KTHREAD: a kernel thread; PF_IDLE: the idle task of a CPU (since c1de45ca831a, v4.10). */
export const PF_IDLE = 0x0000_0002;
export const PF_EXITING = 0x0000_0004;
export const PF_KTHREAD = 0x0020_0000;

export const MmStruct = defineStruct('mm_struct', {
  totalVm: long('total_vm'),
  pgd: pointer('pgd'),
  argStart: long('arg_start'),
  argEnd: long('arg_end'),
  envStart: long('env_start'),
  envEnd: long('env_end'),
  startStack: long('start_stack'),
  rssStat: embedded('rss_stat'),
});

export function isKernelThread(task: Task): boolean {
  return (task.flags & PF_KTHREAD) !== 0;
}
