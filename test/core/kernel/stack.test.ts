import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrcVersion } from '../../../src/core/formats/orc.ts';
import { stackOf, type TaskStack, unwindTask, unwindTasks } from '../../../src/core/kernel/stack.ts';
import { recoverRegisters } from '../../../src/core/kernel/stack-registers.ts';
import { exceptionFramesOn, frameWords, textOnStack } from '../../../src/core/kernel/stack-words.ts';
import { struct, U32 } from '../../support/fake-kernel.ts';
import { encodeTables, entry } from '../../support/fake-orc.ts';
import { kernelRegisters, userModeRegisters } from '../../support/fake-stack.ts';
import { MODULE, StacksKernel, TASK_STRUCT } from '../../support/fake-stacks-kernel.ts';

/** schedule <- work <- the system call's entry, on one stack: 0x3e00.. and the user's registers at the top. */
function sleeper(version: OrcVersion = 3) {
  const fake = new StacksKernel(version);
  // push %rbx; sub $0x10,%rsp
  fake.function('schedule', entry({ spOffset: 32 }), Uint8Array.of(0x53, 0x48, 0x83, 0xec, 0x10));
  // push %r12; push %rbp
  fake.function(
    'vfs_read',
    entry({ spOffset: 24, bpRegister: 'prev-sp', bpOffset: -24 }),
    Uint8Array.of(0x41, 0x54, 0x55),
  );
  fake.function('do_exit');
  fake.function('kthread_stop');
  fake.function('wake_up_process');
  fake.function('entry_SYSCALL_64', entry({ type: 'end-of-stack', spOffset: 0 }));
  fake.function('after_hwframe', entry({ type: 'regs', spOffset: 0 }));
  const { task, stack } = fake.task();
  const sp = stack + 0x3e00n;
  const cfa = sp + 56n + 32n;
  fake.sleeps(task, sp, fake.at('schedule'), { bx: 0xb0n, bp: 0xb5n, r12: 0xc1n, r15: 0xc5n });
  fake.memory.u64(cfa - 8n, fake.at('vfs_read'));
  fake.memory.u64(cfa - 16n, 0x1b0n);
  fake.memory.u64(cfa + 16n, fake.at('after_hwframe'));
  fake.memory.u64(cfa + 8n, 0x1c1n);
  fake.memory.u64(cfa, 0x1b5n);
  fake.registers(cfa + 24n, userModeRegisters({ orig_ax: 0n }));
  return { fake, task, stack, sp, cfa };
}

/** The entry at the first byte of entry_SYSCALL_64 is what tells the version; give it the end of the stack. */
function finished(fake: StacksKernel, options: Parameters<StacksKernel['finish']>[0] = {}) {
  return fake.finish(options).kernel();
}

const names = (stack: TaskStack) => stack.frames.map((frame) => frame.symbol?.name);

