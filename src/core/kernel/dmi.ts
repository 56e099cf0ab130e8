/**
 * What the firmware says of the machine: the strings that `dmi_ident` points at, by enum dmi_field, or those of
 * /sys/class/dmi/id.
 */
import { Fault } from '../memory/fault.ts';
import { decodeCString } from '../memory/text.ts';
import { VMLINUX } from '../types/btf-table.ts';
import type { Kernel } from './kernel.ts';
import { fileText } from './text-file.ts';

const DIRECTORY = '/sys/class/dmi/id';
/** Names of enum dmi_field without DMI_, in lower case the files' names. Serial numbers only root reads. */
const FIELDS = [
  ...['BIOS_VENDOR', 'BIOS_VERSION', 'BIOS_DATE', 'BIOS_RELEASE', 'EC_FIRMWARE_RELEASE', 'SYS_VENDOR'],
  ...['PRODUCT_NAME', 'PRODUCT_VERSION', 'PRODUCT_SERIAL', 'PRODUCT_UUID', 'PRODUCT_SKU', 'PRODUCT_FAMILY'],
  ...['BOARD_VENDOR', 'BOARD_NAME', 'BOARD_VERSION', 'BOARD_SERIAL', 'BOARD_ASSET_TAG'],
  ...['CHASSIS_VENDOR', 'CHASSIS_TYPE', 'CHASSIS_VERSION', 'CHASSIS_SERIAL', 'CHASSIS_ASSET_TAG'],
];
const LENGTH_MAX = 256;

export interface DmiField {
  readonly name: string;
  readonly text: string;
}

/** Those that are set; empty where this target tells of none. */
export function dmiFields(kernel: Kernel): readonly DmiField[] {
  const stored = kernel.hasMemory ? fromMemory(kernel) : [];
  if (stored.length > 0 || !kernel.hasFiles) return stored;
  return FIELDS.flatMap((name) => {
    const text = fileText(kernel, `${DIRECTORY}/${name.toLowerCase()}`, LENGTH_MAX);
    return text === undefined || text === '' ? [] : [{ name, text }];
  });
}

function fromMemory(kernel: Kernel): readonly DmiField[] {
  const table = kernel.addressOf('dmi_ident');
  if (table === undefined) return [];
  const pointers = FIELDS.flatMap((name) => {
    const index = kernel.types.enumerator(`DMI_${name}`, VMLINUX)?.value;
    if (index === undefined || index < 0n || index > 255n) return [];
    const pointer = kernel.memory.tryRead(table + index * 8n, 8, 'dmi_ident');
    if (pointer instanceof Fault) return [];
    return [{ name, address: new DataView(pointer.buffer, pointer.byteOffset, 8).getBigUint64(0, true) }];
  });
  return pointers.flatMap(({ name, address }) => {
    const bytes = address === 0n ? undefined : readString(kernel, address);
    const text = bytes === undefined ? '' : decodeCString(bytes).trim();
    return text === '' ? [] : [{ name, text }];
  });
}

/** As much of a string as its page holds. */
function readString(kernel: Kernel, address: bigint): Uint8Array | undefined {
  const bytes = kernel.memory.tryRead(address, LENGTH_MAX, 'DMI string');
  if (!(bytes instanceof Fault)) return bytes;
  const toPageEnd = 4096 - Number(address & 0xfffn);
  const part = kernel.memory.tryRead(address, Math.min(toPageEnd, LENGTH_MAX), 'DMI string');
  return part instanceof Fault ? undefined : part;
}
