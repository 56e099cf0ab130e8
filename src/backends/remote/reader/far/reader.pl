# kdbg's far side in Perl: answers requests for kernel memory and kernel files until its standard input ends.
# docs/remote-protocol.md is what it speaks. Core modules only, and those beyond perl-base only where they are there.
use Fcntl qw(F_SETFL O_RDONLY O_WRONLY O_NONBLOCK O_NOCTTY O_NOFOLLOW O_TRUNC O_APPEND SEEK_SET);
use Cwd ();

# Whoever fell silent for this long is gone; the other side sends something every 15 s.
my $PATIENCE = 60;
my $FRAME_MAX = 256 * 1024;    # of what a frame carries, before it is compressed
my $LINE_MAX = 1 << 20;
my $RATE_MAX = 128 << 20;      # bytes per second

my ($magic) = $ARGV[0] =~ /^(\w+)/;
# Not Compress::Zlib: that loads much more, for what is not needed here.
my $can_zip = eval { require Compress::Raw::Zlib; 1 };
my ($kcore, $kcore_path, @ranges, $body, $answering, %streams, $guard, @ending);
my ($sent, $since) = (0, time);

sub put {
  my $at = 0;
  while ($at < length $_[0]) {
    my $n = syswrite STDOUT, $_[0], 65536, $at;
    if (defined $n) { $at += $n; alarm $PATIENCE }
    elsif (!$!{EINTR} && !$!{EAGAIN}) { exit 0 }
    else { select undef, undef, undef, 0.01 }
  }
}

# One frame: KIND is m (more follows), e (the answer's end), s (a stream's bytes) or x (a stream's end).
sub frame {
  my ($id, $kind, $bytes) = @_;
  my $raw = length $bytes;
  my $sum = $can_zip ? sprintf '%08x', Compress::Raw::Zlib::crc32($bytes) : '-';
  if ($can_zip && $raw >= 8192) {
    my ($deflate) = Compress::Raw::Zlib::Deflate->new(-Level => 3, -AppendOutput => 1);
    my $small = '';
    $deflate->deflate($bytes, $small);
    $deflate->flush($small);
    ($bytes, $kind) = ($small, $kind . 'z') if length $small < $raw;
  }
  put("$magic $id $kind " . length($bytes) . " $raw $sum\n$bytes\n");
  ($sent, $since) = (0, time) if time != $since;
  $sent += $raw;
  select undef, undef, undef, 0.05 while $sent > $RATE_MAX && time == $since;
}

# One item of the answer: + whole, > more of it follows, ~ cut at the limit, - an error, = as the asker has it.
sub item {
  my ($kind, $bytes) = @_;
  $body .= $kind . length($bytes) . "\n" . $bytes;
  return if length $body < $FRAME_MAX;
  frame($answering, 'm', $body);
  $body = '';
}

sub error { item('-', $_[0] || ($! + 0) . " $!") }

# Memory: ranges of /proc/kcore by their place in the file.

sub pread {
  my ($file, $at, $length) = @_;
  my $bytes = '';
  sysseek($file, $at, SEEK_SET) or return;
  while (length $bytes < $length) {
    my $n = sysread $file, $bytes, $length - length $bytes, length $bytes;
    return unless defined $n;
    if ($n == 0) { $! = 0; return }
  }
  return $bytes;
}

sub op_read {
  while (@_) {
    my ($at, $length) = splice @_, 0, 2;
    my $bytes = pread($kcore, $at, $length);
    defined $bytes ? item('+', $bytes) : error();
  }
}

# Where a virtual address is in the file; nothing when its range ends within the length.
sub place {
  my ($address, $length) = @_;
  for (@ranges) {
    return $address - $_->[0] + $_->[2] if $address >= $_->[0] && $address - $_->[0] + $length <= $_->[1];
  }
  $! = 14;
  return;
}

sub virtual {
  my ($address, $length) = @_;
  my $at = place($address, $length);
  return defined $at ? pread($kcore, $at, $length) : undef;
}

