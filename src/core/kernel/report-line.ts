/**
 * Which lines of the kernel log open a report, belong to one, and end it. The forms are those of Linux 3.10 to 7.2:
 * printk's wording changes between releases, so each pattern takes what stayed.
 */

export type ReportKind =
  | 'oom'
  | 'hung-task'
  | 'soft-lockup'
  | 'hard-lockup'
  | 'rcu-stall'
  | 'oops'
  | 'bug'
  | 'warning'
  | 'lockdep'
  | 'sanitizer'
  | 'panic'
  | 'segfault'
  | 'sysrq';

export const REPORT_KINDS: readonly ReportKind[] = [
  'oom',
  'hung-task',
  'soft-lockup',
  'hard-lockup',
  'rcu-stall',
  'oops',
  'bug',
  'warning',
  'lockdep',
  'sanitizer',
  'panic',
  'segfault',
  'sysrq',
];

export interface ReportOpening {
  readonly kind: ReportKind;
  readonly title: string;
  /** Who it is about, where the opening line says so. */
  readonly comm: string | undefined;
  readonly pid: number | undefined;
  readonly cpu: number | undefined;
}

/** The banners of lockdep and of its relatives that look at RCU and at atomic sections. */
const LOCKDEP =
  /^(?:WARNING: (?:possible (?:circular|recursive|irq lock inversion)|inconsistent lock state|.*lock order detected|bad (?:unlock balance|contention) detected|suspicious RCU usage|lock held when returning|held lock freed|.* still has locks held|Nested lock was not taken)|\[ BUG: Invalid wait context \]|INFO: trying to register non-static key)/;

