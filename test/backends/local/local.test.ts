import { describe, expect, it } from 'vitest';
import { openLocal } from '../../../src/backends/local/local.ts';

// What this machine allows differs from place to place; that it is told, and agrees with what works, does not.
describe('this machine', () => {
  const backend = openLocal();

  it('opens whatever it allows', () => {
    expect(backend).toMatchObject({ name: 'local', liveness: 'live' });
    expect(backend.files?.read('/proc/version')).toMatchObject({ ok: true });
    expect(backend.counters.roundTrips).toBe(1);
    expect(backend.counters.bytes).toBeGreaterThan(10);
  });

  it('changes nothing but tracefs, and lets flow nothing but trace pipes and the log', () => {
    const outside = ['/proc/sys/kernel/panic', '/sys/kernel/tracing/../mm/ksm/run', '/tmp/x'];
    for (const path of outside) {
      expect(backend.control?.apply([{ kind: 'write', path, text: '1' }]), path).toMatchObject({
        path,
        reason: 'denied',
      });
      expect(backend.streams?.open(path), path).toMatchObject({ path, reason: 'denied' });
    }
  });

  it('says of each capability whether it is there, from what, and what would help', () => {
    const capabilities = backend.capabilities();
    expect(capabilities.map(({ name }) => name)).toEqual(['memory', 'files', 'symbols', 'types', 'log', 'stacks']);
    for (const { available, detail, help, name } of capabilities) {
      expect(detail, name).not.toBe('');
      if (!available) expect(detail, name).toMatch(/\/proc|\/sys|\/dev/);
      if (available) expect(help, name).toBeUndefined();
    }
    expect(capabilities[0]?.available).toBe(backend.memory !== undefined);
  });

  it('has no stub in the place of memory', () => {
    if (backend.memory === undefined) expect(backend.vmcoreinfo?.()).toBeUndefined();
    else expect(backend.memory.read([])).toEqual([]);
    backend.close();
  });
});
