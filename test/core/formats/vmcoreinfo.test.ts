import { describe, expect, it } from 'vitest';
import { parseVmcoreinfo, parseVmcoreinfoLocation } from '../../../src/core/formats/vmcoreinfo.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const TEXT = `\
OSRELEASE=6.1.0-39-cloud-amd64
BUILD-ID=8e28f3a5c0ffee1234567890abcdef1234567890
PAGESIZE=4096
SYMBOL(_stext)=ffffffff9ac00000
SIZE(list_head)=16
OFFSET(list_head.next)=0
OFFSET(page.flags)=8
LENGTH(zone.free_area)=11
NUMBER(phys_base)=-1048576
NUMBER(sme_mask)=0x800000000000
KERNELOFFSET=19c00000
`;

describe('parseVmcoreinfo', () => {
  it('types each kind of line', () => {
    const info = parseVmcoreinfo(encodeText(TEXT));
    expect(info.release).toBe('6.1.0-39-cloud-amd64');
    expect(info.buildId).toBe('8e28f3a5c0ffee1234567890abcdef1234567890');
    expect(info.get('PAGESIZE')).toBe('4096');
    expect(info.symbol('_stext')).toBe(0xffffffff9ac00000n);
    expect(info.size('list_head')).toBe(16);
    expect(info.offset('list_head.next')).toBe(0);
    expect(info.offset('page.flags')).toBe(8);
    expect(info.length('zone.free_area')).toBe(11);
    expect(info.number('phys_base')).toBe(-1048576n);
    expect(info.number('sme_mask')).toBe(0x800000000000n);
    expect(info.kaslrOffset).toBe(0x19c00000n);
  });

  it('has nothing for a key that is not there', () => {
    const info = parseVmcoreinfo(encodeText(TEXT));
    expect(info.symbol('_etext')).toBeUndefined();
    expect(info.offset('page.nonesuch')).toBeUndefined();
    expect(parseVmcoreinfo(new Uint8Array(0)).release).toBeUndefined();
  });

  it.each([['SYMBOL(a)=xyz'], ['SYMBOL(a)='], ['SYMBOL(a)=11112222333344445']])('takes no address from %s', (line) => {
    expect(parseVmcoreinfo(encodeText(line)).symbol('a')).toBeUndefined();
  });

  it('takes the key from the start of its line, and the first of two', () => {
    const info = parseVmcoreinfo(encodeText('XOSRELEASE=bad\nOSRELEASE=good\nOSRELEASE=late\n=empty\nnothing\n'));
    expect(info.release).toBe('good');
    expect(info.keys).toEqual(['XOSRELEASE', 'OSRELEASE']);
  });

  it('ends at a NUL', () => {
    expect(parseVmcoreinfo(encodeText('OSRELEASE=6.1\0\0BUILD-ID=00112233\n')).buildId).toBeUndefined();
  });

  it('survives 10,000 damaged notes', () => {
    const bytes = encodeText(TEXT);
    const random = seededRandom(2);
    for (let i = 0; i < 10_000; i++) {
      const info = parseVmcoreinfo(mutate(bytes, random));
      const address = info.symbol('_stext');
      expect(address === undefined || (address >= 0n && address < 1n << 64n)).toBe(true);
      info.number('phys_base');
      info.offset('page.flags');
    }
  });
});

describe('parseVmcoreinfoLocation', () => {
  it.each([
    ['0x000000001f2c000 1000\n', { physical: 0x1f2c000n, length: 0x1000 }],
    ['1f2c000 1024', { physical: 0x1f2c000n, length: 0x1024 }],
    ['', undefined],
    ['0x1f2c000', undefined],
    ['0x1f2c000 ffffffff', undefined],
    ['0x1f2c000 0', undefined],
  ])('%j', (text, location) => {
    expect(parseVmcoreinfoLocation(text)).toEqual(location);
  });
});
