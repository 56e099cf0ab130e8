/**
 * tracefs's printk_formats, and the same in trace.dat: the formats of trace_printk() and texts that events point at, by
 * their addresses in the kernel.
 *
 *     0xffffffffbda72930 : "cpuqs"
 *
 * Newlines, tabs and quotes are escaped; a backslash is there as it is (kernel/trace/trace_printk.c, t_show()).
 */
const LINE = /^(?:0x)?([0-9a-f]{1,16})\s*:\s*"(.*)"$/gm;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"' };

export function parsePrintkFormats(text: string): ReadonlyMap<bigint, string> {
  const texts = new Map<bigint, string>();
  for (const [, address, escaped] of text.matchAll(LINE)) {
    const plain = (escaped as string).replace(/\\([nt"])/g, (_, letter: string) => ESCAPES[letter] as string);
    texts.set(BigInt(`0x${address}`), plain);
  }
  return texts;
}