sub op_map {
  @ranges = ();
  push @ranges, [splice @_, 0, 3] while @_;
}

# A walk: each node is its address and the ranges asked for; the last item says why it ended.
sub op_follow {
  my ($node, $next_at, $end, $limit, @wanted) = @_;
  my (%seen, $count);
  for (;;) {
    return item('.', 'null') if $node == 0;
    return item('.', 'end') if $end ne '-' && $node == $end;
    return item('.', 'loop') if $seen{$node}++;
    return item('.', 'limit') if $count++ >= $limit;
    item('+', sprintf '%x', $node);
    for (my $i = 0; $i < @wanted; $i += 2) {
      my $bytes = virtual(add($node, $wanted[$i]), $wanted[$i + 1]);
      defined $bytes ? item('+', $bytes) : error();
    }
    my $from = add($node, $next_at);
    my $bytes = virtual($from, 8);
    return item('.', sprintf 'fault %x %d %s', $from, $!, $!) unless defined $bytes;
    $node = unpack 'Q<', $bytes;
  }
}

# A way from pointer to pointer: the pointers, then why it ended. A NULL is the last.
sub op_chase {
  my ($at, $flags, @offsets) = @_;
  my $pointers = '';
  for my $offset (@offsets) {
    my $from = add($at, $offset);
    my $bytes = virtual($from, 8);
    if (!defined $bytes) {
      my $why = sprintf 'fault %x %d %s', $from, $!, $!;
      item('+', $pointers);
      return item('.', $why);
    }
    $pointers .= $bytes;
    $at = unpack('Q<', $bytes) & ~($flags + 0);
    last if $at == 0;
  }
  item('+', $pointers);
  item('.', 'end');
}

# An address and a signed offset, in 64 bits whatever the sum.
sub add { use integer; my $sum = $_[0] + $_[1]; return unpack 'Q', pack 'q', $sum }

# Files: what is the kernel's (/proc, /sys, /boot, /dev/kmsg), read to the end and never waiting.

my $PROCESS_FILE = qr{^/proc/\d+(?:/task/\d+)?/[a-z_]+\z};
my $CONSUMING = qr{^/proc/kmsg\z|/(?:trace_pipe|trace_pipe_raw|snapshot_raw)\z};

sub resolved {
  my ($path) = @_;
  return $path if $path eq '/dev/kmsg' || $path =~ $PROCESS_FILE || $path eq $kcore_path;
  my $real = Cwd::abs_path($path);
  unless (defined $real && -e $real) { $! ||= 2; return }
  return $real if $real =~ m{^/(?:proc|sys|boot)(?:/|\z)};
  $! = 13;
  return;
}

sub open_file {
  my ($path) = @_;
  $path = resolved($path);
  return unless defined $path;
  sysopen my $file, $path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW or return;
  return $file;
}

sub op_files {
  my ($limit, @paths) = @_;
  for my $path (@paths) {
    my $file = open_file($path);
    if (!$file) { error(); next }
    read_file($file, $path, $limit);
  }
}

sub read_file {
  my ($file, $path, $limit) = @_;
  return error('1 it is no plain file') if $path ne '/dev/kmsg' && !-f $file;
  return error('1 reading it would take its records away') if $path =~ $CONSUMING;
  my ($bytes, $total, $overtaken) = ('', 0, 0);
  for (;;) {
    # One byte more than the limit tells whether the file goes on.
    my $want = $limit + 1 - $total;
    $want = 65536 if $want > 65536 || $path eq '/dev/kmsg';
    my $n = $want > 0 ? sysread($file, $bytes, $want, length $bytes) : 0;
    if (!defined $n) {
      next if $!{EINTR} || ($!{EPIPE} && $path eq '/dev/kmsg' && ++$overtaken < 1000);
      last if $!{EAGAIN};
      return error();
    }
    $total += $n;
    last if $n == 0 || $total > $limit;
    next if length $bytes < $FRAME_MAX;
    item('>', $bytes);
    $bytes = '';
  }
  return item('+', $bytes) if $total <= $limit;
  item('~', substr $bytes, 0, length($bytes) - ($total - $limit));
}

