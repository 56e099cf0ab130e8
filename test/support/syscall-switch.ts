/** A switch over numbers of system calls, as a compiler writes it: 0, 3 and 0x100 are calls, and no other. */

export const SWITCH_START = 0xffff_ffff_8200_0000n;

export interface SwitchTargets {
  readonly none: bigint;
  readonly first: bigint;
  readonly third: bigint;
  readonly last: bigint;
}

/** What is called stands relative to the start of the code. */
export function switchCode({ none, first, third, last }: SwitchTargets): Uint8Array<ArrayBuffer> {
  const far = (opcode: number, at: number, target: bigint): readonly number[] => {
    const bytes = new Uint8Array(5);
    bytes[0] = opcode;
    new DataView(bytes.buffer).setInt32(1, Number(target - SWITCH_START) - at - 5, true);
    return [...bytes];
  };
  return Uint8Array.from([
    ...[0xf3, 0x0f, 0x1e, 0xfa], // 0: endbr64
    ...[0x0f, 0x1f, 0x44, 0x00, 0x00], // 4: nopl, where ftrace calls
    ...[0x83, 0xfe, 0x03], // 9: cmp $3,%esi
    ...[0x74, 0x14], // 12: je 34
    ...[0x0f, 0x87, 0x13, 0, 0, 0], // 14: ja 39
    ...[0x85, 0xf6], // 20: test %esi,%esi
    ...[0x74, 0x05], // 22: je 29
    ...far(0xe9, 24, none),
    ...far(0xe9, 29, first),
    ...far(0xe9, 34, third),
    ...[0x81, 0xfe, 0x00, 0x01, 0x00, 0x00], // 39: cmp $0x100,%esi
    ...[0x75, 0xe9], // 45: jne 24
    ...far(0xe8, 47, last),
    0xc3,
  ]);
}
