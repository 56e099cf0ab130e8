/**
 * VMCOREINFO: what a kernel tells its debuggers about itself, lines of KEY=VALUE in one page (kernel/vmcore_info.c,
 * formerly crash_core.c). It is a note in /proc/kcore (since 23c85094fe18 "proc/kcore: add vmcoreinfo note to
 * /proc/kcore", v4.19), a note of an ELF dump, a part of a kdump header, and readable at the physical address that
 * /sys/kernel/vmcoreinfo names.
 *
 *     OSRELEASE=6.1.0-39-cloud-amd64
 *     BUILD-ID=8e28f3a5...
 *     PAGESIZE=4096
 *     SYMBOL(_stext)=ffffffff81000000      an address: hex without 0x
 *     SIZE(list_head)=16                   bytes
 *     OFFSET(list_head.next)=0             bytes
 *     LENGTH(zone.free_area)=11            elements
 *     NUMBER(phys_base)=16777216           signed decimal, or hex with 0x
 *     KERNELOFFSET=2c00000                 the KASLR slide: hex without 0x
 */
import { decodeText } from '../memory/text.ts';

export interface Vmcoreinfo {
  /** The value of a line by its key as written, `OSRELEASE` or `SYMBOL(_stext)`. */
  get(key: string): string | undefined;
  /** SYMBOL(name): an address in the running kernel. */
  symbol(name: string): bigint | undefined;
  /** OFFSET(type.member) in bytes. */
  offset(member: string): number | undefined;
  /** SIZE(type) in bytes. */
  size(type: string): number | undefined;
  /** LENGTH(type.member), or of a type: elements of an array. */
  length(name: string): number | undefined;
  /** NUMBER(name). */
  number(name: string): bigint | undefined;
  /** KERNELOFFSET: how far KASLR moved the kernel. */
  readonly kaslrOffset: bigint | undefined;
  /** OSRELEASE: `uname -r`. */
  readonly release: string | undefined;
  /** BUILD-ID of vmlinux in hex; since 0935288c6e00 "kdump: append kernel build-id string to VMCOREINFO" (v5.9). */
  readonly buildId: string | undefined;
  readonly keys: readonly string[];
}

/** The kernel has a page for it; hypervisors and old dumps may pad. */
const TEXT_MAX = 64 * 1024;

/** Parses the text of a note, which a NUL may end. Lines that are not KEY=VALUE are passed over; of two the first counts. */
export function parseVmcoreinfo(bytes: Uint8Array): Vmcoreinfo {
  const nul = bytes.indexOf(0);
  const text = decodeText(bytes, 0, Math.min(nul < 0 ? bytes.length : nul, TEXT_MAX));
  const lines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals <= 0) continue;
    const key = line.slice(0, equals);
    if (!lines.has(key)) lines.set(key, line.slice(equals + 1).trim());
  }
  const get = (key: string) => lines.get(key);
  return {
    get,
    symbol: (name) => parseUnsigned(get(`SYMBOL(${name})`), 16),
    offset: (member) => parseCount(get(`OFFSET(${member})`)),
    size: (type) => parseCount(get(`SIZE(${type})`)),
    length: (name) => parseCount(get(`LENGTH(${name})`)),
    number: (name) => parseSigned(get(`NUMBER(${name})`)),
    kaslrOffset: parseUnsigned(get('KERNELOFFSET'), 16),
    release: get('OSRELEASE'),
    buildId: /^[0-9a-f]{8,128}$/.exec(get('BUILD-ID') ?? '')?.[0],
    keys: [...lines.keys()],
  };
}

/** The physical address and length of the note as /sys/kernel/vmcoreinfo gives them: `0x1f2c000 1024`, both hex. */
export function parseVmcoreinfoLocation(
  text: string,
): { readonly physical: bigint; readonly length: number } | undefined {
  const match = /^(?:0x)?([0-9a-f]{1,16}) ([0-9a-f]{1,8})\s*$/.exec(text);
  if (match === null) return undefined;
  const length = Number.parseInt(match[2] as string, 16);
  return length === 0 || length > TEXT_MAX ? undefined : { physical: BigInt(`0x${match[1]}`), length };
}

function parseUnsigned(text: string | undefined, radix: 10 | 16): bigint | undefined {
  if (text === undefined) return undefined;
  const digits = radix === 16 ? /^(?:0x)?([0-9a-fA-F]{1,16})$/.exec(text) : /^([0-9]{1,20})$/.exec(text);
  if (digits === null) return undefined;
  const value = BigInt(radix === 16 ? `0x${digits[1]}` : (digits[1] as string));
  return value >> 64n === 0n ? value : undefined;
}

/** A size, offset or element count: nothing of the kernel's has more than 2^32. */
function parseCount(text: string | undefined): number | undefined {
  const value = parseUnsigned(text, 10);
  return value === undefined || value > 0xffff_ffffn ? undefined : Number(value);
}

function parseSigned(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (text.startsWith('0x')) return parseUnsigned(text, 16);
  if (!text.startsWith('-')) return parseUnsigned(text, 10);
  const magnitude = parseUnsigned(text.slice(1), 10);
  return magnitude === undefined ? undefined : -magnitude;
}
