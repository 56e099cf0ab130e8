/**
 * Tasks that sleep: each with a stack that can be unwound, made of functions of which every one has a frame of 16
 * bytes. User tasks have the registers of their system call at the end of the stack.
 */
import type { PtRegs } from '../../src/core/arch/x86_64/registers.ts';
import { entry } from './fake-orc.ts';
import { userModeRegisters } from './fake-stack.ts';
import { INACTIVE_TASK_FRAME, StacksKernel, THREAD_SIZE } from './fake-stacks-kernel.ts';
import { FakeTasks, type PlantedTask } from './fake-tasks.ts';

export interface Sleeper extends PlantedTask {
  /** Functions from the innermost out; none: the task is on a CPU. */
  readonly stack?: readonly string[];
}

const FRAME = 16n;
const PT_REGS = 168n;
const INACTIVE = 56n;
const STACK_END_MAGIC = 0x57ac_6e9dn;

export class FakeSleepers {
  readonly tasks: FakeTasks;
  readonly fake: StacksKernel;
  /** The lowest address of each task's stack. */
  readonly stacks = new Map<number, bigint>();

  constructor(sleepers: readonly Sleeper[]) {
    this.fake = new StacksKernel(3);
    this.tasks = new FakeTasks(sleepers, { fake: this.fake });
    const { fake } = this;
    const functions = new Set(sleepers.flatMap(({ stack }) => stack ?? []));
    for (const name of functions) fake.function(name, entry({ spOffset: Number(FRAME) }));
    fake.function('entry_SYSCALL_64', entry({ type: 'end-of-stack', spOffset: 0 }));
    fake.function('after_hwframe', entry({ type: 'regs', spOffset: 0 }));
    fake.function('ret_from_fork', entry({ type: 'end-of-stack', spOffset: 0 }));
    for (const sleeper of sleepers) this.#plant(sleeper);
    fake.finish();
  }

  #plant({ pid, stack, flags = 0 }: Sleeper): void {
    const { fake } = this;
    const task = this.tasks.address(pid);
    const type = fake.type('task_struct');
    const start = fake.stack();
    this.stacks.set(pid, start);
    fake.memory.u64(start, STACK_END_MAGIC);
    fake.set(type, task, 'stack', start);
    if (stack === undefined) {
      fake.set(type, task, 'on_cpu', 1);
      return;
    }
    const isKernel = (flags & 0x20_0000) !== 0;
    const end = start + BigInt(THREAD_SIZE) - (isKernel ? 16n : PT_REGS);
    const sp = end - BigInt(stack.length) * FRAME - INACTIVE;
    const [first = '', ...callers] = stack;
    fake.set(type, task, 'thread.sp', sp);
    fake.place(INACTIVE_TASK_FRAME, { ret_addr: fake.at(first) }, sp);
    const outer = isKernel ? 'ret_from_fork' : 'after_hwframe';
    for (const [i, caller] of [...callers, outer].entries()) {
      fake.memory.u64(sp + INACTIVE + BigInt(i + 1) * FRAME - 8n, fake.at(caller));
    }
    if (!isKernel) fake.registers(end, REGISTERS);
  }
}

/** What user mode had in its registers. */
export const REGISTERS: PtRegs = userModeRegisters({ ax: -38n & 0xffff_ffff_ffff_ffffn, di: 3n, orig_ax: 0n });
