/**
 * One evaluation of one expression: its text for errors, the environment, and the CPU whose turn it is.
 *
 * `typeOnly` evaluates for the type alone (sizeof, completion): memory is all zeroes then, and nothing is read.
 */
import { KdbgError, UsageError } from '../errors.ts';
import type { PerCpuNode, TypeText } from './expression.ts';
import type { ExpressionEnvironment } from './expression-environment.ts';
import type { CType } from './type.ts';
import { parseTypeName } from './type-name.ts';
import { Value, type ValueMemory } from './value.ts';

export class Evaluation {
  readonly source: string;
  readonly environment: ExpressionEnvironment;
  readonly typeOnly: boolean;
  /** The CPU that each per-CPU suffix stands for now. */
  readonly cpus: ReadonlyMap<PerCpuNode, number>;

  constructor(
    source: string,
    environment: ExpressionEnvironment,
    options: { readonly typeOnly?: boolean; readonly cpus?: ReadonlyMap<PerCpuNode, number> } = {},
  ) {
    this.source = source;
    this.environment = environment;
    this.typeOnly = options.typeOnly === true;
    this.cpus = options.cpus ?? new Map();
  }

  get memory(): ValueMemory {
    return this.typeOnly ? ZEROES : this.environment.memory;
  }

  /** The same, reading nothing. */
  forType(): Evaluation {
    return this.typeOnly ? this : new Evaluation(this.source, this.environment, { typeOnly: true, cpus: this.cpus });
  }

  /** A value from elsewhere; for its type alone, without its memory. */
  untouched(value: Value): Value {
    if (!this.typeOnly || value.location.kind !== 'memory') return value;
    return new Value(ZEROES, value.type, value.location, value.what, value.bits);
  }

  error(column: number, message: string, options: { readonly hint?: string } = {}): UsageError {
    return new UsageError(message, { ...options, source: this.source, column });
  }

  /** The result, or the same error pointing at a column: members and types do not know where they are named. */
  at<T>(column: number, evaluate: () => T): T {
    try {
      return evaluate();
    } catch (error) {
      throw this.placed(error, column);
    }
  }

  /** The type that a text names, bare struct tags included. */
  type(text: TypeText): CType {
    return this.at(text.at, () => parseTypeName(text.text, this.environment.types));
  }

  /** Faults, and errors that point at their place already, stay as they are. */
  placed(error: unknown, column: number): unknown {
    if (error instanceof UsageError && error.source !== this.source) {
      return error.within(this.source, column);
    }
    if (error instanceof KdbgError && error.name === 'NotFoundError') {
      return this.error(column, error.message, error.hint === undefined ? {} : { hint: error.hint });
    }
    return error;
  }
}

const ZEROES: ValueMemory = { tryRead: (_address, length) => new Uint8Array(Math.min(length, 4096)) };
