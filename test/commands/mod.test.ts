import { describe, expect, it } from 'vitest';
import { FakeKernel, fakeFiles } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';

const files = fakeFiles({
  '/proc/modules': [
    'kdbg_lab 40960 1 [permanent], Live 0xffffffffc0395000 (OE)',
    'virtio_net 114688 0 - Live 0xffffffffc0370000',
    'net_failover 24576 1 virtio_net, Loading 0xffffffffc0367000',
    '',
  ].join('\n'),
});

function session() {
  const fake = new FakeKernel();
  fake.symbols.add('virtnet_open', 0xffff_ffff_c037_0000n, 't', 'virtio_net');
  return fakeSession(fake, { memory: false, files });
}

describe('mod', () => {
  it('lists modules by address, with what is out of the ordinary', () => {
    expect(session().lines('mod')).toEqual([
      '     MODULE       NAME                 TEXT_BASE           SIZE  REFS  USED BY',
      '       -          net_failover      ffffffffc0367000      24576     1  virtio_net [loading]',
      '       -          virtio_net        ffffffffc0370000     114688     0  -',
      '       -          kdbg_lab          ffffffffc0395000      40960     1  [permanent] [OE]',
    ]);
  });

  it('has rows', () => {
    expect(session().json('mod virtio-net').rows).toEqual([
      {
        module: null,
        name: 'virtio_net',
        base: '0xffffffffc0370000',
        size: 114688,
        usedBy: [],
        references: 0,
        permanent: false,
        state: 'live',
        taints: '',
      },
    ]);
  });

  it('explains taints', () => {
    const { rows } = session().json('mod -t');
    expect(rows).toEqual([
      { name: 'kdbg_lab', taints: 'OE', meaning: 'externally built module was loaded, unsigned module was loaded' },
    ]);
    expect(session().json('mod -t virtio_net').notices).toEqual(['no module taints the kernel']);
  });

  it.each(['mod -s virtio_net', 'mod -s virtio_net /lib/virtio_net.ko', 'mod -d virtio_net'])(
    '%s says that symbols need not be loaded',
    (line) => {
      const { status, notices, rows } = session().json(line);
      expect(status).toBe(0);
      expect(notices).toEqual([
        '1 symbols of virtio_net are there already, from a test: nothing is loaded or unloaded',
      ]);
      expect(rows.length).toBe(1);
    },
  );

  it.each(['mod -S', 'mod -S /lib/modules', 'mod -D', 'mod -r', 'mod -o', 'mod -R'])('%s lists all modules', (line) => {
    expect(session().json(line)).toMatchObject({ status: 0, rows: { length: 3 } });
  });

  it('suggests names', () => {
    expect(session().json('mod virtio').error).toContain('did you mean virtio_net?');
  });

  it('says so where nothing is known or loaded', () => {
    expect(fakeSession(new FakeKernel(), { memory: false }).json('mod').error).toContain('does not tell of modules');
    const none = fakeFiles({ '/proc/modules': '' });
    expect(fakeSession(new FakeKernel(), { memory: false, files: none }).json('mod').notices).toEqual([
      'no modules are loaded',
    ]);
  });
});
