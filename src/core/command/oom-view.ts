/**
 * An OOM kill explained: who asked for what, whose memory was out and how it was spent, who died, and why that one. The
 * figures are the report's; sentences say what they mean.
 */
import type { OomReport, OomVictim, OomZone } from '../kernel/oom-report.ts';
import { type OomScore, oomScores, oomTotalPages } from '../kernel/oom-score.ts';
import type { Row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';

const KIB_PER_PAGE = 4;
const TASKS_SHOWN = 10;

export function oomRow(report: OomReport): Row {
  const { comm, order, gfpFlags, constraint, cgroup, victims } = report;
  const scores = oomScores(report);
  return {
    comm,
    order,
    gfp: gfpFlags,
    constraint: constraint ?? null,
    cgroup: cgroup?.path ?? null,
    limitKb: cgroup?.limit ?? null,
    usageKb: cgroup?.usage ?? null,
    totalKb: kib(oomTotalPages(report)) ?? null,
    swapTotalKb: report.swapTotal ?? null,
    swapFreeKb: report.swapFree ?? null,
    victims: victims.map(({ pid, comm: name, anonRss, fileRss, shmemRss }) => ({
      pid,
      comm: name,
      anonKb: anonRss,
      fileKb: fileRss,
      shmemKb: shmemRss,
      score: scores.find(({ task }) => task.pid === pid)?.score ?? null,
    })),
    tasks: scores.map(({ task, score }) => ({
      pid: task.pid,
      comm: task.comm,
      uid: task.uid,
      rssKb: task.rss * KIB_PER_PAGE,
      swapKb: task.swap * KIB_PER_PAGE,
      scoreAdj: task.scoreAdj,
      score: score ?? null,
    })),
  };
}

export function oomLines(report: OomReport): readonly Line[] {
  const scores = oomScores(report);
  return [
    ...section('asked', asked(report)),
    ...section('out of', [whose(report)]),
    ...section('spent on', spent(report)),
    ...section('swap', [swap(report)]),
    ...section('killed', killed(report, scores)),
    ...(scores.length === 0 ? [] : ['', ...table(scores, report.victims)]),
  ];
}

const LABEL_WIDTH = 10;

function section(label: string, sentences: readonly string[]): readonly Line[] {
  return sentences.map((sentence, i) => [
    span(`${i === 0 ? label.padStart(LABEL_WIDTH) : ' '.repeat(LABEL_WIDTH)}  `, undefined, 'header'),
    sentence,
  ]);
}

function asked({ comm, order, gfpFlags }: OomReport): readonly string[] {
  const pages = order <= 0 ? 'a page' : `${2 ** order} pages in a row (order ${order})`;
  const flags = gfpFlags === '' ? '' : ` with ${gfpFlags}`;
  // sysrq-f asks by hand: oom_kill.c marks it with order -1.
  const how = order < 0 ? `${comm}: by hand, with sysrq-f` : `${comm}, for ${pages}${flags}`;
  const may = gfpFlags.includes('MOVABLE') ? ['for user memory: the page could be placed and moved freely'] : [];
  return [how, ...may];
}

function whose(report: OomReport): string {
  const { cgroup, constraint } = report;
  if (cgroup !== undefined) {
    const { path, usage, limit, failures } = cgroup;
    const often = failures === undefined ? '' : `; the limit was met ${failures} times`;
    return `the cgroup ${path}: it uses ${size(usage)} of its limit of ${size(limit)}${often}`;
  }
  const total = oomTotalPages(report);
  const what = total === undefined ? 'the machine' : `the machine: ${size(kib(total))} of memory and swap`;
  if (constraint === 'CPUSET') return `${what}, but only nodes of the cpuset could be used`;
  if (constraint === 'MEMORY_POLICY') return `${what}, but only nodes of the memory policy could be used`;
  return what;
}

/** What the machine's or the cgroup's memory is used for, largest first, and zones that are below their reserve. */
function spent(report: OomReport): readonly string[] {
  const parts = report.cgroup === undefined ? machineParts(report) : cgroupParts(report);
  const total = report.cgroup === undefined ? kib(ram(report)) : report.cgroup.limit;
  const shares = parts
    .filter(([, amount]) => amount > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, amount]) => `${size(amount).padStart(11)}${share(amount, total)}  ${name}`);
  const low = report.zones.filter((zone) => below(zone));
  return [
    ...shares,
    ...low.map(
      ({ node, zone, sizes }) =>
        `node ${node} ${zone} has ${size(sizes.get('free'))} free, less than its reserve of ${size(sizes.get('min'))}`,
    ),
    ...(report.order > 0 && low.length === 0 && report.zones.length > 0
      ? ['no zone is below its reserve: memory is free, but not in a row that is long enough']
      : []),
  ];
}

function machineParts({ pages }: OomReport): [string, number][] {
  const of = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (pages.get(name) ?? 0), 0) * KIB_PER_PAGE;
  const shmem = of('shmem');
  return [
    ['anonymous memory', Math.max(0, of('active_anon', 'inactive_anon') - shmem)],
    ['shared memory and tmpfs', shmem],
    ['file cache', of('active_file', 'inactive_file')],
    ['slab that cannot be reclaimed', of('slab_unreclaimable')],
    ['reclaimable slab', of('slab_reclaimable')],
    ['page tables', of('pagetables', 'sec_pagetables')],
    ['unevictable', of('unevictable')],
    ['free', of('free')],
  ];
}

