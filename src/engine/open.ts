/**
 * From what the command line asks for to a session on an open target.
 */
import { type BackendSpec, openBackend } from '../backends/open.ts';
import { Kernel } from '../core/kernel/kernel.ts';
import type { Opened } from './protocol.ts';
import { Session } from './session.ts';

/** The target, and how the session on it is kept. */
export interface SessionSpec {
  readonly backend: BackendSpec;
  /** Record from the start into this file. */
  readonly record: string | undefined;
  readonly recordUser: boolean;
}

/** Throws OpenError (or another KdbgError) when the target cannot be opened. */
export function openSession(spec: SessionSpec, cancelled: () => boolean): { session: Session; opened: Opened } {
  const { backend, recorder, pid, notices } = openBackend(spec.backend, spec);
  const kernel = new Kernel(backend, { cancelled });
  const session = new Session({ kernel, recorder, pid, cancelled });
  return { session, opened: { name: backend.name, liveness: backend.liveness, notices } };
}
