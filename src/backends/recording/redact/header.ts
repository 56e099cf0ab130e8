/** What the first line of a recording tells: the name of the target and the boot. */
import type { RecordingHeader } from '../header.ts';
import type { Redactor } from './words.ts';

/** The name of a target, "ssh:web7", without what it says. */
function redactTarget(name: string, redactor: Redactor): string {
  const colon = name.indexOf(':');
  return colon < 0
    ? name
    : name.slice(0, colon + 1) + redactor.unicode(name.slice(colon + 1), 'every', () => undefined);
}

/** The header line of the redacted recording. */
export function headerOf(header: RecordingHeader, redactor: Redactor): Omit<RecordingHeader, 'version'> {
  const { target, kernel } = header;
  const bootId = kernel.bootId && redactor.unicode(kernel.bootId, 'every', () => undefined);
  return {
    ...header,
    target: { ...target, name: redactTarget(target.name, redactor) },
    kernel: { ...kernel, bootId },
    userData: false,
  };
}
