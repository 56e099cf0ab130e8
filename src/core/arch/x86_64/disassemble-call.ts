/**
 * Whether the instruction before a return address is a call, and to where: what tells a return address on a stack
 * from any other word that points into text. Needs no disassembler.
 */
import { endsWithIndirectCall } from './scan.ts';

/** The call that ends at a return address. */
export interface CallSite {
  /** Where it goes; undefined for one through a register or memory. */
  readonly target: bigint | undefined;
}

const DIRECT_CALL_LENGTH = 5;
const CALL_REL32 = 0xe8;

/**
 * The call that the bytes end with; they are those right before `returnAddress`, CALL_LENGTH_MAX of them. Read
 * backwards, bytes can be taken for more than one call: a direct one counts when `isText` accepts its target, and
 * else they may still be an indirect one.
 */
export function callTargetBefore(
  bytes: Uint8Array,
  returnAddress: bigint,
  isText: (address: bigint) => boolean = () => true,
): CallSite | undefined {
  const at = bytes.length - DIRECT_CALL_LENGTH;
  if (at >= 0 && bytes[at] === CALL_REL32) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const target = BigInt.asUintN(64, returnAddress + BigInt(view.getInt32(at + 1, true)));
    if (isText(target)) return { target };
  }
  return endsWithIndirectCall(bytes) ? { target: undefined } : undefined;
}
