/**
 * Ranges of programs in a recording: each is kept as a file, by a name that says which range of which program it is.
 */
import type { FileSource, ProgramRange, ProgramSource } from '../../core/memory/backend.ts';
import type { RecordingWriter } from './writer.ts';

/** `/usr/bin/bash[0x40+1024]`. */
function rangeName(path: string, { offset, length }: ProgramRange): string {
  return `${path}[0x${offset.toString(16)}+${length}]`;
}

/** Writes every answer down. */
export function recordPrograms(inner: ProgramSource, current: () => RecordingWriter | undefined): ProgramSource {
  return {
    read(path, ranges) {
      const result = inner.read(path, ranges);
      const writer = current();
      for (const [i, range] of ranges.entries()) {
        const bytes = result.ok ? result.bytes[i] : undefined;
        if (bytes !== undefined) writer?.file(rangeName(path, range), { ok: true, bytes, truncated: false });
        else if (!result.ok) writer?.file(rangeName(path, range), result);
      }
      return result;
    },
  };
}

/** Answers with what was recorded. */
export function recordedPrograms(files: FileSource): ProgramSource {
  return {
    read(path, ranges) {
      const all = files.readMany(ranges.map((range) => rangeName(path, range)));
      const failed = all.find(({ ok }) => !ok);
      if (failed?.ok === false) return { ok: false, failure: { ...failed.failure, path } };
      return { ok: true, bytes: all.flatMap((each) => (each.ok ? [each.bytes] : [])) };
    },
  };
}
