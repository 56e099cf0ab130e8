/**
 * ELF notes: in /proc/kcore and dumps (registers of each CPU, VMCOREINFO), and in /sys/kernel/notes and
 * /sys/module/NAME/notes/* (the build id).
 *
 *     n_namesz u32 · n_descsz u32 · n_type u32 · name, NUL-terminated, padded to 4 · desc, padded to 4
 */
import { decodeCString } from '../memory/text.ts';

/** n_type of the build id in a note named GNU; of registers in a note named CORE. */
export const NT_GNU_BUILD_ID = 3;
export const NT_PRSTATUS = 1;

export interface ElfNote {
  readonly name: string;
  readonly type: number;
  /** A view of the bytes given. */
  readonly description: Uint8Array;
}

const NOTE_HEADER_LENGTH = 12;
const NAME_MAX = 256;

/** The notes in order. Ends before one that does not fit: a cut or padded section keeps the notes before it. */
export function* parseNotes(bytes: Uint8Array): Generator<ElfNote> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + NOTE_HEADER_LENGTH <= bytes.length) {
    const nameLength = view.getUint32(at, true);
    const descriptionLength = view.getUint32(at + 4, true);
    const nameAt = at + NOTE_HEADER_LENGTH;
    const descriptionAt = nameAt + padded(nameLength);
    const end = descriptionAt + descriptionLength;
    if (end > bytes.length || nameLength > NAME_MAX) return;
    yield {
      name: decodeCString(bytes, nameAt, nameAt + nameLength),
      type: view.getUint32(at + 8, true),
      description: bytes.subarray(descriptionAt, end),
    };
    at = descriptionAt + padded(descriptionLength);
  }
}

/** The build id in hex, from a note section or the bytes of /sys/kernel/notes. */
export function parseBuildId(notes: Uint8Array): string | undefined {
  for (const note of parseNotes(notes)) {
    if (note.name !== 'GNU' || note.type !== NT_GNU_BUILD_ID || note.description.length === 0) continue;
    if (note.description.length > 64) return undefined;
    return Array.from(note.description, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return undefined;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
