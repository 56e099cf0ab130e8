/** Symbol tables of any size, made up as a kernel's are, and what a person types to find something in one. */
import { seededRandom } from '../support/mutations.ts';

export const TYPED = [
  'mutlockslow',
  'vfsunl',
  'tcpv4rcv',
  'schedule_timeout',
  'doexit',
  'xfs_il',
  'e1000_clean',
  'kmemcacheal',
];

const PARTS = `tcp udp vfs xfs ext4 nfs sched rcu mutex spin lock unlock slow path alloc free page slab kmem cache init
  exit read write open close sys do get put dev net skb recv send queue work timer irq handle probe remove e1000 clean
  ring map unmap pci usb hid drm i915 amdgpu kvm vmx trace perf event bpf prog file inode dentry super block bio req`
  .trim()
  .split(/\s+/);

/** Text such as /proc/kallsyms gives, of names built as the kernel builds them. */
export function kallsyms(count: number): Uint8Array {
  const random = seededRandom(7);
  const part = (): string => PARTS[Math.floor(random() * PARTS.length)] as string;
  const lines = ['ffffffff81000000 T _text', 'ffffffff81000040 T schedule'];
  for (let i = lines.length; i < count; i++) {
    const name = Array.from({ length: 2 + Math.floor(random() * 4) }, part).join('_');
    const module = i > count * 0.8 ? `\t[${part()}_${part()}]` : '';
    lines.push(
      `${(0xffffffff81000000n + BigInt(i) * 64n).toString(16)} ${i % 3 === 0 ? 't' : 'T'} ${name}_${i % 97}${module}`,
    );
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}
