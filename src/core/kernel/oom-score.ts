/**
 * How the OOM killer chooses: oom_badness() of mm/oom_kill.c. A process has a point for each page that its death would
 * free (resident, swapped, page tables), and oom_score_adj adds or takes thousandths of all pages there are; the most
 * points die. -1000 exempts. The same formula since a7f638f999ff "mm, oom: normalize oom scores to oom_score_adj scale
 * only for userspace" (v3.6), but for a bonus of 3 % that processes of root had until d46078b28889 "mm, oom: remove 3%
 * bonus for CAP_SYS_ADMIN processes" (v4.17).
 */
import type { OomReport, OomTask } from './oom-report.ts';

const PAGE_BYTES = 4096;
const KIB_PER_PAGE = 4;
const ADJ_NEVER = -1000;

export interface OomScore {
  readonly task: OomTask;
  /** Pages; undefined for a task that is exempt. */
  readonly points: number | undefined;
  /** The same in thousandths of what there is, as /proc/PID/oom_score had it. */
  readonly score: number | undefined;
}

/** What was there to be had, in pages: memory and swap of the machine, or the cgroup's limit. */
export function oomTotalPages(report: OomReport): number | undefined {
  if (report.cgroup !== undefined) {
    const { limit } = report.cgroup;
    return limit === undefined ? undefined : Math.floor(limit / KIB_PER_PAGE);
  }
  if (report.pagesRam === undefined) return undefined;
  return report.pagesRam - (report.pagesReserved ?? 0) + Math.floor((report.swapTotal ?? 0) / KIB_PER_PAGE);
}

/** The tasks of the report by who would die first. */
export function oomScores(report: OomReport): readonly OomScore[] {
  const total = oomTotalPages(report);
  return report.tasks
    .map((task): OomScore => {
      if (task.scoreAdj <= ADJ_NEVER) return { task, points: undefined, score: undefined };
      const own = oomPages(task);
      const points = own + (total === undefined ? 0 : Math.trunc((task.scoreAdj * total) / 1000));
      return {
        task,
        points,
        score: total === undefined || total === 0 ? undefined : Math.round((points * 1000) / total),
      };
    })
    .sort((a, b) => (b.points ?? Number.NEGATIVE_INFINITY) - (a.points ?? Number.NEGATIVE_INFINITY));
}

/** The pages that the task's death frees. */
export function oomPages({ rss, swap, pageTables }: OomTask): number {
  return rss + swap + Math.floor(pageTables / PAGE_BYTES);
}