# Files that the asker may have: the same bytes are not sent again.
sub op_known {
  my ($limit, @pairs) = @_;
  my $can_hash = eval { require Digest::SHA; 1 };
  while (@pairs) {
    my ($sum, $path) = splice @pairs, 0, 2;
    my $file = open_file($path);
    if (!$file) { error(); next }
    if ($can_hash && length $sum == 64 && -f $file && $path !~ $CONSUMING) {
      my $hash = Digest::SHA->new(256);
      my ($n, $bytes, $total) = (0, '', 0);
      while (($n = sysread $file, $bytes, 262144) && ($total += $n) <= $limit) { $hash->add($bytes) }
      if (defined $n && $n == 0 && $hash->hexdigest eq $sum) { item('=', ''); next }
      $file = open_file($path);
      if (!$file) { error(); next }
    }
    read_file($file, $path, $limit);
  }
}

# Ranges of a program, wherever it is: of a plain file that begins as an ELF executable or shared object.
sub op_program {
  my ($path, @ranges) = @_;
  my ($file, $why) = program($path);
  while (my ($at, $length) = splice @ranges, 0, 2) {
    my $bytes = $file && pread($file, $at, $length);
    defined $bytes ? item('+', $bytes) : error($why);
  }
}

sub program {
  my ($path) = @_;
  return (undef, ($! + 0) . " $!") unless -e $path;
  # What reading empties has no size.
  return (undef, '1 it is no program') unless -f _ && -s _;
  sysopen my $file, $path, O_RDONLY | O_NONBLOCK | O_NOCTTY or return (undef, ($! + 0) . " $!");
  my $start = -f $file && -s _ ? pread($file, 0, 18) : undef;
  return (undef, '1 it is no program') unless defined $start && $start =~ /^\x7fELF.{12}[\2\3]\0\z/s;
  return $file;
}

sub op_list {
  my $path = resolved($_[0]);
  defined $path && opendir my $directory, $path or return error();
  item('+', join "/", grep { $_ ne '.' && $_ ne '..' } readdir $directory);
}

sub op_link {
  my $to = readlink $_[0];
  defined $to ? item('+', $to) : error();
}

# Changes of tracefs, and of nothing else.

sub may_change { $_[0] =~ m{^/sys/kernel/(?:debug/)?tracing/[^\0]+\z} && $_[0] !~ m{/\.\.?(?:/|\z)} }

sub step {
  my ($kind, $path, $text) = @_;
  if (!may_change($path)) { $! = 1; return }
  return mkdir $path, 0700 if $kind eq 'm';
  return rmdir $path if $kind eq 'd';
  sysopen my $file, $path, O_WRONLY | O_NOFOLLOW | ($kind eq 'a' ? O_APPEND : O_TRUNC) or return;
  my $n = syswrite $file, $text;
  return defined $n && $n == length $text && close $file;
}

# Steps come as KIND PATH, and the text where KIND is w or a, behind a "=".
sub steps {
  my @steps;
  while (@_) {
    my ($kind, $path) = splice @_, 0, 2;
    push @steps, [$kind, $path, $kind =~ /[wa]/ ? substr shift, 1 : ''];
  }
  return @steps;
}

sub op_control {
  my $done = 0;
  for (steps(@_)) {
    return error(($! + 0) . " $done $!") unless step(@$_);
    $done++;
  }
  item('+', '');
}

# The guard: a process of its own that waits for this one to end, in whatever way, and puts tracefs back.
sub op_restore {
  my $plan = join(' ', map { encode($_) } @_) . "\n";
  if (!$guard) {
    return item('+', '') unless @_;
    pipe my $in, $guard or return error();
    pipe my $ready, my $tell or return error();
    my $child = fork;
    return error() unless defined $child;
    if (!$child) { guard($in, $tell, $guard, $ready) }
    close $in;
    close $tell;
    sysread $ready, my $word, 1;
    waitpid $child, 0;
  }
  local $SIG{PIPE} = 'IGNORE';
  defined syswrite $guard, $plan or return error();
  item('+', '');
}

