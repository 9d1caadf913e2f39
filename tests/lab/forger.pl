#!/usr/bin/perl
# What user valence may put in the place of a python that root runs as valence: it leaves a process behind that keeps each
# descriptor it was given or can get, and prints into all of them, and reads from them, as long as the host lives. Where
# there is a file `stop`, it also stops whatever it may.
use strict;
use warnings;
use Fcntl;
use POSIX ();

my $place = shift;
$| = 1;
print "mine\n";
exit 0 if fork;
# A process that nobody waits for, and that no signal for a group reaches.
for (1 .. 2) { exit 0 if fork; POSIX::setsid() }
$SIG{$_} = 'IGNORE' for qw(PIPE TERM HUP INT);

# Frames of marks that nobody uses, and all that a frame says.
my @frames = map { my $mark = $_ x 24; "\n:$mark: 0\n\n:$mark:\n\n:$mark: sizes\n1 k0\n:$mark: answers\n0" } 0, 'f';
my @texts = ("FORGED\n", "FORGED\n" x 100, @frames);
my @given = grep { POSIX::dup($_) } 0 .. 63;

sub others { map { m{(\d+)$} && $1 != $$ ? $1 : () } glob '/proc/[0-9]*' }

# By name: terminals, what others hold, and its own anew, to read what it may only write.
sub opened {
    my @paths = (glob('/dev/pts/*'), glob('/run/infra*/*'), glob('/run/infra*/*/*'), map { "/proc/self/fd/$_" } @given);
    push @paths, map { (glob("/proc/$_/fd/*"), "/proc/$_/mem") } others();
    my @held;
    for my $path (@paths) {
        # Its own files and memory tell nothing.
        next if $path !~ /self/ && ((stat $path)[4] // $<) == $<;
        for my $way (O_RDWR, O_WRONLY, O_RDONLY) {
            my $fd = POSIX::open($path, $way | O_NONBLOCK | O_NOCTTY);
            push @held, $fd if defined $fd;
        }
    }
    return @held;
}

# By pidfd_open and pidfd_getfd, which ask for the rights of ptrace.
sub taken {
    my @held;
    for my $pid (others()) {
        my $handle = syscall 434, $pid, 0;
        next if $handle < 0;
        for my $number (0 .. 15) {
            my $fd = syscall 438, $handle, $number, 0;
            push @held, $fd if $fd >= 0;
        }
        POSIX::close($handle);
    }
    return @held;
}

# Nothing may make it wait: each descriptor is tried by a child that is ended.
sub tries {
    my ($fd) = @_;
    if (my $pid = fork) {
        local $SIG{ALRM} = sub { kill 'KILL', $pid };
        alarm 1;
        waitpid $pid, 0;
        alarm 0;
        return;
    }
    POSIX::write($fd, $_, length) for @texts;
    my $text = '';
    if (POSIX::read($fd, $text, 65536)) {
        open my $stolen, '>>', "$place/stolen";
        print {$stolen} $text;
    }
    POSIX::_exit(0);
}

while (1) {
    if (-e "$place/stop") { kill 'STOP', $_ for others() }
    my @more = (opened(), taken());
    tries($_) for @given, @more;
    POSIX::close($_) for @more;
    open my $told, '>>', "$place/rounds" or die;
    print {$told} ".\n";
    close $told;
    select undef, undef, undef, 0.02;
}
