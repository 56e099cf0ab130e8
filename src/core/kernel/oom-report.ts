/**
 * The OOM killer's report, decoded: who asked for memory, whose memory was out (the machine's or a cgroup's), how it was
 * spent, which tasks there were, and who was killed. Keys come and go with every release (mm/oom_kill.c,
 * mm/show_mem.c), so all of them are kept by name; the table of tasks brings its columns' names along.
 */

export interface OomTask {
  readonly pid: number;
  readonly uid: number;
  readonly tgid: number;
  readonly comm: string;
  /** Pages of 4 KiB. */
  readonly totalVm: number;
  readonly rss: number;
  readonly swap: number;
  /** Bytes; before 4.15 the kernel counted pages of PTEs and PMDs, which come as bytes too. */
  readonly pageTables: number;
  /** -1000 never to be killed .. 1000 first. */
  readonly scoreAdj: number;
}

export interface OomVictim {
  readonly pid: number;
  readonly comm: string;
  /** In KiB. */
  readonly anonRss: number;
  readonly fileRss: number;
  readonly shmemRss: number;
  /** What the reaper said later: freed, or not. */
  readonly reaped: boolean | undefined;
}

/** One zone of a node; sizes in KiB by the kernel's names (`free`, `min`, `managed`). */
export interface OomZone {
  readonly node: number;
  readonly zone: string;
  readonly sizes: ReadonlyMap<string, number>;
}

export interface OomReport {
  readonly comm: string;
  /** "0x140dca(GFP_HIGHUSER_MOVABLE|...)" without the number: the names. */
  readonly gfpFlags: string;
  /** 2^order pages in a row were asked for. */
  readonly order: number;
  readonly scoreAdj: number;
  /** CONSTRAINT_NONE, _CPUSET, _MEMORY_POLICY, _MEMCG; undefined before 5.0. */
  readonly constraint: string | undefined;
  /** The cgroup that was at its limit; undefined when the machine was out of memory. */
  readonly cgroup: OomCgroup | undefined;
  /** The machine's pages by the names of Mem-Info; empty for a cgroup's report. */
  readonly pages: ReadonlyMap<string, number>;
  readonly zones: readonly OomZone[];
  /** In KiB; undefined where the report does not say. */
  readonly swapTotal: number | undefined;
  readonly swapFree: number | undefined;
  readonly pagesRam: number | undefined;
  readonly pagesReserved: number | undefined;
  readonly tasks: readonly OomTask[];
  readonly victims: readonly OomVictim[];
  /** The kernel panicked, or found no one to kill. */
  readonly ending: string | undefined;
}

export interface OomCgroup {
  readonly path: string;
  /** In KiB. */
  readonly usage: number | undefined;
  readonly limit: number | undefined;
  /** How often an allocation met the limit. */
  readonly failures: number | undefined;
  /** In KiB: what of it is in swap; undefined where the report does not say (cgroup v1 counts both together). */
  readonly swapped: number | undefined;
  /** memory.stat, in bytes. */
  readonly stats: ReadonlyMap<string, number>;
}

const PAGE_KIB = 4;
const TASKS_MAX = 100_000;

/** Decodes the lines of one report; undefined when the first is no OOM killer's. */
export function parseOom(lines: readonly string[]): OomReport | undefined {
  const opening =
    /^(.+) invoked oom-killer: gfp_mask=0x[0-9a-f]+(?:\(([^)]*)\))?,.*?order=(-?\d+),.*?oom_score_adj=(-?\d+)/.exec(
      lines[0] ?? '',
    );
  if (opening === null) return undefined;
  const all = lines.join('\n');
  const killed = /^oom-kill:constraint=CONSTRAINT_(\w+),/m.exec(all)?.[1];
  return {
    comm: opening[1] as string,
    gfpFlags: opening[2] ?? '',
    order: Number(opening[3]),
    scoreAdj: Number(opening[4]),
    constraint: killed,
    cgroup: cgroupOf(lines, all),
    pages: pagesOf(lines),
    zones: lines.flatMap(zoneOf),
    swapTotal: numberIn(all, /^Total swap = (\d+)kB/m),
    swapFree: numberIn(all, /^Free swap\s+= (\d+)kB/m),
    pagesRam: numberIn(all, /^(\d+) pages RAM/m),
    pagesReserved: numberIn(all, /^(\d+) pages reserved/m),
    tasks: tasksOf(lines),
    victims: victimsOf(lines),
    ending:
      /^(?:Out of memory and no killable processes.*|Kernel panic - not syncing: (?:Out of memory|System is deadlocked).*)/m.exec(
        all,
      )?.[0],
  };
}

