/**
 * The kernel's VMCOREINFO: from the backend that carries it (a note of kcore or of a dump), else from memory at the
 * physical address that /sys/kernel/vmcoreinfo names. It gives what no type or symbol table is needed for.
 */
import { parseNotes } from '../formats/elf-notes.ts';
import { parseVmcoreinfo, parseVmcoreinfoLocation, type Vmcoreinfo } from '../formats/vmcoreinfo.ts';
import { Fault } from '../memory/fault.ts';
import { decodeAscii, encodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';

const LOCATION = '/sys/kernel/vmcoreinfo';

/** Undefined where this target does not have it. */
export function vmcoreinfo(kernel: Kernel): Vmcoreinfo | undefined {
  return kernel.memo('vmcoreinfo', 'session', () => {
    const text = kernel.backend.vmcoreinfo?.();
    if (text !== undefined) return parseVmcoreinfo(encodeText(text));
    return fromPhysical(kernel);
  });
}

function fromPhysical(kernel: Kernel): Vmcoreinfo | undefined {
  if (!kernel.hasFiles || !kernel.hasMemory) return undefined;
  const file = kernel.files.read(LOCATION, 256);
  const at = file.ok ? parseVmcoreinfoLocation(decodeAscii(file.bytes)) : undefined;
  if (at === undefined) return undefined;
  const bytes = kernel.memory.tryRead(at.physical, at.length, 'VMCOREINFO', 'physical');
  if (bytes instanceof Fault) return undefined;
  // The page starts with the header of an ELF note, whose description is the text.
  const note = [...parseNotes(bytes)].find(({ name }) => name === 'VMCOREINFO');
  return note === undefined ? undefined : parseVmcoreinfo(note.description);
}
