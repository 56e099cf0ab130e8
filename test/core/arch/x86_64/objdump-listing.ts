/**
 * Instructions as objdump (GNU binutils 2.40) prints them: address, bytes, text. The source is a list of the forms that
 * kernel text has, assembled with as and linked at 0xffffffff81000000.
 */
export const OBJDUMP_LISTING = `
ffffffff81000000  f30f1efa                  endbr64
ffffffff81000004  55                        push   %rbp
ffffffff81000005  4889e5                    mov    %rsp,%rbp
ffffffff81000008  65488b042528000000        mov    %gs:0x28,%rax
ffffffff81000011  65488b3c25c0fb0100        mov    %gs:0x1fbc0,%rdi
ffffffff8100001a  65488b3d00010000          mov    %gs:0x100(%rip),%rdi        # 0xffffffff81000122
ffffffff81000022  488b07                    mov    (%rdi),%rax
ffffffff81000025  488b07                    mov    (%rdi),%rax
ffffffff81000028  488b4700                  mov    0x0(%rdi),%rax
ffffffff8100002c  488b4df8                  mov    -0x8(%rbp),%rcx
ffffffff81000030  488b1534120000            mov    0x1234(%rip),%rdx        # 0xffffffff8100126b
ffffffff81000037  488b1408                  mov    (%rax,%rcx,1),%rdx
ffffffff8100003b  488b14c50056c382          mov    -0x7d3caa00(,%rax,8),%rdx
ffffffff81000043  8b0425401ce582            mov    0xffffffff82e51c40,%eax
ffffffff8100004a  48c7c7401ce582            mov    $0xffffffff82e51c40,%rdi
ffffffff81000051  48b8000000008088ffff      movabs $0xffff888000000000,%rax
ffffffff8100005b  488d44f710                lea    0x10(%rdi,%rsi,8),%rax
ffffffff81000060  0fb607                    movzbl (%rdi),%eax
ffffffff81000063  0fb7c0                    movzwl %ax,%eax
ffffffff81000066  0fbec0                    movsbl %al,%eax
ffffffff81000069  4863c7                    movslq %edi,%rax
ffffffff8100006c  4898                      cltq
ffffffff8100006e  4899                      cqto
ffffffff81000070  99                        cltd
ffffffff81000071  98                        cwtl
ffffffff81000072  4883c410                  add    $0x10,%rsp
ffffffff81000076  4883c480                  add    $0xffffffffffffff80,%rsp
ffffffff8100007a  4883ec80                  sub    $0xffffffffffffff80,%rsp
ffffffff8100007e  4883e4f0                  and    $0xfffffffffffffff0,%rsp
ffffffff81000082  3cff                      cmp    $0xff,%al
ffffffff81000084  837f1800                  cmpl   $0x0,0x18(%rdi)
ffffffff81000088  488338ff                  cmpq   $0xffffffffffffffff,(%rax)
ffffffff8100008c  803e41                    cmpb   $0x41,(%rsi)
ffffffff8100008f  f6472c01                  testb  $0x1,0x2c(%rdi)
ffffffff81000093  48d1e8                    shr    %rax
ffffffff81000096  d1fa                      sar    %edx
ffffffff81000098  48d163d0                  shlq   -0x30(%rbx)
ffffffff8100009c  48c1e801                  shr    $0x1,%rax
ffffffff810000a0  48c1e803                  shr    $0x3,%rax
ffffffff810000a4  480fa4c204                shld   $0x4,%rax,%rdx
ffffffff810000a9  d3c0                      rol    %cl,%eax
ffffffff810000ab  4d69e460100000            imul   $0x1060,%r12,%r12
ffffffff810000b2  486b1010                  imul   $0x10,(%rax),%rdx
ffffffff810000b6  480fafd1                  imul   %rcx,%rdx
ffffffff810000ba  6bc807                    imul   $0x7,%eax,%ecx
ffffffff810000bd  48f7e2                    mul    %rdx
ffffffff810000c0  f7f1                      div    %ecx
ffffffff810000c2  48f77708                  divq   0x8(%rdi)
ffffffff810000c6  48f7d0                    not    %rax
ffffffff810000c9  f7d9                      neg    %ecx
ffffffff810000cb  ff4704                    incl   0x4(%rdi)
ffffffff810000ce  48ff08                    decq   (%rax)
ffffffff810000d1  f0ff00                    lock incl (%rax)
ffffffff810000d4  f00fb10f                  lock cmpxchg %ecx,(%rdi)
ffffffff810000d8  f00fc14710                lock xadd %eax,0x10(%rdi)
ffffffff810000dd  f0480fba2f03              lock btsq $0x3,(%rdi)
ffffffff810000e3  488707                    xchg   %rax,(%rdi)
ffffffff810000e6  f0834424fc00              lock addl $0x0,-0x4(%rsp)
ffffffff810000ec  f3aa                      rep stos %al,%es:(%rdi)
ffffffff810000ee  f348a5                    rep movsq %ds:(%rsi),%es:(%rdi)
ffffffff810000f1  a4                        movsb  %ds:(%rsi),%es:(%rdi)
ffffffff810000f2  ad                        lods   %ds:(%rsi),%eax
ffffffff810000f3  ae                        scas   %es:(%rdi),%al
ffffffff810000f4  f2ae                      repnz scas %es:(%rdi),%al
ffffffff810000f6  a6                        cmpsb  %es:(%rdi),%ds:(%rsi)
ffffffff810000f7  f3a6                      repz cmpsb %es:(%rdi),%ds:(%rsi)
ffffffff810000f9  fc                        cld
ffffffff810000fa  fd                        std
ffffffff810000fb  fa                        cli
ffffffff810000fc  fb                        sti
ffffffff810000fd  f4                        hlt
ffffffff810000fe  90                        nop
ffffffff810000ff  f390                      pause
ffffffff81000101  6690                      xchg   %ax,%ax
ffffffff81000103  666690                    data16 xchg %ax,%ax
ffffffff81000106  0f1f00                    nopl   (%rax)
ffffffff81000109  0f1f00                    nopl   (%rax)
ffffffff8100010c  0f1f0400                  nopl   (%rax,%rax,1)
ffffffff81000110  660f1f0400                nopw   (%rax,%rax,1)
ffffffff81000115  2e660f1f0400              cs nopw (%rax,%rax,1)
ffffffff8100011b  66662e0f1f840000000000    data16 cs nopw 0x0(%rax,%rax,1)
ffffffff81000126  6666662e0f1f840000000000  data16 data16 cs nopw 0x0(%rax,%rax,1)
ffffffff81000132  cc                        int3
ffffffff81000133  0f0b                      ud2
ffffffff81000135  0fb9d0                    ud1    %eax,%edx
ffffffff81000138  c3                        ret
ffffffff81000139  cb                        lret
ffffffff8100013a  48cf                      iretq
ffffffff8100013c  0f05                      syscall
ffffffff8100013e  480f07                    sysretq
ffffffff81000141  0f01f8                    swapgs
ffffffff81000144  0f30                      wrmsr
ffffffff81000146  0f32                      rdmsr
ffffffff81000148  0f31                      rdtsc
ffffffff8100014a  0f01f9                    rdtscp
ffffffff8100014d  0fa2                      cpuid
ffffffff8100014f  0faee8                    lfence
ffffffff81000152  0faef0                    mfence
ffffffff81000155  0faef8                    sfence
ffffffff81000158  0fae38                    clflush (%rax)
ffffffff8100015b  3e0fae38                  ds clflush (%rax)
ffffffff8100015f  0f180f                    prefetcht0 (%rdi)
ffffffff81000162  0f0d0f                    prefetchw (%rdi)
ffffffff81000165  0f013f                    invlpg (%rdi)
ffffffff81000168  0f0110                    lgdt   (%rax)
ffffffff8100016b  0f015808                  lidt   0x8(%rax)
ffffffff8100016f  0f20d8                    mov    %cr3,%rax
ffffffff81000172  0f22e0                    mov    %rax,%cr4
ffffffff81000175  0f21f8                    mov    %db7,%rax
ffffffff81000178  ec                        in     (%dx),%al
ffffffff81000179  ef                        out    %eax,(%dx)
ffffffff8100017a  e470                      in     $0x70,%al
ffffffff8100017c  6e                        outsb  %ds:(%rsi),(%dx)
ffffffff8100017d  0f01c8                    monitor %rax,%ecx,%edx
ffffffff81000180  0f01c9                    mwait  %eax,%ecx
ffffffff81000183  0f01cb                    stac
ffffffff81000186  0f01ca                    clac
ffffffff81000189  0f09                      wbinvd
ffffffff8100018b  480fae27                  xsave64 (%rdi)
ffffffff8100018f  480fae0f                  fxrstor64 (%rdi)
ffffffff81000193  0f002d08000000            verw   0x8(%rip)        # 0xffffffff810001a2
ffffffff8100019a  9c                        pushf
ffffffff8100019b  9d                        popf
ffffffff8100019c  6a10                      push   $0x10
ffffffff8100019e  6800000081                push   $0xffffffff81000000
ffffffff810001a3  ff7370                    push   0x70(%rbx)
ffffffff810001a6  8f0424                    pop    (%rsp)
ffffffff810001a9  e8fb0f0000                call   0xffffffff810011a9
ffffffff810001ae  ffd0                      call   *%rax
ffffffff810001b0  41ffd3                    call   *%r11
ffffffff810001b3  ff5018                    call   *0x18(%rax)
ffffffff810001b6  ff15af28c301              call   *0x1c328af(%rip)        # 0xffffffff82c32a6b
ffffffff810001bc  ff14c50000c081            call   *-0x7e400000(,%rax,8)
ffffffff810001c3  2ee8fb000000              cs call 0xffffffff810002c4
ffffffff810001c9  e9fb010000                jmp    0xffffffff810003c9
ffffffff810001ce  eb00                      jmp    0xffffffff810001d0
ffffffff810001d0  ffe0                      jmp    *%rax
ffffffff810001d2  3effe0                    notrack jmp *%rax
ffffffff810001d5  ff257fc95302              jmp    *0x253c97f(%rip)        # 0xffffffff8353cb5a
ffffffff810001db  ff24c500200082            jmp    *-0x7dffe000(,%rax,8)
ffffffff810001e2  ff6824                    ljmp   *0x24(%rax)
ffffffff810001e5  741e                      je     0xffffffff81000205
ffffffff810001e7  0f85fa0f0000              jne    0xffffffff810011e7
ffffffff810001ed  76ee                      jbe    0xffffffff810001dd
ffffffff810001ef  7805                      js     0xffffffff810001f6
ffffffff810001f1  e303                      jrcxz  0xffffffff810001f6
ffffffff810001f3  e203                      loop   0xffffffff810001f8
ffffffff810001f5  0f94c0                    sete   %al
ffffffff810001f8  0f9207                    setb   (%rdi)
ffffffff810001fb  480f45c2                  cmovne %rdx,%rax
ffffffff810001ff  480fa307                  bt     %rax,(%rdi)
ffffffff81000203  480fbaf005                btr    $0x5,%rax
ffffffff81000208  480fbcc8                  bsf    %rax,%rcx
ffffffff8100020c  480fbdc8                  bsr    %rax,%rcx
ffffffff81000210  f3480fb8c8                popcnt %rax,%rcx
ffffffff81000215  f3480fbdc8                lzcnt  %rax,%rcx
ffffffff8100021a  f3480fbcc8                tzcnt  %rax,%rcx
ffffffff8100021f  0fc8                      bswap  %eax
ffffffff81000221  19c0                      sbb    %eax,%eax
ffffffff81000223  4883d200                  adc    $0x0,%rdx
ffffffff81000227  66480f38f6d0              adcx   %rax,%rdx
ffffffff8100022d  c4e2f3f6d0                mulx   %rax,%rcx,%rdx
ffffffff81000232  c4e37bf0d01b              rorx   $0x1b,%eax,%edx
ffffffff81000238  f20f38f007                crc32b (%rdi),%eax
ffffffff8100023d  480fc307                  movnti %rax,(%rdi)
ffffffff81000241  0f2907                    movaps %xmm0,(%rdi)
ffffffff81000244  f30f6f0e                  movdqu (%rsi),%xmm1
ffffffff81000248  660fefc0                  pxor   %xmm0,%xmm0
ffffffff8100024c  660f70c81b                pshufd $0x1b,%xmm0,%xmm1
ffffffff81000251  c5fd6f07                  vmovdqa (%rdi),%ymm0
ffffffff81000255  c5edefd9                  vpxor  %ymm1,%ymm2,%ymm3
ffffffff81000259  c5f877                    vzeroupper
ffffffff8100025c  660f38dcd1                aesenc %xmm1,%xmm2
ffffffff81000261  dbe3                      fninit
ffffffff81000263  d9e8                      fld1
ffffffff81000265  c9                        leave
ffffffff81000266  c8100000                  enter  $0x10,$0x0
ffffffff8100026a  660f00c8                  str    %ax
ffffffff8100026e  0f00d8                    ltr    %ax
ffffffff81000271  0f00c0                    sldt   %eax
ffffffff81000274  f3480faec0                rdfsbase %rax
ffffffff81000279  f3480faedf                wrgsbase %rdi
ffffffff8100027e  0f01c1                    vmcall
ffffffff81000281  0f01c2                    vmlaunch
ffffffff81000284  0f01d0                    xgetbv
ffffffff81000287  0f01e8                    serialize
ffffffff8100028a  660faef0                  tpause %eax
ffffffff8100028e  480fc7f0                  rdrand %rax
ffffffff81000292  f30fc7f8                  rdpid  %rax
ffffffff81000296  8cd8                      mov    %ds,%eax
ffffffff81000298  8ec0                      mov    %eax,%es
ffffffff8100029a  8c6702                    mov    %fs,0x2(%rdi)
ffffffff8100029d  66c7073412                movw   $0x1234,(%rdi)
ffffffff810002a2  c64703ff                  movb   $0xff,0x3(%rdi)
ffffffff810002a6  c707ffffffff              movl   $0xffffffff,(%rdi)
ffffffff810002ac  48c70700000080            movq   $0xffffffff80000000,(%rdi)
ffffffff810002b3  89f6                      mov    %esi,%esi
ffffffff810002b5  4488c7                    mov    %r8b,%dil
ffffffff810002b8  664489f8                  mov    %r15w,%ax
ffffffff810002bc  31c0                      xor    %eax,%eax
ffffffff810002be  4885ff                    test   %rdi,%rdi
ffffffff81000400  f3c3                      repz ret
`;