/** Named groups tell comm, pid and cpu. The first that matches counts. */
const OPENINGS: readonly { readonly kind: ReportKind; readonly form: RegExp }[] = [
  { kind: 'oom', form: /^(?<comm>.+) invoked oom-killer: / },
  {
    kind: 'hung-task',
    form: /^INFO: task (?<comm>.+):(?<pid>\d+) blocked (?:in I\/O wait )?for more than \d+ seconds/,
  },
  // Since 6.15 (CONFIG_DETECT_HUNG_TASK_BLOCKER); part of the report before it, unless that is no longer in the ring.
  { kind: 'hung-task', form: /^INFO: task (?<comm>.+):(?<pid>\d+) (?:<\w+> )?(?:is )?blocked on an? / },
  { kind: 'soft-lockup', form: /BUG: soft lockup - CPU#(?<cpu>\d+) stuck for \d+s! \[(?<comm>.+):(?<pid>\d+)\]/ },
  { kind: 'hard-lockup', form: /[Ww]atchdog detected hard LOCKUP on cpu (?<cpu>\d+)/ },
  { kind: 'rcu-stall', form: /^(?:rcu: )?INFO: rcu\w* (?:self-)?detected (?:expedited )?stalls? on / },
  { kind: 'lockdep', form: LOCKDEP },
  { kind: 'warning', form: /^WARNING: CPU: (?<cpu>\d+) PID: (?<pid>\d+) at / },
  // Since 7.0 the place comes first and the task last.
  { kind: 'warning', form: /^WARNING: .* at .*, CPU#(?<cpu>\d+): (?<comm>.+)\/(?<pid>\d+)/ },
  { kind: 'sanitizer', form: /^BUG: (?:KASAN|KFENCE|KCSAN|KMSAN|UBSAN): / },
  { kind: 'sanitizer', form: /^UBSAN: / },
  { kind: 'oops', form: /^BUG: (?:kernel NULL pointer dereference|unable to handle )/ },
  {
    kind: 'oops',
    form: /^(?:Oops: )?(?:general protection fault|stack segment|invalid opcode|double fault|int3|divide error|stack guard page|alignment check|SIMD exception|coprocessor fault|control protection fault)\b.*\[#\d+\]/,
  },
  {
    kind: 'oops',
    form: /^(?:Oops: .*\[#\d+\]|(?:traps: )?PANIC: double fault\b|BUG: .* stack guard page was hit at )/,
  },
  { kind: 'bug', form: /^kernel BUG at / },
  {
    kind: 'bug',
    form: /^BUG: (?:Bad |scheduling while atomic: |sleeping function called |using \w+\(\) in preemptible |spinlock |rwlock |rt_mutex |workqueue lockup|workqueue leaked )/,
  },
  { kind: 'panic', form: /^Kernel panic - not syncing: / },
  // The CPU since 6.1 (c926087eb385 "x86/mm: Print likely CPU at segfault time").
  {
    kind: 'segfault',
    form: /^(?<comm>.+)\[(?<pid>\d+)\]: segfault at [0-9a-f]+ ip (?:.* likely on CPU (?<cpu>\d+) )?/,
  },
  { kind: 'segfault', form: /^traps: (?<comm>.+)\[(?<pid>\d+)\] / },
  { kind: 'sysrq', form: /^sysrq: Show (?:Blocked State|State|backtrace of all active CPUs|Locks Held)/ },
];

/** Lines that only announce one: the next line of the same writer says what; after "cut here" a later one may. */
const RULE = /^-+\[ cut here \]-+$|^={10,}$/;
const CUT_HERE = /^-+\[ cut here/;

/** Of any report: stacks, registers, and what names task, CPU, hardware and modules. */
const COMMON = new RegExp(
  [
    '^\\s',
    '^(?:CPU|Hardware name|Workqueue|Sched_ext|Call Trace|Code|RIP|RSP|EFLAGS|EIP|R[A-D]X|R[SD]I|RBP|R\\d\\d|ORIG_RAX|FS|CS|CR2|DR\\d|PKRU|Tainted)\\b.*:',
    '^(?:Modules linked in|Kernel Offset|NMI backtrace for cpu|Sending NMI|note: |task:|PGD |#PF: |Oops: |Stack:|irq event stamp|hardirqs last|softirqs last|Preemption disabled at|last sysfs file)',
    '^-+\\[',
    '^(?:Kernel panic|Call trace)',
    '^[\\w.]+\\+0x[0-9a-f]+/0x[0-9a-f]+',
  ].join('|'),
);

/** What only reports of one kind have besides. */
const OWN: Partial<Readonly<Record<ReportKind, RegExp>>> = {
  oom: /^(?:Mem-Info|Node \d+ |lowmem_reserve|active_anon:|\d+ (?:total pagecache )?pages\b|(?:Free|Total) swap|Swap cache stats|Tasks state|\[\s*(?:pid|\d+)\s*\]|oom-kill:|oom_reaper:|Tasks in |memory: usage|memory\+swap: usage|swap: usage|kmem: usage|Memory cgroup |Out of memory|Killed process|Unreclaimable slab info|Name {2}|[\w-]+ +\d+(?:KB|kB)? *(?:\d+(?:KB|kB))?$|\w+ \d+$)/,
  'hung-task':
    /^(?:"echo 0|INFO: task .* blocked on an? |Future hung task reports|Showing all locks held|\d+ locks? held by|\S.*\s[RSDTtXZPI] (?:stack:|\s*\d))/,
  'rcu-stall': /^rcu: |^(?:\d+-|Tasks blocked on level|\(detected by|Possible timer handling|rcu_\w+ kthread)/,
  lockdep:
    /^(?:\S.* is trying to |\S.* is freeing|but task is|but there is|which lock already|the existing dependency|other info that|stack backtrace|the (?:first|second|shortest|code)|->|\{|\S.* \[.*\] (?:takes|just)|\d+ locks? held by|no locks held|this lock took|inconsistent |---|={10,}|and this task|to a |and interrupts|\*\*\* )/,
  bug: /^(?:Showing (?:busy workqueues|backtraces)|workqueue |pool \d+:|(?:\d+ locks?|no locks) held by|in_atomic\(\)|preempt_count:|page(?:_type)?:|raw:|flags:|page dumped|Disabling lock debugging)/,
  sanitizer:
    /^(?:Read of size|Write of size|The buggy address|Allocated by|Freed by|Memory state|Last potentially|page(?:_type)?:|raw:|flags:|>?f{4}[0-9a-f]{12}:|={10,}|Disabling lock debugging|kfence-#|allocated by|freed by|Invalid |Use-after-free|Out-of-bounds|page dumped)/,
  segfault: /^(?:Code: | in )/,
  sysrq: /^(?:\S.*\s[RSDTtXZPI] (?:stack:|\s*\d))/,
};

const ENDS: Partial<Readonly<Record<ReportKind, RegExp>>> = {
  oops: /^---\[ end trace /,
  bug: /^---\[ end trace /,
  warning: /^---\[ end trace /,
  panic: /^---\[ end Kernel panic/,
  segfault: /^Code: /,
};

/**
 * The report that a line opens; `next` are the lines behind it, for lines that are only a rule: WARN() says in its own
 * words what is wrong before it says where. `current` is the writer's open report: it takes what it would say itself.
 */
export function reportOpening(
  line: string,
  next: readonly string[],
  current?: ReportOpening,
): ReportOpening | undefined {
  if (!RULE.test(line)) return openedBy(line, line, current);
  for (const named of CUT_HERE.test(line) ? next : next.slice(0, 1)) {
    if (RULE.test(named)) return undefined;
    const opening = openedBy(line, named, current);
    if (opening !== undefined) return opening;
  }
  return undefined;
}

function openedBy(line: string, named: string, current: ReportOpening | undefined): ReportOpening | undefined {
  if (current !== undefined && continues(current, line, named)) return undefined;
  for (const { kind, form } of OPENINGS) {
    const groups = form.exec(named);
    if (groups === null) continue;
    const { comm, pid, cpu } = groups.groups ?? {};
    return {
      kind,
      title: named,
      comm,
      pid: pid === undefined ? undefined : Number(pid),
      cpu: cpu === undefined ? undefined : Number(cpu),
    };
  }
  return undefined;
}

/** True for lines that open a report by themselves, but not in this one. */
function continues(current: ReportOpening, line: string, named: string): boolean {
  // The rule was taken with the line that it announced.
  if (current.title === named) return true;
  if (current.kind === 'hung-task')
    return / blocked on an? /.test(line) && line.includes(`${current.comm}:${current.pid} `);
  if (current.kind === 'oops' || current.kind === 'bug') return /^Oops: /.test(line) && !/\[#/.test(current.title);
  return false;
}

export function isReportLine(kind: ReportKind, line: string): boolean {
  if (kind === 'segfault') return OWN.segfault?.test(line) === true;
  return line === '' || RULE.test(line) || COMMON.test(line) || OWN[kind]?.test(line) === true;
}

export function reportEnds(kind: ReportKind, line: string): boolean {
  return ENDS[kind]?.test(line) === true;
}
