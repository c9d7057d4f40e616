# Processes: who belongs to whom, and how all of them are ended.

sub now { return $hires ? Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) : (POSIX::times())[0] / 100 }

# On Linux, on the architectures whose number of this call we know; false elsewhere.
sub prctl {
    my ($option, $value) = @_;
    return 0 if $^O ne 'linux' || length(pack 'p', undef) != 8;
    my %number = (x86_64 => 157, aarch64 => 167, riscv64 => 167, loongarch64 => 167, ppc64le => 171, s390x => 172);
    my $number = $number{ (POSIX::uname())[4] } or return 0;
    return syscall($number, $option, $value, 0, 0, 0) == 0 ? 1 : 0;
}

# True where orphans of our descendants become our children.
sub become_subreaper { my $PR_SET_CHILD_SUBREAPER = 36; return prctl($PR_SET_CHILD_SUBREAPER, 1) }

# Commands run as the same user: without this they could write into the pipes of the server, or trace it.
sub set_traceable { my ($traceable) = @_; my $PR_SET_DUMPABLE = 4; return prctl($PR_SET_DUMPABLE, $traceable) }

# pid => parent's pid, of every process that is not yet a zombie.
sub parents {
    my %parent;
    opendir my $proc, '/proc' or return %parent;
    for my $pid (grep { /^\d+$/ } readdir $proc) {
        open my $stat, '<', "/proc/$pid/stat" or next;
        my $line = <$stat> // next;
        $parent{$pid} = $2 if $line =~ /^\d+ \(.*\) (\S) (\d+)/s && $1 ne 'Z';
    }
    return %parent;
}

sub descendants {
    my ($top) = @_;
    my %parent = parents();
    my %children;
    push @{ $children{ $parent{$_} } }, $_ for keys %parent;
    my @found = @{ $children{$top} // [] };
    for (my $i = 0; $i < @found; $i++) { push @found, @{ $children{ $found[$i] } // [] } }
    return @found;
}

# Processes that carry the mark of a command in the environment that they were started with. Without a name: of any.
sub marked {
    my ($name) = @_;
    my $mark = "\0$MARK=$sandbox/" . (defined $name ? "$name\0" : '');
    my @found;
    opendir my $proc, '/proc' or return;
    for my $pid (grep { /^\d+$/ && $_ != $$ } readdir $proc) {
        open my $environ, '<', "/proc/$pid/environ" or next;
        push @found, $pid if index("\0" . slurp($environ) . "\0", $mark) >= 0;
    }
    return @found;
}

# In a container everything that is not ours or a visitor's (`docker exec`) and has no living supervisor above it.
sub strays {
    my %parent = parents();
    my @found;
    for my $pid (keys %parent) {
        next if $pid == 1;
        my $at = $pid;
        $at = $parent{$at} while defined $at && $at > 1 && !is_ours($at) && defined $parent{$at};
        push @found, $pid if defined $at && $at == 1;
    }
    return @found;
}

sub is_ours {
    my ($pid) = @_;
    open my $cmdline, '<', "/proc/$pid/cmdline" or return 0;
    return (<$cmdline> // '') =~ /^mergewright-(?:server|supervisor)/;
}

sub end_strays { end_processes(\&strays) if $has_proc }

sub kill_tree { my ($pid) = @_; end_processes(sub { my @all = descendants($pid); kill(0, $pid) ? ($pid, @all) : @all }) if $pid > 1 }

# KILL, until $list names nobody. All are stopped first, so that nobody forks faster than we kill.
sub end_processes {
    my ($list, $between) = @_;
    my $until = now() + $PATIENCE;
    while (now() < $until) {
        my %seen;
        for (1 .. 50) {
            my @new = grep { !$seen{$_}++ } $list->() or last;
            kill STOP => @new;
        }
        kill KILL => keys %seen;
        my $left = $between ? $between->() : 0;
        return if !%seen && !$left;
        select undef, undef, undef, 0.005;
    }
}

sub is_held {
    my ($name) = @_;
    sysopen my $owner, "$journal/$name.claim", O_RDWR or return 0;
    return !flock $owner, LOCK_EX | LOCK_NB;
}

# For the end of a local sandbox: a container takes its processes with it.
sub end_everything {
    my $until = now() + $PATIENCE;
    opendir my $folder, $journal or return;
    my @names = map { /^(.*)\.claim$/ ? $1 : () } readdir $folder;
    cancel($_) for @names;
    while (now() < $until) {
        @names = grep { is_held($_) } @names or last;
        select undef, undef, undef, 0.02;
    }
    for my $name (@names) {
        sysopen my $owner, "$journal/$name.claim", O_RDWR or next;
        kill_tree((claim_header($owner))[1]);
    }
    end_processes(sub { marked() });
}