describe('a sleeping task', () => {
  const { fake, task, stack, sp, cfa } = sleeper();
  const kernel = finished(fake);
  const unwound = unwindTask(kernel, task);

  test('has its functions, with slots, offsets and how they were found', () => {
    expect(names(unwound)).toEqual(['schedule', 'vfs_read', 'after_hwframe']);
    expect(unwound.frames.map((frame) => [frame.index, frame.sp, frame.offset, frame.method])).toEqual([
      [0, sp + 48n, 0x40, 'regs'],
      [1, cfa - 8n, 0x40, 'orc'],
      [2, cfa + 16n, 0x40, 'orc'],
    ]);
    expect(unwound).toMatchObject({ pid: 100, running: false, complete: true, refused: undefined, note: undefined });
  });

  test('ends at the registers that user mode entered with', () => {
    expect(unwound.user).toMatchObject({ address: cfa + 24n, mode: 'user' });
  });

  test('is read in four requests', () => {
    expect(fake.memory.reads.map((batch) => [...new Set(batch.map((request) => request.what))])).toEqual([
      ['task_struct'],
      ['stack'],
      ['.orc_header', 'orc_lookup'],
      ['.orc_unwind_ip', '.orc_unwind'],
    ]);
  });

  test('lists the words of a frame up to its return address', () => {
    const [first, second] = unwound.frames;
    if (first === undefined || second === undefined) throw new Error('no frames');
    expect(frameWords(unwound, first)).toEqual([
      { address: sp + 56n, value: 0n },
      { address: sp + 64n, value: 0n },
      { address: cfa - 16n, value: 0x1b0n },
      { address: cfa - 8n, value: fake.at('vfs_read') },
    ]);
    expect(frameWords(unwound, second).map((word) => word.value)).toEqual([0x1b5n, 0x1c1n, fake.at('after_hwframe')]);
  });

  test('has its callee-saved registers recovered from what the functions pushed', () => {
    expect(recoverRegisters(kernel, unwound).slice(0, 3)).toEqual([
      { bx: 0xb0n, bp: 0xb5n, r12: 0xc1n, r13: 0n, r14: 0n, r15: 0xc5n },
      // schedule saved bx, and nothing else changed it.
      { bx: 0x1b0n, bp: 0xb5n, r12: 0xc1n, r13: 0n, r14: 0n, r15: 0xc5n },
      { bx: 0x1b0n, bp: 0x1b5n, r12: 0x1c1n, r13: 0n, r14: 0n, r15: 0xc5n },
    ]);
  });

  test('shows text and exception frames on its stack', () => {
    expect(textOnStack(kernel, unwound).map(({ address, symbol }) => [address, symbol.name])).toEqual([
      [sp + 48n, 'schedule'],
      [cfa - 8n, 'vfs_read'],
      [cfa + 16n, 'after_hwframe'],
    ]);
    expect(exceptionFramesOn(kernel, unwound).map(({ address, mode }) => [address, mode])).toEqual([
      [cfa + 24n, 'user'],
    ]);
  });

  test('knows the bounds of its stack', () => {
    expect(stackOf(kernel, task)).toMatchObject({ start: stack, end: stack + 0x4000n });
    expect(unwound.image?.address).toBe(stack + 0x3000n);
    expect(unwindTask(kernel, task, { whole: true }).image?.bytes.length).toBe(0x4000);
  });
});

describe('the version of the tables', () => {
  test.each([1, 2, 3, 4] as const)('%i unwinds the same', (version) => {
    const { fake, task } = sleeper(version);
    expect(names(unwindTask(finished(fake), task))).toEqual(['schedule', 'vfs_read', 'after_hwframe']);
  });

  test.each([1, 2, 3] as const)('%i is found without a header', (version) => {
    const { fake, task } = sleeper(version);
    // The entry code's own entry begins at its first byte, not at its second.
    const kernel = finished(withEndAtStart(fake), { header: false });
    const unwound = unwindTask(kernel, task);
    expect(unwound.note).toBeUndefined();
    expect(names(unwound)).toEqual(['schedule', 'vfs_read', 'after_hwframe']);
    expect(fake.memory.reads).toHaveLength(4);
  });

  test('that no header and no probe tells is said in the note, and the stack is searched', () => {
    const { fake, task } = sleeper(3);
    const kernel = finished(fake, { header: false });
    const unwound = unwindTask(kernel, task);
    expect(unwound.frames.map((frame) => frame.method)).toEqual(['regs', 'scan', 'scan']);
    expect(unwound.complete).toBe(false);
    expect(unwound.note).toBe('the unwind stopped: the unwind tables of this kernel fit no kind that kdbg knows');
  });

  test('a table without orc_lookup is searched as a whole', () => {
    const { fake, task } = sleeper();
    expect(names(unwindTask(finished(fake, { lookup: false }), task))).toEqual([
      'schedule',
      'vfs_read',
      'after_hwframe',
    ]);
  });

  test('a corrupt orc_lookup is said', () => {
    const { fake, task } = sleeper();
    fake.finish();
    const lookup = fake.symbols.get('orc_lookup').address;
    for (let word = 0n; word < 16n; word++) fake.memory.writeInteger(lookup + word * 4n, 4, 0xffff_ffffn - word);
    expect(unwindTask(fake.kernel(), task).note).toMatch(/orc_lookup is corrupt for ffffffff81/);
  });
});

