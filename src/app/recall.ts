/**
 * `!!` is the last line again and `!N` line N of the session, as `history` numbers them; both may go on: `!! | head`.
 */

export type Recalled =
  | { readonly line: string; readonly isRecalled: boolean }
  /** There is no such line. */
  | { readonly trouble: string };

/** The line that was meant; `lines` are those run in this session. */
export function recall(typed: string, lines: readonly string[]): Recalled {
  const match = /^!(!|\d+(?!\S))(.*)$/s.exec(typed.trim());
  if (match === null) return { line: typed, isRecalled: false };
  const earlier = match[1] === '!' ? lines.at(-1) : lines[Number(match[1]) - 1];
  if (earlier !== undefined) return { line: earlier + match[2], isRecalled: true };
  const which = match[1] === '!' ? 'before this one' : match[1];
  return { trouble: `there is no line ${which}; "history" lists them` };
}
