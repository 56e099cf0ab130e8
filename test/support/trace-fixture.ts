/** Text of real trace buffers, by the option that it was printed with: `traceFixture('7.2', 'func-args')`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TraceEntry } from '../../src/core/formats/trace-entry.ts';
import { TraceText } from '../../src/core/formats/trace-text.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/traces');
export const TRACE_RELEASES = ['5.10', '6.12', '7.2'] as const;

/** The lines of each section of a file. */
export function traceSections(release: string): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(FIXTURES, `${release}.txt`), 'utf8');
  return new Map(
    text
      .split(/^@@@@ /m)
      .slice(1)
      .map((section) => {
        const [name = '', ...lines] = section.trimEnd().split('\n');
        return [name, lines];
      }),
  );
}

export function traceFixture(release: string, name: string): readonly TraceEntry[] {
  const lines = traceSections(release).get(name);
  if (lines === undefined) throw new Error(`no section ${name} of ${release}`);
  return parseTrace(lines);
}

export function parseTrace(lines: readonly string[]): readonly TraceEntry[] {
  const text = new TraceText();
  return [...lines.flatMap((line) => text.push(line)), ...text.flush()];
}
