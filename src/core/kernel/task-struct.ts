/**
 * What kdbg reads of struct task_struct and of struct mm_struct to list tasks. The members lie close together, so that
 * a task is one or two pages; what only some commands need is declared where they are.
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
  // Moved by bcf9033e5449 "sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y" (v5.16). Neither is
  // there on a kernel for one CPU.
  cpu: optional(int('thread_info.cpu', 'cpu')),
  onCpu: optional(int('on_cpu')),
  stack: pointer('stack'),
  mm: pointer('mm'),
  activeMm: pointer('active_mm'),
  realParent: pointer('real_parent'),
  parent: pointer('parent'),
  groupLeader: pointer('group_leader'),
  children: embedded('children'),
  signal: pointer('signal'),
  threadNode: embedded('thread_node'),
  tasks: embedded('tasks'),
  pidLinks: embedded('pid_links'),
  /** The struct pid of its PID; NULL once the task has been released: its memory is there for a while longer. */
  threadPid: pointer('thread_pid'),
  prio: int('prio'),
  staticPrio: int('static_prio'),
  normalPrio: int('normal_prio'),
  policy: int('policy'),
  rtPriority: int('rt_priority'),
  /** Nanoseconds of CPU in user and kernel mode, as gathered: /proc scales them to the scheduler's sum. */
  utime: long('utime'),
  stime: long('stime'),
  /** Nanoseconds of CPU that the scheduler counted. */
  sumExec: long('se.sum_exec_runtime'),
  /** Nanoseconds since boot, suspend included. Renamed by cf25e24db61c "time: Rename tsk->real_start_time" (v5.5). */
  startTime: long('start_boottime', 'real_start_time'),
  voluntarySwitches: long('nvcsw'),
  involuntarySwitches: long('nivcsw'),
  /** Nanoseconds of the run queue's clock when it last came onto a CPU; only with CONFIG_SCHED_INFO. */
  lastArrival: optional(long('sched_info.last_arrival')),
});

/** One task: the fields are read when they are asked for. */
export type Task = Loaded<typeof TaskStruct.fields>;

/** PF_IDLE: the idle task of a CPU (c1de45ca831a, v4.10). */
export const PF_IDLE = 0x0000_0002;
export const PF_EXITING = 0x0000_0004;
/** PF_KTHREAD: a kernel thread. */
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