function cgroupParts({ cgroup }: OomReport): [string, number][] {
  const of = (name: string): number => Math.floor((cgroup?.stats.get(name) ?? 0) / 1024);
  return [
    ['anonymous memory', of('anon')],
    ['shared memory and tmpfs', of('shmem')],
    ['file cache', Math.max(0, of('file') - of('shmem'))],
    ['slab', of('slab')],
    ['page tables', of('pagetables')],
    ['sockets', of('sock')],
    ['kernel stacks', of('kernel_stack')],
  ];
}

function below({ sizes }: OomZone): boolean {
  const free = sizes.get('free');
  const min = sizes.get('min');
  return free !== undefined && min !== undefined && free < min;
}

function swap({ swapTotal, swapFree, cgroup }: OomReport): string {
  if (cgroup?.swapped !== undefined)
    return `the cgroup has ${cgroup.swapped === 0 ? 'nothing' : size(cgroup.swapped)} there`;
  if (swapTotal === undefined) return 'the report does not say';
  if (swapTotal === 0) return 'there is none';
  return swapFree === 0 ? `all ${size(swapTotal)} are used` : `${size(swapFree)} of ${size(swapTotal)} are free`;
}

function killed(report: OomReport, scores: readonly OomScore[]): readonly string[] {
  const { victims, ending } = report;
  const told = victims.flatMap((victim) => [victimText(victim), ...reasons(victim, scores)]);
  if (ending !== undefined) told.push(ending);
  return told.length === 0 ? ['nobody, as far as the log tells'] : told;
}

function victimText({ pid, comm, anonRss, fileRss, shmemRss, reaped }: OomVictim): string {
  const parts = `${size(anonRss)} anonymous, ${size(fileRss)} of files, ${size(shmemRss)} shared`;
  const freed =
    reaped === undefined ? '' : reaped ? '; its memory was freed at once' : '; its memory could not be freed';
  return `PID ${pid} (${comm}): ${parts}${freed}`;
}

/** Why this one: its rank by points, and what oom_score_adj did to it. */
function reasons({ pid }: OomVictim, scores: readonly OomScore[]): readonly string[] {
  const rank = scores.findIndex(({ task }) => task.pid === pid);
  const own = scores[rank];
  if (own === undefined) return ['it is not in the table of tasks: a thread or a child of one that is'];
  const points = own.score === undefined ? '' : ` (score ${own.score})`;
  const bySize = [...scores].sort((a, b) => b.task.rss + b.task.swap - (a.task.rss + a.task.swap));
  const largest = bySize[0]?.task;
  const count = `${scores.length} tasks`;
  if (scores.length === 1) return [`it was the only task there${points}`];
  if (rank > 0) return [`it was not first of ${count} by points${points}: another was exempt, dying, or its parent`];
  if (largest?.pid === pid) return [`it was the largest of ${count}${points}`];
  const adj =
    own.task.scoreAdj > 0
      ? `its oom_score_adj is ${own.task.scoreAdj}`
      : `PID ${largest?.pid} (${largest?.comm}) is larger, but its oom_score_adj is ${largest?.scoreAdj}`;
  return [`it had the most points${points} without being the largest: ${adj}`];
}

function table(scores: readonly OomScore[], victims: readonly OomVictim[]): readonly Line[] {
  const dead = new Set(victims.map(({ pid }) => pid));
  const shown = scores.filter(({ task }, i) => i < TASKS_SHOWN || dead.has(task.pid));
  const more = scores.length - shown.length;
  return [
    [span('      PID    UID       RSS kB      SWAP kB   ADJ  SCORE  COMM', undefined, 'header')],
    ...shown.map(({ task, score }): Line => {
      const cells = [
        String(task.pid).padStart(9),
        String(task.uid).padStart(6),
        String(task.rss * KIB_PER_PAGE).padStart(12),
        String(task.swap * KIB_PER_PAGE).padStart(12),
        String(task.scoreAdj).padStart(5),
        (score === undefined ? 'never' : String(score)).padStart(6),
      ];
      const text = `${cells.join(' ')}  ${task.comm}`;
      return dead.has(task.pid) ? [span(`${text}  <- killed`, undefined, 'error')] : text;
    }),
    ...(more > 0 ? [`${' '.repeat(9)} and ${more} more with fewer points`] : []),
  ];
}

function ram({ pagesRam, pagesReserved }: OomReport): number | undefined {
  return pagesRam === undefined ? undefined : pagesRam - (pagesReserved ?? 0);
}

function kib(pages: number | undefined): number | undefined {
  return pages === undefined ? undefined : pages * KIB_PER_PAGE;
}

function share(amount: number, total: number | undefined): string {
  return total === undefined || total === 0 ? '' : `${String(Math.round((amount * 100) / total)).padStart(5)} %`;
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** Of KiB. */
function size(amount: number | undefined): string {
  if (amount === undefined) return '?';
  let value = amount;
  let unit = 0;
  while (value >= 10_240 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
