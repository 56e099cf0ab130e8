/**
 * The symbol table, searched as one types: what the search thread finds stands in the symbols pane, as `sym -z` prints
 * it, with the letters marked that matched.
 */

import { formatAddress } from '../../core/memory/address.ts';
import { type Line, type Span, span } from '../../core/output/line.ts';
import type { Found } from '../../engine/search.ts';
import type { InputEvent } from '../prompt/keys.ts';
import type { Host } from './host.ts';
import type { Pane } from './pane.ts';
import { ask } from './pane-questions.ts';

/** Symbols that a search shows. */
const FOUND_MAX = 200;

type FoundSymbol = Extract<Found, { kind: 'symbol' }>;

/** Asks for letters of a name; each key searches anew. */
export function findSymbol(host: Host): void {
  host.focus('symbols');
  const pane = host.desk.pane('symbols');
  const search = new SymbolSearch(host, pane);
  const onKey = (event: InputEvent): boolean => {
    if (event.kind !== 'key' || (event.name !== 'up' && event.name !== 'down')) return false;
    pane.viewport.move(event.name === 'up' ? -1 : 1);
    pane.look();
    host.redraw(pane);
    return true;
  };
  ask(host, pane, {
    label: 'symbol',
    placeholder: 'a few letters of its name',
    onChange: (text) => search.type(text),
    onSubmit: () => host.chosen(pane),
    onKey,
  });
}

class SymbolSearch {
  readonly #host: Host;
  readonly #pane: Pane;
  #letters = '';
  /** The target's names are there: on a remote one they may have to be read first. */
  #isReady = false;

  constructor(host: Host, pane: Pane) {
    this.#host = host;
    this.#pane = pane;
    host.engine.search.prepare().then(() => {
      this.#isReady = true;
      this.#find();
    }, this.#failed);
  }

  type(text: string): void {
    this.#letters = text.replace(/[^\w.$]/g, '');
    if (this.#isReady) this.#find();
  }

  #find(): void {
    const letters = this.#letters;
    if (letters === '') return;
    this.#host.engine.search.find(letters, FOUND_MAX).then((found) => {
      if (found === undefined || letters !== this.#letters) return;
      const symbols = found.filter((each) => each.kind === 'symbol');
      this.#pane.put(`sym -z ${letters} -c ${FOUND_MAX}`, symbols.map(symbolLine));
      this.#pane.look();
    }, this.#failed);
  }

  readonly #failed = (error: Error): void => this.#host.tell(`the search failed: ${error.message}`, 'warn');
}

/** `ffffffff99413850 (T) mutex_lock [module]`. */
export function symbolLine({ name, address, type, module, positions }: FoundSymbol): Line {
  const ref = { kind: 'symbol', name, address } as const;
  const matching = new Set(positions);
  const spans: Span[] = [span(formatAddress(address), { kind: 'address', address }, 'address'), ` (${type}) `];
  // Pieces with one reference are one object.
  for (let from = 0; from < name.length; ) {
    const isMatch = matching.has(from);
    let to = from + 1;
    while (to < name.length && matching.has(to) === isMatch) to++;
    spans.push(span(name.slice(from, to), ref, isMatch ? 'header' : 'symbol'));
    from = to;
  }
  return [...spans, ...(module === undefined ? [] : [' ', span(`[${module}]`, { kind: 'module', name: module })])];
}
