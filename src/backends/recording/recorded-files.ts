/**
 * Recorded files, directories and links, as they were at a position of the session.
 */
import { DataError } from '../../core/errors.ts';
import type { FileFailure, FileResult, FileSource, ListResult } from '../../core/memory/backend.ts';
import { decodeText } from '../../core/memory/text.ts';
import type { FileQuestion } from './journal.ts';
import { fileKey, type RecordedFile, type RecordedMoment } from './recording-index.ts';

type Answer =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly truncated: boolean }
  | { readonly ok: false; readonly failure: FileFailure };

export class RecordedFiles implements FileSource {
  readonly #moment: RecordedMoment;

  constructor(moment: RecordedMoment) {
    this.#moment = moment;
  }

  read(path: string, limit?: number): FileResult {
    return this.readMany([path], limit)[0] as FileResult;
  }

  readMany(paths: readonly string[], limit = Number.POSITIVE_INFINITY): readonly FileResult[] {
    const results = paths.map((path): FileResult => {
      const answer = this.#answer('file', path);
      if (!answer.ok || answer.bytes.length <= limit) return answer;
      return { ok: true, bytes: answer.bytes.subarray(0, limit), truncated: true };
    });
    this.#moment.count(results.reduce((sum, result) => sum + (result.ok ? result.bytes.length : 0), 0));
    return results;
  }

  list(path: string): ListResult {
    const answer = this.#answer('list', path);
    this.#moment.count(answer.ok ? answer.bytes.length : 0);
    if (!answer.ok) return answer;
    return { ok: true, names: answer.bytes.length === 0 ? [] : decodeText(answer.bytes).split('\0') };
  }

  link(path: string): string | undefined {
    const answer = this.#answer('link', path);
    this.#moment.count(answer.ok ? answer.bytes.length : 0);
    return answer.ok ? decodeText(answer.bytes) : undefined;
  }

  #answer(question: FileQuestion, path: string): Answer {
    const number = this.#moment.index.files.find(fileKey(question, path), this.#moment.position());
    const answer: RecordedFile | undefined = number === undefined ? undefined : this.#moment.index.answers[number];
    const failure = (reason: FileFailure['reason'], detail: string) =>
      ({ ok: false, failure: { path, reason, detail } }) as const;
    if (answer === undefined) return failure('not-recorded', 'the recorded session never read it');
    if (!answer.ok) return failure(answer.reason, answer.detail);
    try {
      return { ok: true, bytes: this.#moment.file.join(answer.data), truncated: answer.truncated };
    } catch (error) {
      if (error instanceof DataError) return failure('io', error.message);
      throw error;
    }
  }
}
