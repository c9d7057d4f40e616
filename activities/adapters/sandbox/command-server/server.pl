# The command server: the one process of ours inside a sandbox. It is passed as `perl -e` and asked in frames on
# standard input; it answers in frames on standard output and ends when its input ends.
#
# Processes, and what outlives what:
#
#   server                one for each connection; idle but for file work
#   +- supervisor         one for each command that runs, and a few that wait for the next; outlives the server
#      +- bash SCRIPT     the command: its own session, standard input /dev/null, output into a pipe to the supervisor
#         +- ...          whatever it starts. Background processes end with their command.
#
# The supervisor is a "subreaper": orphans of the command become its children, so that double forks and `setsid` do
# not escape it. The journal makes a command happen once:
#
#   journal/NAME.claim    made before the start by link(2), which only one can do; locked while its supervisor lives
#   journal/NAME.done     the same file, renamed once the result stands in it
#   a claim that nobody holds locked: the outcome is not known, and the command is never run again
#
# Only modules of Debian's perl-base are needed; Time::HiRes is used where it is there.
use strict;
use warnings;
use POSIX qw(:errno_h :sys_wait_h);
use Fcntl qw(:DEFAULT :flock :mode);
use Socket;

my ($root, $kind, $sandbox) = @ARGV;
my $FRAME_MAX       = 64 * 1024 * 1024;
my $IDLE            = 3;               # supervisors that are kept waiting for a command
my $PART            = 256 * 1024;      # bytes of a file in one answer
my $HEADER          = 64;              # bytes of a claim before its record: what it is, whose, until when
my $SPARE           = 64 * 1024;       # bytes set aside for a record before its command starts
my $RESERVE         = 1024 * 1024;     # bytes set aside for the journal on a full disk: two or three hundred commands
my $GRACE           = 0.5;             # seconds between TERM and KILL
my $PATIENCE        = 10;              # seconds that killing may take before we stop waiting for it
my $OVERDUE         = 15;              # seconds past its deadline after which a supervisor itself counts as stuck
my $POLL            = 0.02;            # seconds between looks at a command that another server's supervisor runs
my $LOOK_MAX        = 50_000;          # entries of a tree that are looked at for changes before Git is asked instead
my $SCRIPT_ARGUMENT = 100_000;         # bytes; Linux takes 128 KiB in one argument, longer scripts go through a file
my $MARK            = 'MERGEWRIGHT_COMMAND';

$SIG{$_} = 'IGNORE' for qw(PIPE CHLD TERM HUP INT);
umask 022;
mkdir $root;
$root = resolve($root);
my ($tree, $scratch, $journal, $sessions) = map { "$root/$_" } qw(tree scratch journal journal/sessions);
mkdir "$root/$_" for qw(tree scratch home);
make_journal();
my ($bash) = grep { -x } map { "$_/bash" } split(/:/, $ENV{PATH} // ''), '/bin', '/usr/bin', '/usr/local/bin';
my $hires = eval { require Time::HiRes; Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()); 1 };
my $has_proc = -r "/proc/$$/stat";

my %running;     # NAME => { socket, pid, buffer, deadline, waiters => [request ids], job }
my %elsewhere;   # NAME => { waiters => [...] }: claimed by a supervisor that is not a child of ours
my %stage;       # request id => { file, handle, error }: parts of a large file that is being written
my @idle;        # { socket, pid }: supervisors that wait, the one that has waited longest first
my $input = '';

$0 = 'mergewright-server';
set_traceable(0);
end_strays() if $kind eq 'docker';
clean_journal();
push @idle, start_supervisor() // ();
answer(0, 'hello', $bash // '');
serve();
POSIX::_exit(0);

# ---------------------------------------------------------------- frames

sub serve {
    while (1) {
        my $wanted = '';
        vec($wanted, 0, 1) = 1;
        vec($wanted, fileno $_->{socket}, 1) = 1 for values %running, @idle;
        my $timeout = %elsewhere ? $POLL : %running ? 1 : undef;
        my $found = select(my $ready = $wanted, undef, undef, $timeout);
        if ($found > 0) {
            # A supervisor that waits says nothing: when there is something to read, it has ended.
            @idle = grep { !vec $ready, fileno $_->{socket}, 1 } @idle;
            for my $name (keys %running) {
                my $command = $running{$name} or next;
                hear($name) if vec($ready, fileno $command->{socket}, 1);
            }
            if (vec($ready, 0, 1)) {
                my $read = sysread STDIN, $input, 1 << 20, length $input;
                next if !defined $read && $! == EINTR;
                return if !$read;
                take_frames();
            }
        }
        look_elsewhere() if %elsewhere;
        end_overdue() if %running;
    }
}

sub take_frames {
    my $at = 0;
    while (length($input) - $at >= 4) {
        my $length = unpack 'N', substr($input, $at, 4);
        POSIX::_exit(2) if $length > $FRAME_MAX;
        last if length($input) - $at - 4 < $length;
        my ($id, $op, @fields) = unpack '(N/a*)*', substr($input, $at + 4, $length);
        $at += 4 + $length;
        my $done = eval { handle($id, $op, @fields); 1 };
        answer($id, 'error', "$op: $@") if !$done;
    }
    substr($input, 0, $at) = '' if $at;
}

sub handle {
    my ($id, $op, @fields) = @_;
    if    ($op eq 'run')     { run($id, @fields) }
    elsif ($op eq 'journal') { attach($id, $fields[0]) or answer($id, 'none') }
    elsif ($op eq 'cancel')  { cancel($fields[0]); answer($id, 'ok') }
    elsif ($op eq 'read')    { read_file($id, @fields) }
    elsif ($op eq 'since')   { answer($id, changed_since($fields[0]) ? 'changed' : 'unchanged') }
    elsif ($op eq 'stage')   { stage($id, $fields[0]) }
    elsif ($op eq 'write')   { write_file($id, @fields) }
    elsif ($op eq 'end')     { end_everything(); answer($id, 'ok') }
    elsif ($op eq 'ping')    { answer($id, 'pong') }
    else                     { answer($id, 'error', "The command server does not know the operation $op.") }
}

sub answer { send_all(\*STDOUT, frame(@_)) or POSIX::_exit(0) }

sub frame { my $body = pack '(N/a*)*', @_; return pack('N', length $body) . $body }

# False when nobody reads any more, or the disk is full ($! tells).
sub send_all {
    my ($handle, $bytes) = @_;
    my $at = 0;
    while ($at < length $bytes) {
        my $sent = syswrite $handle, $bytes, length($bytes) - $at, $at;
        next if !defined $sent && $! == EINTR;
        return 0 if !defined $sent;
        $at += $sent;
    }
    return 1;
}
