/**
 * The stacks that kernel code runs on. A sleeping task has one, its own. A CPU has more, and switches to them:
 *
 *     irq      hard and soft interrupts             per-CPU, its top word points back to the stack below
 *     #DF NMI #DB #MC #VC #VC2                       exceptions with a stack of their own (the IST), in the
 *                                                    cpu_entry_area; struct pt_regs at the top has the sp below
 *     entry    the trampoline that user mode enters on, left after a few instructions
 *
 * Unwinding crosses from one to the next, and never returns to one that it has left.
 */

export type StackKind = 'task' | 'irq' | 'entry' | 'exception';

/** The addresses of one stack: [start, end), growing down from `end`. */
export interface Stack {
  readonly kind: StackKind;
  /** As crash heads it: "IRQ", "NMI", "#DF"; "task" for a task's own. */
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
}

/** The stacks that an unwind may touch, and the memory in them. */
export interface StackMemory {
  /** The stack that the address is in. */
  stackAt(address: bigint): Stack | undefined;
  /** Eight bytes at an address within one of the stacks; undefined elsewhere and where they cannot be read. */
  word(address: bigint): bigint | undefined;
  /** Bytes within one stack; undefined when any of them is outside or cannot be read. */
  bytes(address: bigint, length: number): Uint8Array | undefined;
}

/** Bytes of one stack as they were at one moment: a task's, read with one request. */
export interface StackImage {
  readonly stack: Stack;
  /** Address of the first of the bytes, which reach to the stack's end. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/**
 * Stack memory over images of some stacks, and for the other stacks (none, for a sleeping task) over what `read`
 * answers.
 */
export function stackMemory(
  images: readonly StackImage[],
  others: readonly Stack[] = [],
  read: (address: bigint, length: number) => Uint8Array | undefined = () => undefined,
): StackMemory {
  const views = images.map((image) => ({
    ...image,
    view: new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength),
  }));
  const stacks = [...images.map((image) => image.stack), ...others];
  const memory: StackMemory = {
    stackAt: (address) => stacks.find((stack) => address >= stack.start && address < stack.end),
    word(address) {
      for (const image of views) {
        if (address < image.stack.start || address >= image.stack.end) continue;
        const offset = Number(address - image.address);
        return offset >= 0 && offset + 8 <= image.bytes.length ? image.view.getBigUint64(offset, true) : undefined;
      }
      const bytes = memory.bytes(address, 8);
      return bytes && new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    },
    bytes(address, length) {
      for (const image of views) {
        if (address < image.stack.start || address >= image.stack.end) continue;
        const offset = Number(address - image.address);
        return offset >= 0 && offset + length <= image.bytes.length
          ? image.bytes.subarray(offset, offset + length)
          : undefined;
      }
      const stack = memory.stackAt(address);
      return stack !== undefined && address + BigInt(length) <= stack.end ? read(address, length) : undefined;
    },
  };
  return memory;
}
