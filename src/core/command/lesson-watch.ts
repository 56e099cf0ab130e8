/**
 * Steps that are passed by what a command shows, and not by an answer. What the learner runs is looked at as it is
 * printed; nothing of it is kept.
 */
import type { Check } from '../formats/lesson.ts';
import { type Line, textOf } from '../output/line.ts';
import { currentLecture } from './lesson-state.ts';
import type { Shell } from './scope.ts';

/** Commands that show lessons, manuals and what was typed: finding the text there proves nothing. */
const NOT_COUNTED: readonly string[] = ['lesson', 'help', 'history', 'alias', 'record', 'replay', 'exit'];

type RanCheck = Extract<Check, { kind: 'ran' }>;

export class LessonWatch {
  readonly #shell: Shell;
  #checks: RanCheck[] = [];
  #seen = new Set<RanCheck>();

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** A line of the learner's is about to run. */
  begin(): void {
    const step = currentLecture(this.#shell)?.step;
    this.#checks = (step?.checks ?? []).filter((check) => check.kind === 'ran');
    this.#seen = new Set();
  }

  /** It printed these lines. */
  see(lines: readonly Line[]): void {
    for (const check of this.#checks) {
      const { shows } = check;
      if (shows === undefined || this.#seen.has(check)) continue;
      if (lines.some((line) => textOf(line).includes(shows))) this.#seen.add(check);
    }
  }

  /** It is over; `commands` are the names of those that ran. True when the step is passed by it. */
  end(commands: readonly string[], succeeded: boolean): boolean {
    const counted = commands.filter((name) => !NOT_COUNTED.includes(name));
    const checks = this.#checks;
    this.#checks = [];
    if (counted.length === 0 || counted.length < commands.length) return false;
    return checks.some(
      (check) =>
        (check.command === undefined || counted.includes(check.command)) &&
        (check.shows === undefined ? succeeded : this.#seen.has(check)),
    );
  }
}