sub guard {
  my ($in, $tell, @others) = @_;
  close $_ for @others, $kcore, map { $_->{file} } values %streams;
  $SIG{$_} = 'IGNORE' for qw(HUP INT TERM PIPE ALRM);
  alarm 0;
  require POSIX;
  POSIX::setsid();
  POSIX::_exit(0) if fork;
  open STDIN, '<', '/dev/null';
  open STDOUT, '>', '/dev/null';
  open STDERR, '>', '/dev/null';
  $0 = 'kdbg-guard';
  syswrite $tell, '+';
  close $tell;
  my ($plan, $input) = ('', '');
  while (sysread $in, $input, 65536, length $input) {
    $plan = $1 while $input =~ s/^([^\n]*)\n//;
  }
  # A file that somebody has open still keeps an instance busy for a moment: each step gets some tries.
  for (steps(map { decode($_) } split / /, $plan)) {
    for my $try (1 .. 5) {
      last if step(@$_) || !$!{EBUSY};
      select undef, undef, undef, 0.5 * $try;
    }
  }
  POSIX::_exit(0);
}

# Streams: files that flow, sent as far as the other side has given credit.

sub op_open {
  my ($credit, $path) = @_;
  my $real = resolved($path);
  sysopen my $file, $real, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW or return error() if defined $real;
  return error() unless $file;
  $streams{$answering} = { file => $file, credit => $credit };
  item('+', '');
}

# A command of the user's: its PID goes into files of tracefs, then it runs, in a process group of its own. What it prints
# is a stream, which ends when the command has, whoever else still holds its output.
sub op_run {
  my ($credit, $count, @words) = @_;
  my @files = splice @words, 0, $count;
  @words = map { substr $_, 1 } @words;
  for (@files) { if (!may_change($_)) { $! = 1; return error() } }
  pipe my $out, my $in or return error();
  my $child = fork;
  return error() unless defined $child;
  if (!$child) { run($in, \@files, @words) }
  close $in;
  fcntl $out, F_SETFL, O_NONBLOCK;
  $streams{$answering} = { file => $out, credit => $credit, child => $child };
  item('+', '');
}

sub run {
  my ($out, $files, @words) = @_;
  require POSIX;
  alarm 0;
  $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM PIPE ALRM);
  setpgrp;
  open STDIN, '<', '/dev/null';
  open STDOUT, '>&', $out;
  open STDERR, '>&', $out;
  for (@$files) {
    next if step('a', $_, $$);
    syswrite STDERR, "$_: $!\n";
    POSIX::_exit(126);
  }
  no warnings 'exec';
  exec { $words[0] } @words;
  syswrite STDERR, "$words[0]: $!\n";
  POSIX::_exit(127);
}

# Those that have ended, their output sent: how.
sub reap {
  for my $id (sort keys %streams) {
    my $stream = $streams{$id};
    next unless $stream->{child};
    if (!defined $stream->{ended} && waitpid($stream->{child}, 1) == $stream->{child}) {
      $stream->{ended} = $? & 127 ? 'signal ' . ($? & 127) : 'exit ' . ($? >> 8);
    }
    next unless defined $stream->{ended} && ($stream->{credit} > 0 || $stream->{over});
    flow($id) unless $stream->{over};
    next unless $streams{$id} && ($stream->{over} || $stream->{idle});
    delete $streams{$id};
    frame($id, 'x', $stream->{ended});
  }
}

sub op_taken { $streams{$_[0]}{credit} += $_[1] if $streams{$_[0]} }

sub op_close {
  my $stream = delete $streams{$_[0]} or return;
  stop($stream);
  frame($_[0], 'x', 'closed');
}

# Whoever started a command and does not want it any more ends it and what it started.
sub stop {
  my ($stream) = @_;
  return if !$stream->{child} || defined $stream->{ended};
  kill 'TERM', -$stream->{child};
  push @ending, { child => $stream->{child}, until => time + 2 };
}

