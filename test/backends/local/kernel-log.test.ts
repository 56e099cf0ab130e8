import { describe, expect, it } from 'vitest';
import { readKernelLog } from '../../../src/backends/local/kernel-log.ts';

/** A device that answers with these: a record, or an error's code. */
const device = (answers: readonly string[]): ((buffer: Uint8Array) => number) => {
  let at = 0;
  return (buffer) => {
    const answer = answers[at++] ?? 'EAGAIN';
    if (/^E[A-Z]+$/.test(answer)) throw Object.assign(new Error(answer), { code: answer });
    return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length).write(answer, 'latin1');
  };
};
const textOf = (result: ReturnType<typeof readKernelLog>): string =>
  result.ok ? `${Buffer.from(result.bytes).toString('latin1')}${result.truncated ? '…' : ''}` : 'failed';

describe('/dev/kmsg', () => {
  it('gives all records there are', () => {
    expect(textOf(readKernelLog(device(['6,0,0,-;one\n', '6,1,5,-;two\n KEY=value\n']), 1000))).toBe(
      '6,0,0,-;one\n6,1,5,-;two\n KEY=value\n',
    );
  });

  it('goes on where the log has overtaken it', () => {
    expect(textOf(readKernelLog(device(['6,0,0,-;one\n', 'EPIPE', '6,9,5,-;ten\n']), 1000))).toBe(
      '6,0,0,-;one\n6,9,5,-;ten\n',
    );
    expect(() => readKernelLog(() => device(['EPIPE'])(new Uint8Array(1)), 1000)).toThrow('EPIPE');
  });

  it('ends at its limit with whole records, and says so', () => {
    expect(textOf(readKernelLog(device(['6,0,0,-;one\n', '6,1,5,-;two\n']), 15))).toBe('6,0,0,-;one\n…');
  });

  it('fails as the device fails', () => {
    expect(() => readKernelLog(device(['EPERM']), 1000)).toThrow('EPERM');
  });
});