function withEndAtStart(fake: StacksKernel): StacksKernel {
  fake.replaceEntry('entry_SYSCALL_64', entry({ type: 'end-of-stack', spOffset: 0 }));
  return fake;
}

test('frames of a module come from its own tables', () => {
  const { fake, task, cfa } = sleeper();
  const text = 0xffff_ffff_c000_0000n;
  const base = 0xffff_ffff_c001_0000n;
  const { addresses, entries } = encodeTables(3, [[text, entry({ spOffset: 16 })]], base);
  fake.memory.write(text, new Uint8Array(0x100));
  fake.memory.write(base, addresses);
  fake.memory.write(base + 0x100n, entries);
  const module = fake.place(MODULE, {
    'arch.num_orcs': 1,
    'arch.orc_unwind_ip': base,
    'arch.orc_unwind': base + 0x100n,
  });
  fake.symbols.add('nvme_wait', text, 't', 'nvme');
  fake.symbols.add('__this_module', module, 'd', 'nvme');
  fake.memory.u64(cfa - 8n, text + 0x20n);
  fake.memory.u64(cfa + 8n, fake.at('after_hwframe'));
  fake.registers(cfa + 16n, userModeRegisters());
  const unwound = unwindTask(finished(fake), task);
  expect(unwound.frames.map((frame) => [frame.symbol?.name, frame.module, frame.method])).toEqual([
    ['schedule', undefined, 'regs'],
    ['nvme_wait', 'nvme', 'orc'],
    ['after_hwframe', undefined, 'orc'],
  ]);
  expect(fake.memory.reads).toHaveLength(4);
});

describe('a kernel that cannot be unwound by ORC', () => {
  test('is unwound by frame pointers', () => {
    const { fake, task, cfa } = sleeper();
    const sp = cfa - 88n;
    fake.sleeps(task, sp, fake.at('schedule'), { bp: sp + 64n });
    fake.memory.u64(sp + 64n, cfa);
    fake.memory.u64(sp + 72n, fake.at('vfs_read'));
    fake.memory.u64(cfa, 0n);
    fake.memory.u64(cfa + 8n, fake.at('after_hwframe'));
    const unwound = unwindTask(fake.kernel(), task);
    expect(unwound.frames.map((frame) => [frame.symbol?.name, frame.method, frame.reliable])).toEqual([
      ['schedule', 'regs', true],
      ['vfs_read', 'fp', true],
      ['after_hwframe', 'fp', true],
    ]);
    expect(unwound.complete).toBe(true);
  });
});

describe('a task whose stack cannot be read', () => {
  test('has given it back', () => {
    const { fake, task } = sleeper();
    fake.set(TASK_STRUCT, task, 'stack', 0n);
    expect(unwindTask(finished(fake), task)).toMatchObject({
      refused: 'the task has exited and given its stack back',
      frames: [],
    });
  });

  test('says what of it is missing', () => {
    const { fake, task, sp } = sleeper();
    fake.memory.fault(sp, 'not-recorded');
    expect(unwindTask(finished(fake), task).refused).toMatch(/cannot read stack .*: not recorded/);
  });

  test('has a stack pointer elsewhere', () => {
    const { fake, task } = sleeper();
    fake.set(TASK_STRUCT, task, 'thread.sp', 0xdead_0000n);
    expect(unwindTask(finished(fake), task).refused).toBe("thread.sp dead0000 is not on the task's stack");
  });

  test('is no task at all', () => {
    const { fake } = sleeper();
    expect(unwindTask(finished(fake), 0xffff_8880_dead_0000n).refused).toMatch(/cannot read task_struct.pid/);
  });

  test('has unwind tables that were not recorded', () => {
    const { fake, task } = sleeper();
    fake.finish();
    fake.memory.fault(fake.symbols.get('__start_orc_unwind').address, 'not-recorded');
    expect(unwindTask(fake.kernel(), task).frames[1]?.method).toBe('scan');
  });
});

