/** What a kernel offers to be traced: functions, events, options. */
import { UsageError } from '../errors.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { type Item, notice, row } from '../output/item.ts';
import type { Scope } from './scope.ts';

const LIST_MAX = 16 * 1024 * 1024;

/** The lines of a file of tracefs that begin as one of the patterns. */
export function* traceList({ kernel }: Scope, file: string, patterns: readonly string[]): Iterable<Item> {
  const fs = tracefs(kernel);
  const text = fs.text(`${fs.root}/${file}`, LIST_MAX);
  if (text === undefined) throw new UsageError(`${fs.root}/${file} cannot be read`);
  const tests = patterns.map(
    (pattern) => new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/[*]/g, '.*')}`),
  );
  const all = text.split('\n').filter((line) => tests.length === 0 || tests.some((test) => test.test(line)));
  if (all.length === 0) yield notice(`none of ${file} is like "${patterns.join(' ')}"; * stands for any letters`);
  for (const name of all) yield row({ name }, () => [name]);
}