sub bury {
  @ending = grep {
    my $gone = waitpid($_->{child}, 1) != 0;
    kill 'KILL', -$_->{child} if !$gone && time > $_->{until};
    !$gone;
  } @ending;
}

sub flow {
  my ($id) = @_;
  my $stream = $streams{$id};
  my $want = $stream->{credit} < 65536 ? $stream->{credit} : 65536;
  # A record of the kernel log comes whole or not at all.
  $want = 8192 if $want < 8192;
  my $n = sysread $stream->{file}, my $bytes, $want;
  $stream->{idle} = !$n;
  if ($stream->{child} && (defined $n ? $n == 0 : !($!{EAGAIN} || $!{EINTR}))) {
    $stream->{over} = 1;
  } elsif (defined $n && $n > 0) {
    $stream->{credit} -= $n;
    frame($id, 's', $bytes);
  } elsif (defined $n || !($!{EAGAIN} || $!{EINTR} || $!{EPIPE})) {
    my $why = defined $n ? 'the file ended' : "$!";
    delete $streams{$id};
    frame($id, 'x', $why);
  }
}

# Words of a request line: bytes that are no plain characters are written \0ooo.
sub decode { my ($word) = @_; $word =~ s/\\0([0-7]{3})/chr oct $1/ge; return $word }
sub encode { my ($word) = @_; $word =~ s/([^!-\[\]-~])|\\/sprintf '\\0%03o', ord(defined $1 ? $1 : '\\')/ge; return $word }

# The first request: where kernel memory is, and what the asker should know of this process.
sub op_hello {
  ($kcore_path) = @_;
  sysopen $kcore, $kcore_path, O_RDONLY or open $kcore, '<', '/dev/null';
  binmode $kcore;
  item('+', "perl $> $$ " . getppid() . ' ' . ($can_zip ? 1 : 0));
}

my %ops = (
  h => \&op_hello,
  r => \&op_read, m => \&op_map, w => \&op_follow, a => \&op_chase, f => \&op_files, F => \&op_known, b => \&op_program, l => \&op_list, k => \&op_link,
  c => \&op_control, g => \&op_restore, o => \&op_open, e => \&op_run, t => \&op_taken, x => \&op_close, p => sub { item('+', '') },
);

sub serve {
  my ($id, $op, @words) = map { decode($_) } split / /, $_[0];
  my $act = $ops{$op};
  exit 1 unless defined $id && $id =~ /^\d+$/;
  ($answering, $body) = ($id, '');
  if ($act) { $act->(@words) } else { error('38 no such request') }
  frame($id, 'e', $body) unless $op =~ /^[tx]$/;
}

sub main {
  # In whatever way it ends, but by being killed.
  $SIG{$_} = sub { exit 1 } for qw(ALRM HUP TERM);
  binmode $_ for \*STDIN, \*STDOUT;
  my $input = '';
  alarm $PATIENCE;
  for (;;) {
    my $bits = '';
    vec($bits, 0, 1) = 1;
    for (values %streams) { vec($bits, fileno $_->{file}, 1) = 1 if $_->{credit} > 0 && !$_->{over} }
    my $look = @ending || grep({ $_->{child} } values %streams) ? 0.1 : undef;
    next if select($bits, undef, undef, $look) < 0;
    for (sort keys %streams) { flow($_) if vec $bits, fileno $streams{$_}{file}, 1 }
    reap();
    bury() if @ending;
    next unless vec $bits, 0, 1;
    my $n = sysread STDIN, $input, 65536, length $input;
    next if !defined $n && ($!{EINTR} || $!{EAGAIN});
    last unless $n;
    alarm $PATIENCE;
    last if length $input > $LINE_MAX && $input !~ /\n/;
    while ((my $end = index $input, "\n") >= 0) {
      my $line = substr $input, 0, $end + 1, '';
      chomp $line;
      serve($line) if $line ne '';
    }
  }
  exit 0;
}

END { stop($_) for values %streams }

main();
