/**
 * ssh2, loaded when the first connection is made: it costs 50 ms, and a local kernel needs none of it.
 */
export type Ssh2 = typeof import('ssh2');

export async function loadSsh2(): Promise<Ssh2> {
  // A CommonJS module: all that it exports is its default export here.
  const loaded = (await import('ssh2')) as unknown as { readonly default: Ssh2 };
  return loaded.default;
}
