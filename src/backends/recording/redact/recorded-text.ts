/** What kind of text a recorded answer is, told by its path or by its bytes. */

/** What the kernel's build made: the same on every machine that runs it. */
const KERNEL_FILE =
  /^\/sys\/kernel\/(?:btf\/.*|notes)$|^\/proc\/(?:kallsyms|modules|config\.gz|sys\/kernel\/random\/uuid)$|^\/boot\/(?:config|System\.map|vmlinu[xz])|^\/(?:usr\/)?lib\/(?:modules|debug)\/|\/events\/(?:.*\/)?(?:format|id|header_page|header_event)$|\/(?:available_events|available_filter_functions|available_tracers|printk_formats|tracing\/README)$/;

export function isKernelFile(path: string): boolean {
  return KERNEL_FILE.test(path);
}

/** Files of lines that begin with a word of the kernel's: "MemTotal:", "VmRSS:", "nr_free_pages". */
const KEYED_FILE = /^\/proc\/(?:.*\/)?(?:meminfo|status|stat|vmstat|limits|sched)$/;

export function isKeyedFile(path: string): boolean {
  return KEYED_FILE.test(path);
}

/** True for the name of a tracing instance, and of an event and its group. */
export function isGiven(parts: readonly string[], i: number): boolean {
  return parts[i - 1] === 'instances' || parts[i - 1] === 'events' || parts[i - 2] === 'events';
}

/** Names that are joined by NUL are text as well. */
export function isText(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.length, 64 * 1024);
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 && byte !== 0 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 27) return false;
  }
  return true;
}
