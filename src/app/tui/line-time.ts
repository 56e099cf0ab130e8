/** When a line of the kernel log or of a trace is from: the clocks of both count from the same start. */
import { type Line, textOf } from '../../core/output/line.ts';

/**
 * `[   31.406335] text` of the log, `comm-pid [000] d..2. 812.408117: event` of a trace; a call of one, `812.408117 [000]`,
 * one within another, `812.408117      `, and function_graph's own `812.408117 |  0)`.
 */
const TIMES = [/^\[\s*(\d+\.\d+)\]/, /\s(\d+\.\d{3,9}):\s/, /^\s*(\d+\.\d{6}) (?:\[|\||\s{3})/] as const;

/** Seconds since boot; undefined for a line that says none. */
export function timeOf(line: Line): number | undefined {
  const text = textOf(line);
  for (const pattern of TIMES) {
    const match = pattern.exec(text);
    if (match !== null) return Number(match[1]);
  }
  return undefined;
}

/** The last line that is not later than a time, or the first; undefined where no line says when it is from. */
export function lineAt(lines: readonly Line[], time: number): number | undefined {
  let [from, to] = [0, lines.length];
  let found: number | undefined;
  let first: number | undefined;
  while (from < to) {
    const middle = (from + to) >> 1;
    // A record may have several lines: the first says when.
    let at = middle;
    while (at > from && timeOf(lines[at] as Line) === undefined) at--;
    const its = timeOf(lines[at] as Line);
    if (its !== undefined && its > time) {
      first = at;
      to = at;
    } else {
      found = its === undefined ? found : at;
      from = middle + 1;
    }
  }
  return found ?? first;
}
