/** How far a search of memory has come, and how long it will take. */

/** How long is left is told from this on, in milliseconds; what takes less time, where it is this long. */
const LEFT_MS = 60_000;
const LONG_MS = 600_000;

/**
 * For a notice, from the bytes that were searched in so many milliseconds. All memory of a host behind a slow link, or
 * without perl and python3, may take hours: the first notice then says what is less to read.
 */
export function searchProgress(done: number, length: number, elapsedMs: number, isFirst: boolean): string {
  const said = `${mebibytes(done)} of ${mebibytes(length)} searched`;
  if (done === 0) return said;
  const leftMs = (elapsedMs / done) * Math.max(length - done, 0);
  if (leftMs < LEFT_MS) return said;
  const left = `${said}, ${duration(leftMs)} to go`;
  if (!isFirst || leftMs < LONG_MS) return left;
  return `${left}: Ctrl-C ends it; -t (stacks), -V or a range (-s START -l LENGTH) is less to read`;
}

function duration(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 120 ? `about ${minutes} min` : `about ${Math.round(minutes / 60)} h`;
}

export function mebibytes(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KiB`;
  const whole = bytes / (1024 * 1024);
  return whole < 10 * 1024 ? `${Math.round(whole)} MiB` : `${Math.round(whole / 1024)} GiB`;
}
