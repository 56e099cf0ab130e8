/**
 * Checks a recording from the first to the last byte: the hash chain, every journal line, every content.
 */
import { DataError } from '../../core/errors.ts';
import { openRecordingFile } from './recording-file.ts';
import { indexRecording } from './recording-index.ts';
import { describeDamage } from './replay.ts';

export interface Verification {
  /** True when the recording is whole: undamaged, not cut off, ended in an orderly way. */
  readonly ok: boolean;
  /** Chunks that passed. */
  readonly chunks: number;
  readonly bytes: number;
  readonly commands: number;
  /** Distinct pages and files. */
  readonly contents: number;
  /** What is wrong, a line each. */
  readonly problems: readonly string[];
}

/** Throws OpenError when the file is no recording that this kdbg reads. */
export function verify(path: string): Verification {
  const file = openRecordingFile(path);
  try {
    const index = indexRecording(file);
    const problems: string[] = [];
    if (index.damage !== undefined) problems.push(describeDamage(path, index.damage, file.length));
    else if (!index.closed) problems.push(`${path} was not ended`);
    try {
      file.checkContents();
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.push(error.message);
    }
    return {
      ok: problems.length === 0,
      chunks: index.chunks,
      bytes: file.length,
      commands: index.session.commands.length,
      contents: file.contents - 1,
      problems,
    };
  } finally {
    file.close();
  }
}