function cgroupOf(lines: readonly string[], all: string): OomCgroup | undefined {
  const path =
    /\boom_memcg=([^,]*)/.exec(all)?.[1] ??
    /^Memory cgroup stats for (.+?):/m.exec(all)?.[1] ??
    /^Task in .* killed as a result of limit of (.+)$/m.exec(all)?.[1];
  if (path === undefined) return undefined;
  const usage = /^memory: usage (\d+)kB, limit (\d+)kB, failcnt (\d+)/m.exec(all);
  const start = lines.findIndex((line) => line.startsWith('Memory cgroup stats for '));
  const stats = new Map<string, number>();
  for (const line of start < 0 ? [] : lines.slice(start + 1)) {
    const pair = /^(\w+) (\d+)$/.exec(line);
    if (pair === null) break;
    stats.set(pair[1] as string, Number(pair[2]));
  }
  const at = (group: number) => (usage === null ? undefined : Number(usage[group]));
  return { path, usage: at(1), limit: at(2), failures: at(3), swapped: numberIn(all, /^swap: usage (\d+)kB/m), stats };
}

/** "active_anon:344621 inactive_anon:0 ..." below Mem-Info. */
function pagesOf(lines: readonly string[]): ReadonlyMap<string, number> {
  const pages = new Map<string, number>();
  const start = lines.indexOf('Mem-Info:');
  for (const line of start < 0 ? [] : lines.slice(start + 1)) {
    if (line.startsWith('Node ')) break;
    for (const [, key, count] of line.matchAll(/([\w()]+):(\d+)(?!\w)/g)) pages.set(key as string, Number(count));
  }
  return pages;
}

function zoneOf(line: string): readonly OomZone[] {
  const head = /^Node (\d+) (\w+) free:/.exec(line);
  if (head === null) return [];
  const sizes = new Map<string, number>();
  for (const [, key, size] of line.matchAll(/([\w()]+):(\d+)k?B/gi)) sizes.set(key as string, Number(size));
  return [{ node: Number(head[1]), zone: head[2] as string, sizes }];
}

/** The rows below "[ pid ] uid tgid ...", by the names in that line. */
function tasksOf(lines: readonly string[]): readonly OomTask[] {
  const start = lines.findIndex((line) => /^\[\s*pid\s*\]/.test(line));
  if (start < 0) return [];
  const names = (lines[start] as string).replace(/[[\]]/g, ' ').trim().split(/\s+/);
  const found: OomTask[] = [];
  for (const line of lines.slice(start + 1)) {
    const row = /^\[\s*(\d+)\]\s+(.*)$/.exec(line);
    if (row === null || found.length >= TASKS_MAX) break;
    // The name is last and may hold blanks.
    const words = `${row[1]} ${row[2]}`.match(new RegExp(`^((?:\\S+\\s+){${names.length - 1}})(.*)$`));
    if (words === null) continue;
    const values = (words[1] as string).trim().split(/\s+/).map(Number);
    const value = (name: string): number => values[names.indexOf(name)] ?? 0;
    found.push({
      pid: value('pid'),
      uid: value('uid'),
      tgid: value('tgid'),
      comm: words[2] as string,
      totalVm: value('total_vm'),
      rss: value('rss'),
      swap: value('swapents'),
      pageTables: value('pgtables_bytes') + (value('nr_ptes') + value('nr_pmds')) * PAGE_KIB * 1024,
      scoreAdj: value('oom_score_adj'),
    });
  }
  return found;
}

function victimsOf(lines: readonly string[]): readonly OomVictim[] {
  return lines.flatMap((line) => {
    const killed = /Killed process (\d+)(?:, UID \d+,)? \((.*?)\),? total-vm:/.exec(line);
    if (killed === null) return [];
    const pid = Number(killed[1]);
    const kib = (name: string): number => numberIn(line, new RegExp(`\\b${name}:(\\d+)kB`)) ?? 0;
    const reaper = lines.find((other) => new RegExp(`^oom_reaper: .*process ${pid} `).test(other));
    return [
      {
        pid,
        comm: killed[2] as string,
        anonRss: kib('anon-rss'),
        fileRss: kib('file-rss'),
        shmemRss: kib('shmem-rss'),
        reaped: reaper === undefined ? undefined : !reaper.includes('unable'),
      },
    ];
  });
}

function numberIn(text: string, form: RegExp): number | undefined {
  const found = form.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
