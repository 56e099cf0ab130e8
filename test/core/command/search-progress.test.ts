/** What a search says of itself while it takes long. */
import { expect, it } from 'vitest';
import { searchProgress } from '../../../src/core/command/search-progress.ts';

const MIB = 1024 * 1024;

it.each([
  ['soon done', 60, 100, 10_000, true, '60 MiB of 100 MiB searched'],
  ['some minutes', 10, 100, 20_000, true, '10 MiB of 100 MiB searched, about 3 min to go'],
  ['hours, told later', 10, 65_536, 10_000, false, '10 MiB of 64 GiB searched, about 18 h to go'],
  ['nothing yet', 0, 100, 10_000, true, '0 KiB of 100 MiB searched'],
] as const)('%s', (_, done, length, elapsed, isFirst, said) => {
  expect(searchProgress(done * MIB, length * MIB, elapsed, isFirst)).toBe(said);
});

it('says what would take less where it takes hours', () => {
  const said = searchProgress(10 * MIB, 65_536 * MIB, 10_000, true);
  expect(said).toMatch(/^10 MiB of 64 GiB searched, about 18 h to go: Ctrl-C ends it; .*-l LENGTH/);
});