describe('a live kernel', () => {
  test('refuses a running task, with its CPU', () => {
    const { fake, task } = sleeper();
    fake.set(TASK_STRUCT, task, 'on_cpu', 1);
    fake.set(TASK_STRUCT, task, 'thread_info.cpu', 3);
    expect(unwindTask(fake.finish().kernel({ liveness: 'live' }), task)).toMatchObject({
      refused: 'the task is running on CPU 3',
      running: true,
    });
  });

  test('looks at the task again after its stack, in the same four requests', () => {
    const { fake, task } = sleeper();
    expect(unwindTask(fake.finish().kernel({ liveness: 'live' }), task).complete).toBe(true);
    expect(fake.memory.reads).toHaveLength(4);
    expect(fake.memory.reads[2]?.some((request) => request.what === 'task_struct')).toBe(true);
  });

  test('reads a task again that ran meanwhile', () => {
    const { fake, task } = sleeper();
    let switches = 0;
    fake.memory.beforeRead = (requests) => {
      if (requests[0]?.what === 'stack' && switches === 0) fake.set(TASK_STRUCT, task, 'nvcsw', ++switches);
    };
    const unwound = unwindTask(fake.finish().kernel({ liveness: 'live' }), task);
    expect(unwound).toMatchObject({ complete: true, note: undefined });
    expect(fake.memory.reads.filter((batch) => batch[0]?.what === 'stack')).toHaveLength(2);
  });

  test('gives up on a task that keeps running, and says so', () => {
    const { fake, task } = sleeper();
    let switches = 0;
    fake.memory.beforeRead = (requests) => {
      if (requests[0]?.what === 'stack') fake.set(TASK_STRUCT, task, 'nivcsw', ++switches);
    };
    const unwound = unwindTask(fake.finish().kernel({ liveness: 'live' }), task);
    expect(unwound.note).toBe('the task ran while its stack was read: frames may be of different moments');
    expect(unwound.complete).toBe(false);
    expect(switches).toBe(3);
  });

  test('refuses a task that is on a CPU after its stack was read', () => {
    const { fake, task } = sleeper();
    fake.memory.beforeRead = (requests) => {
      if (requests[0]?.what === 'stack') fake.set(TASK_STRUCT, task, 'on_cpu', 1);
    };
    expect(unwindTask(fake.finish().kernel({ liveness: 'live' }), task).refused).toBe('the task is running on CPU 0');
  });
});

describe('a task that was on a CPU when the target stopped', () => {
  test('is unwound from the CPU that it was on', () => {
    const { fake, task, cfa } = sleeper();
    fake.set(TASK_STRUCT, task, 'on_cpu', 1);
    const registers = kernelRegisters({ ip: fake.at('vfs_read') + 3n, sp: cfa, bp: 0x99n });
    const unwound = unwindTask(finished(fake), task, { registers: (cpu) => (cpu === 0 ? registers : undefined) });
    expect(names(unwound)).toEqual(['vfs_read', 'after_hwframe']);
    expect(unwound).toMatchObject({ complete: true, running: true });
    expect(unwound.frames[0]).toMatchObject({ interrupted: true, offset: 0x43 });
  });

  test('goes through the interrupt stack of its CPU', () => {
    const { fake, task, cfa } = sleeper();
    fake.function('handle_irq', entry({ spRegister: 'sp-indirect', spOffset: 8 }));
    const irq = fake.stack();
    fake.symbols.add('hardirq_stack_ptr', fake.allocate(8));
    fake.memory.u64(fake.symbols.get('hardirq_stack_ptr').address, irq + 0x4000n - 8n);
    fake.types.add(struct('irq_stack', { stack: { type: U32, at: 0 } }, { size: 0x4000 }));
    fake.set(TASK_STRUCT, task, 'on_cpu', 1);
    fake.memory.u64(irq + 0x3ff0n, cfa - 8n);
    const registers = kernelRegisters({ ip: fake.at('handle_irq'), sp: irq + 0x3ff0n });
    const unwound = unwindTask(finished(fake), task, { registers: () => registers });
    expect(unwound.frames.map((frame) => [frame.symbol?.name, frame.stack?.name])).toEqual([
      ['handle_irq', 'IRQ'],
      ['vfs_read', 'task'],
      ['after_hwframe', 'task'],
    ]);
  });

  test('in user mode has no kernel frames', () => {
    const { fake, task } = sleeper();
    fake.set(TASK_STRUCT, task, 'on_cpu', 1);
    const unwound = unwindTask(finished(fake), task, { registers: () => userModeRegisters() });
    expect(unwound).toMatchObject({ frames: [], refused: undefined, note: 'the task was running in user mode' });
    expect(unwound.user?.registers.ip).toBe(0x40_1234n);
  });

  test('without registers is a list of guesses, labelled so', () => {
    const { fake, task } = sleeper();
    fake.set(TASK_STRUCT, task, 'on_cpu', 1);
    const unwound = unwindTask(finished(fake), task);
    expect(names(unwound)).toEqual(['schedule', 'vfs_read', 'after_hwframe']);
    expect(unwound.frames.every((frame) => frame.method === 'guess' && !frame.reliable)).toBe(true);
    expect(unwound.note).toMatch(/its registers are not known: these are guesses/);
  });
});

