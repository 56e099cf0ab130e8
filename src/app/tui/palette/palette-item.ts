/**
 * What the palette offers, and what choosing it does: a line of the shell, always.
 */
import { isPlainWord } from '../../../core/command/words.ts';
import type { Ref } from '../../../core/output/line.ts';
import { isTextType } from '../../../core/symbols/symbol-table.ts';
import type { Found } from '../../../engine/search.ts';

export interface PaletteItem {
  readonly kind: 'command' | 'history' | 'task' | 'symbol' | 'type' | 'recording';
  readonly label: string;
  /** What explains it. */
  readonly detail: string;
  /** What Enter runs. */
  readonly line: string;
  /** Selected for all panes when it is chosen. */
  readonly ref?: Ref;
  /** Positions in the label that matched. */
  readonly positions: readonly number[];
}

/** An item that is found by its label, not by a table of the target. */
export type ListedItem = Omit<PaletteItem, 'positions'>;

/** How much better than a symbol of the same score each kind is: there are a hundred commands and 200,000 symbols. */
const PREFERENCE: Readonly<Record<PaletteItem['kind'], number>> = {
  command: 0.3,
  history: 0.05,
  task: 0.1,
  type: 0.06,
  symbol: 0,
  recording: 0.1,
};

/** What is found far worse than the best is noise: its letters stand somewhere in a long name. */
const NOISE = 0.55;

/** Orders what was found in all lists, best first. */
export function rank(found: readonly Found[], listed: readonly ListedItem[], limit: number): readonly PaletteItem[] {
  const best = Math.max(...found.map(({ score }) => score), 0);
  return found
    .filter(({ score }) => score >= best * NOISE)
    .flatMap((each) => {
      const item = itemOf(each, listed);
      return item === undefined ? [] : [{ item, score: each.score + PREFERENCE[item.kind] }];
    })
    .sort((a, b) => b.score - a.score || (a.item.label < b.item.label ? -1 : 1))
    .slice(0, limit)
    .map(({ item }) => item);
}

function itemOf(found: Found, listed: readonly ListedItem[]): PaletteItem | undefined {
  const { name, positions } = found;
  switch (found.kind) {
    case 'symbol': {
      const { address, type, module } = found;
      const word = isPlainWord(name) ? name : address.toString(16);
      const place = `${address.toString(16).padStart(16, '0')} (${type})`;
      return {
        kind: 'symbol',
        label: name,
        detail: module === undefined ? place : `${place} [${module}]`,
        line: isTextType(type) ? `dis ${word}` : isPlainWord(name) ? `p ${word}` : `rd ${word}`,
        ref: { kind: 'symbol', name, address },
        positions,
      };
    }
    case 'type': {
      const { namespace } = found;
      if (!isPlainWord(name)) return undefined;
      const line = namespace === 'struct' || namespace === 'union' ? `${namespace} ${name}` : `whatis ${name}`;
      return { kind: 'type', label: name, detail: namespace, line, ref: { kind: 'type', name }, positions };
    }
    case 'other': {
      const item = listed[found.index];
      return item === undefined ? undefined : { ...item, positions };
    }
  }
}
