/**
 * The fuzzy search as the screen sees it: over the target's symbols and types, and whatever lists of names it is given
 * besides. The thread is started with the first search; while one query is answered only the latest other one waits.
 */
import { Worker } from 'node:worker_threads';
import { nameAt, packNames } from '../core/symbols/packed-names.ts';
import type { Hit, SearchAnswer, ToSearch } from './search-protocol.ts';
import { NAMESPACES, type SymbolNames, type TargetNames, type TypeNames } from './target-names.ts';

/** A name that was found, and what it names. */
export type Found = { readonly name: string } & Omit<Hit, 'index'> &
  (
    | { readonly kind: 'symbol'; readonly address: bigint; readonly type: string; readonly module: string | undefined }
    | { readonly kind: 'type'; readonly namespace: string }
    | { readonly kind: 'other'; readonly list: string; readonly index: number }
  );

/** Gives the target's names, unless they are those of the generation `known`. */
export type NamesSource = (known: number) => Promise<TargetNames | undefined>;

const SYMBOLS = 'symbols';
const TYPES = 'types';
/** What is searched besides symbols is all code, or all not: the letter is of no meaning. */
const ANY_TYPE = 'T'.charCodeAt(0);

interface Waiting {
  readonly query: string;
  readonly limit: number;
  readonly resolve: (found: readonly Found[] | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class Search {
  readonly #entry: URL;
  readonly #source: NamesSource;
  #worker: Worker | undefined;
  #generation = 0;
  #symbols: SymbolNames | undefined;
  #types: TypeNames | undefined;
  readonly #lists = new Map<string, readonly string[]>();
  #loading: Promise<void> | undefined;
  #running: (Waiting & { readonly id: number }) | undefined;
  #next: Waiting | undefined;
  #lastId = 0;
  /** Milliseconds that the thread took for the last query. */
  took = 0;

  constructor(entry: URL, source: NamesSource) {
    this.#entry = entry;
    this.#source = source;
  }

  /** Symbols that can be found. */
  get symbolCount(): number {
    return this.#symbols?.types.length ?? 0;
  }

  /** Loads the target's names, where they are not there or not the same any more. */
  prepare(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** A list of other names, searched from now on. */
  setList(list: string, names: readonly string[]): void {
    this.#lists.set(list, names);
    this.#send({
      kind: 'list',
      key: list,
      names: packNames(names),
      types: new Uint8Array(names.length).fill(ANY_TYPE),
    });
  }

  /** The best matches of each list, best first; undefined when a later query took its place. */
  find(query: string, limit: number): Promise<readonly Found[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#next?.resolve(undefined);
      this.#next = { query, limit, resolve, reject };
      this.#pump();
    });
  }

  close(): void {
    void this.#worker?.terminate();
  }

  async #load(): Promise<void> {
    const names = await this.#source(this.#generation);
    if (names === undefined || names.generation === this.#generation) return;
    this.#generation = names.generation;
    this.#symbols = names.symbols;
    this.#types = names.types;
    if (names.symbols !== undefined) {
      this.#send({ kind: 'list', key: SYMBOLS, names: names.symbols.names, types: names.symbols.types });
    }
    if (names.types !== undefined) {
      const types = new Uint8Array(names.types.namespaces.length).fill(ANY_TYPE);
      this.#send({ kind: 'list', key: TYPES, names: names.types.names, types });
    }
  }

  #pump(): void {
    if (this.#running !== undefined || this.#next === undefined) return;
    this.#running = { ...this.#next, id: ++this.#lastId };
    this.#next = undefined;
    const { id, query, limit } = this.#running;
    this.#send({ kind: 'find', id, query, limit });
  }

  #send(message: ToSearch): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(this.#entry);
    // A session that waits for nothing else is over.
    worker.unref();
    worker.on('message', (answer: SearchAnswer) => this.#answered(answer));
    worker.on('error', (error) => this.#failed(error));
    return worker;
  }

  #answered({ id, hits, took }: SearchAnswer): void {
    const running = this.#running;
    if (running?.id !== id) return;
    this.#running = undefined;
    this.took = took;
    running.resolve(Object.entries(hits).flatMap(([list, found]) => found.flatMap((hit) => this.#found(list, hit))));
    this.#pump();
  }

  /** What a hit names; nothing where the list was replaced meanwhile by a shorter one. */
  #found(list: string, { index, score, positions }: Hit): readonly Found[] {
    if (list === SYMBOLS && this.#symbols !== undefined) {
      const { names, types, addresses, modules, moduleNames } = this.#symbols;
      const address = addresses[index];
      if (address === undefined) return [];
      const type = String.fromCharCode(types[index] as number);
      const module = moduleNames[(modules[index] as number) - 1];
      return [{ kind: 'symbol', name: nameAt(names, index), score, positions, address, type, module }];
    }
    if (list === TYPES && this.#types !== undefined) {
      const namespace = NAMESPACES[this.#types.namespaces[index] ?? -1];
      if (namespace === undefined) return [];
      return [{ kind: 'type', name: nameAt(this.#types.names, index), score, positions, namespace }];
    }
    const name = this.#lists.get(list)?.[index];
    return name === undefined ? [] : [{ kind: 'other', list, index, name, score, positions }];
  }

  /** A thread that died is started anew with the next list; what was asked of it is answered with its error. */
  #failed(error: Error): void {
    this.#worker = undefined;
    this.#generation = 0;
    this.#running?.reject(error);
    this.#running = undefined;
    this.#pump();
  }
}
