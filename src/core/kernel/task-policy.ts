/**
 * Scheduling policies: task_struct.policy, by the numbers of include/uapi/linux/sched.h. SCHED_EXT came with
 * f0e1a0643a59 "sched_ext: Implement BPF extensible scheduler class" (v6.12); SCHED_ISO was never built.
 */

export interface SchedulingPolicy {
  readonly number: number;
  /** As the kernel names it, without SCHED_. */
  readonly name: string;
}

export const SCHEDULING_POLICIES: readonly SchedulingPolicy[] = [
  { number: 0, name: 'NORMAL' },
  { number: 1, name: 'FIFO' },
  { number: 2, name: 'RR' },
  { number: 3, name: 'BATCH' },
  { number: 4, name: 'ISO' },
  { number: 5, name: 'IDLE' },
  { number: 6, name: 'DEADLINE' },
  { number: 7, name: 'EXT' },
];

/** A policy by number or by name in any case (`OTHER` is NORMAL); undefined when there is none. */
export function findPolicy(text: string): number | undefined {
  const name = text.toUpperCase().replace(/^SCHED_/, '');
  const found = SCHEDULING_POLICIES.find((each) => each.name === name || String(each.number) === name);
  return name === 'OTHER' ? 0 : found?.number;
}

/** The policy's name, or its number where it has none here. */
export function schedulingPolicy(number: number): string {
  return SCHEDULING_POLICIES.find((each) => each.number === number)?.name ?? String(number);
}