test('200 tasks are read in 16 requests, whatever order they are asked in', () => {
  const { fake } = sleeper();
  const tasks = Array.from({ length: 200 }, (_, i) => {
    const { task, stack } = fake.task({ pid: i });
    const sp = stack + 0x3e00n;
    fake.sleeps(task, sp, fake.at('schedule'));
    fake.memory.u64(sp + 80n, fake.at('after_hwframe'));
    fake.registers(sp + 88n, userModeRegisters());
    return task;
  });
  const kernel = finished(fake);
  expect([...unwindTasks(kernel, tasks)].map((stack) => [stack.pid, stack.complete])).toEqual(
    tasks.map((_, i) => [i, true]),
  );
  expect(fake.memory.reads.length).toBeLessThanOrEqual(16);
});

test('a kernel thread has no user registers, whatever lies at the top of its stack', () => {
  const { fake, task, stack, sp } = sleeper();
  fake.function('ret_from_fork_asm', entry({ type: 'end-of-stack', spOffset: 0 }));
  fake.set(TASK_STRUCT, task, 'flags', 0x20_0000);
  fake.memory.u64(sp + 80n, fake.at('ret_from_fork_asm'));
  fake.registers(stack + 0x3f58n, userModeRegisters());
  expect(unwindTask(finished(fake), task)).toMatchObject({ user: undefined, complete: true });
});

test('a cancelled command is not an answer', () => {
  const { fake, task } = sleeper();
  const kernel = fake.finish().kernel({ cancelled: () => true });
  expect(() => unwindTask(kernel, task)).toThrow('interrupted');
});

test('10,000 mutations of task, stack and tables give frames or a reason, never another error', () => {
  const { fake, task, sp, cfa } = sleeper();
  fake.finish();
  const symbols = fake.symbols.list.map((symbol) => symbol.address);
  const regions = [task, task + 0x800n, task + 0x1400n, sp, cfa, fake.symbols.get('orc_lookup').address + 4n];
  regions.push(fake.symbols.get('__start_orc_unwind_ip').address, fake.symbols.get('__start_orc_unwind').address);
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    fc.constantFrom(...symbols, ...regions, 0n),
    fc.nat(255).map(BigInt),
  );
  const edits = fc.array(fc.tuple(fc.nat(regions.length - 1), fc.nat(15), value), { minLength: 1, maxLength: 6 });
  const pristine = new Map([...fake.memory.pages].map(([address, page]) => [address, page.slice()]));
  fc.assert(
    fc.property(edits, fc.constantFrom<'live' | 'frozen'>('live', 'frozen'), (changes, liveness) => {
      const touched = new Set<bigint>();
      for (const [region, word, wrong] of changes) {
        const at = (regions[region] as bigint) + BigInt(word * 8);
        touched.add(at & ~0xfffn).add((at + 7n) & ~0xfffn);
        fake.memory.u64(at, wrong);
      }
      const unwound = unwindTask(fake.kernel({ liveness }), task);
      expect(unwound.frames.length).toBeLessThanOrEqual(1024);
      expect(unwound.frames.length > 0 || unwound.refused !== undefined || unwound.note !== undefined).toBe(true);
      for (const page of touched) fake.memory.pages.get(page)?.set(pristine.get(page) as Uint8Array);
      fake.memory.reads.length = 0;
    }),
    { numRuns: 10_000 },
  );
});
