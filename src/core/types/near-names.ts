/** The closest of many names to one that does not exist, for "did you mean". Only for the way to an error: it is slow. */

/** More candidates than a kernel has types. */
const CANDIDATES_MAX = 500_000;

/** At most `limit` names, best first: the same but for case and underscores, then by edits, then those that contain it. */
export function nearNames(wanted: string, candidates: Iterable<string>, limit = 5): readonly string[] {
  const plain = simplify(wanted);
  if (plain.length < 2) return [];
  const editsMax = Math.max(1, Math.floor(plain.length / 4));
  const best = new Map<string, number>();
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > CANDIDATES_MAX) break;
    const score = distance(plain, simplify(candidate), editsMax);
    if (score !== undefined) best.set(candidate, score);
  }
  return [...best]
    .sort(([a, scoreA], [b, scoreB]) => scoreA - scoreB || a.length - b.length || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([name]) => name);
}

function simplify(name: string): string {
  return name.toLowerCase().replaceAll('_', '').slice(0, 64);
}

/** 0 for the same name, the count of edits up to `max`, above that for a name within the other; else undefined. */
function distance(a: string, b: string, max: number): number | undefined {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) <= max) {
    const edits = editDistance(a, b, max);
    if (edits <= max) return edits;
  }
  if (b.length >= 3 && (b.includes(a) || (a.includes(b) && b.length * 2 >= a.length))) {
    return max + 1 + Math.abs(a.length - b.length) / 64;
  }
  return undefined;
}

/** Insertions, deletions, substitutions and swaps of neighbours; stops counting beyond `max`. */
function editDistance(a: string, b: string, max: number): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      current.push(cost);
      least = Math.min(least, cost);
    }
    if (least > max) return max + 1;
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
