/**
 * The kinds of BTF records and how long each is. A record is 12 bytes (name, info, size or type) and then, by kind, a
 * fixed part and `vlen` elements. Info packs vlen, kind and a flag:
 *
 *     bits 0-23 vlen | bits 24-30 kind | bit 31 kind_flag
 *
 * Kernels before f7a6b9eaff3e gave vlen 16 bits and the kind 5, and kept the bits between them zero: one reading
 * serves both.
 */

export const BTF_KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  variable: 14,
  dataSection: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

export const BTF_RECORD_LENGTH = 12;

/** Bytes of the fixed part that follows the record of each kind. */
const FIXED = [0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0];
/** Bytes of each of the vlen elements that follow then. */
const ELEMENT = [0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12];
const KIND_MAX = 127;

/** Record lengths by kind: -1 in `fixed` for a kind that nobody described. */
export interface BtfRecordLengths {
  readonly fixed: Int16Array;
  readonly element: Int16Array;
}

/** The lengths of the known kinds, and of those beyond that the blob's own layout section describes. */
export function btfRecordLengths(
  view: DataView,
  layout: { readonly start: number; readonly end: number } | undefined,
  base: BtfRecordLengths | undefined,
): BtfRecordLengths {
  const fixed = base === undefined ? new Int16Array(KIND_MAX + 1).fill(-1) : base.fixed.slice();
  const element = base === undefined ? new Int16Array(KIND_MAX + 1) : base.element.slice();
  for (let kind = 1; kind < FIXED.length; kind++) {
    fixed[kind] = FIXED[kind] as number;
    element[kind] = ELEMENT[kind] as number;
  }
  // Four bytes a kind: length of the fixed part, length of an element, flags (none is defined).
  for (let kind = 0; layout !== undefined && kind <= KIND_MAX; kind++) {
    const at = layout.start + kind * 4;
    if (at + 4 > layout.end) break;
    if (kind < FIXED.length) continue;
    fixed[kind] = view.getUint8(at);
    element[kind] = view.getUint8(at + 1);
  }
  return { fixed, element };
}
