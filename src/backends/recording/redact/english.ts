/**
 * Words of English that are in messages of every kernel and in anybody's notes: with them a log can still be read, and
 * they name nobody. What the kernel's own names are made of is not repeated here.
 */
export const ENGLISH: readonly string[] = `
a able about above according across activating active added adding adjusting adjusted after again against all allowed
allowing almost alone along already also although always among an and another any anybody anyone anything appears
architecture are around as ask asked asks assigned assuming at attached attempted automatically available away back based
be became because been before began begin begins being below best better between beyond both bottom bringing broken brought
but by calculated calculating calibrated calibrating calibration called caller calls came can cannot cause caused causes
certificate certificates change changed changes clean clear closes code come comes complete completed completely
computed configured conflicts connected consider consuming contains controlled copyright correct could count course
create created creating critical currently cut cycles data day default defined delayed describes detected detection
device devices did died different difference directly disabled disables disabling discarded do does doing done down due
during each earlier early either else empty enabled enables enabling end ended ends enough entries entry error errors even
ever every everybody everything exactly except executed exited expected expired explicitly exported external extra
failed failing fails failure false family far fast fewer fifth fifty filled find finds first fixed following follows
found four fourth framework free freed freeing from full further future gave get gets getting give given gives go goes
going gone good got great group grows had half hands happen happened happens happy hardware has have having he head held
help helps her here high higher his hold holding holds hour hours how however hundred if ignored ignoring implies
important in incomplete incorrect increased indicate information initial initialise initialised initialising initialize
initialized initializing inside instead integrated into invalid invoked is it its itself jobs just keep keeps kept keyring
kind know known knows large last later least leave leaves left less let lets level like likely limit limited line lines
listed little loaded loading long longer look looked looking looks loop lost lot low lower machine machines made main make
makes making many mapped mapping marked matter matters may maybe mean meaning means meant might milliseconds minute
minutes missing mitigation mode moment moments monitor more most mounted mounting moved much must named nearly need needed
needs neither never new next nine no nobody none nor normally not nothing notice noticed now number of off often old on
once one ones only onto open opened opens or order other others otherwise our out outside over overrides own owned owner
owns parallel part partly passed passes passing past per percent perhaps permanently place places plan please point
points possible pre present prevent previous previously probably problem processor processors program programs protected
protecting protection question questions queue queued queues quickly quite ran rather read reading reads ready real really
reason registered registering related released reliable remaining removed repeated replaced report reported reports requested
requested required requires reserved reserving reset rest restart restricting restrict result results return returned
returns right round run running runs said same saved saves saw say says second seconds secure see seems seen selected
sent serves set sets setting settings seven several shall she should show showed shown shows simply since single six size
skipped skipping sleeping sleeps slow small so some somebody something soon source space specified speculation stack
stacks stand stands started starting starts state stay stays still stop stopped stops such successful successfully
sufficient supported supporting supports sure suppressed switched switching system systems take taken takes taking task
tasks tell tells ten than that the their them themselves then there these they thing things think third thirds this those
though thousand three through thus time times to today together told too took top total totals towards tracer trying
twelve twenty twice two unable under understand unknown unless unlikely unlimited until unused up updated upon us usable
used useful user users uses using usual vendor verification version very via virtual vulnerable wait waited waiter waiters
waiting waits want wanted wants warning warnings was way ways we well went were what whatever when whenever where which
while who whoever whole whom whose why will with within without woken word words work worked working works worth would
write writer writers writes wrong year yes yet you your
apic acpi amd bogomips bios bochs cpuid debian dmi efi gnu gpl hpet ibrs intel ioapic irq kaslr kib kvm linux lsm mhz mib
mmio mtrr mtrrs nmi numa nx pci pit qemu ram redhat retpoline retpolines rsb rsdp rsdt seabios smp ssb suse tsc ubuntu uefi
x2apic xsave
`
  .trim()
  .split(/\s+/);
