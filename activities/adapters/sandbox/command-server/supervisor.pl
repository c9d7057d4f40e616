# The supervisor: a process that runs commands, one after the other, each to its end, and leaves nothing of it behind.

# Forks one; undef when no process is to be had.
sub start_supervisor {
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or return;
    my $pid = fork;
    return if !defined $pid;
    if ($pid) {
        close $theirs;
        return { socket => $ours, pid => $pid };
    }
    close $ours;
    close $_->{socket} for values %running, @idle;
    close $_->{handle} for grep { $_->{handle} } values %stage;
    eval { supervise($theirs) };
    send_all($theirs, frame('error', "The supervisor failed: $@")) if $@;
    POSIX::_exit(0);
}

# Until the server is gone, or something of a command could not be ended.
sub supervise {
    my ($server) = @_;
    POSIX::setsid();
    $SIG{CHLD} = sub { };   # only to wake select
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    $0 = 'mergewright-supervisor';
    my $reaps = become_subreaper();
    my $clean = 1;
    while ($clean) {
        # What can be done before the command is known is done now: a fork and some disk space, while nobody waits.
        my $runner = start_runner();
        my ($claim, $path) = make_claim($SPARE);
        keep_reserve();
        my ($word, @job);
        # A cancellation that came too late is still on its way.
        do { ($word, @job) = receive($server) } while defined $word && $word ne 'run';
        if (!defined $word) {
            unlink $path if $path;
            return;
        }
        ($clean, my @answer) = supervise_one($server, $reaps, $runner, $claim, $path, @job);
        # The lock of the claim goes before the answer does.
        close $claim if $claim;
        send_all($server, frame(@answer)) or return;
    }
}

# Returns whether nothing is left of the command, and what to tell the server.
sub supervise_one {
    my ($server, $reaps, $runner, $claim, $path, $name, $session, $timeout, $keep, $script, %env) = @_;
    my $started  = now();
    my $deadline = $started + $timeout / 1000;
    my $claimed  = $claim && claim($claim, $path, $name, 'run', $deadline);
    if (!$claimed && (!$claim || $! != EEXIST)) {
        # The command before this one removed the journal, or left no room when we asked for it.
        ($claim, $path) = make_claim($SPARE);
        $claimed = $claim && claim($claim, $path, $name, 'run', $deadline);
    }
    if (!$claimed) {
        my @answer = $! == EEXIST ? ('claimed') : ('error', "The journal of the sandbox cannot be written: $!.");
        unlink $path if $path;
        # The runner that waits is of no use any more: it ends with us.
        return (0, @answer);
    }

    my $command = {
        name => $name, session => $session, script => $script, env => \%env, deadline => $deadline, runner => $runner,
        reaps => $reaps, server => $server, output => { keep => $keep, head => '', tail => [], tail_bytes => 0, total => 0 },
    };
    my @outcome = conduct($command);
    my $output  = $command->{output};
    my $milliseconds = int((now() - $started) * 1000 + 0.5);
    my @record = finish($claim, $name, 'run', @outcome, $milliseconds, $output->{total}, $output->{head}, tail_of($output));
    unlink "$journal/$name.cancel";
    return ($command->{clean}, 'record', @record);
}

# The fields of one frame; none when the other side is gone.
sub receive {
    my ($socket) = @_;
    my $bytes = '';
    while (length $bytes < 4 || length($bytes) < 4 + unpack 'N', $bytes) {
        my $wanted = length $bytes < 4 ? 4 - length $bytes : 4 + unpack('N', $bytes) - length $bytes;
        my $read = sysread $socket, $bytes, $wanted, length $bytes;
        next if !defined $read && $! == EINTR;
        return if !$read;
    }
    return unpack '(N/a*)*', substr $bytes, 4;
}

# Runs the command to its end, and everything that it started to theirs. Returns (kind, exit code).
sub conduct {
    my ($command) = @_;
    my ($file, @arguments) = script_text($command);
    my $order = frame("$sandbox/$command->{name}", @arguments, %{ $command->{env} });
    my $runner = $command->{runner};
    until ($runner && send_all($runner->{orders}, $order)) {
        if (now() > $command->{deadline}) {
            note($command->{output}, "mergewright: no process could be started: $!\n");
            $command->{clean} = 0;
            return ('exited', 126);
        }
        $runner = start_runner() or select undef, undef, undef, 0.1;
    }
    close $runner->{orders};
    @$command{qw(reader main)} = @$runner{qw(output pid)};
    my $outcome = watch($command);
    $command->{clean} = end_command($command);
    drain($command);
    close $command->{reader};
    unlink $file if $file;
    my $fresh = "$sessions/$command->{session}.$$";
    if ($outcome eq 'ended' && $command->{session} ne '' && complete($fresh)) { rename $fresh, "$sessions/$command->{session}" }
    else                                                                      { unlink $fresh }
    return ('timed-out', 0) if $outcome eq 'timed-out';
    return ('unknown', 0)   if $outcome eq 'cancelled';
    my $status = $command->{status};
    return ('exited', $status & 127 ? 128 + ($status & 127) : $status >> 8);
}

# Until the command itself ends, its time is up, or it is cancelled.
sub watch {
    my ($command) = @_;
    my $idle = 0;
    while (1) {
        reap($command);
        return 'ended'     if defined $command->{status};
        return 'cancelled' if is_cancelled($command);
        my $left = $command->{deadline} - now();
        return 'timed-out' if $left <= 0;
        if ($command->{closed}) {
            # The output closes a moment before the process can be waited for; SIGCHLD may fall just before select.
            my $pause = $idle++ < 20 ? 0.0005 : 0.02;
            my $ready = '';
            vec($ready, fileno $command->{server}, 1) = 1 if $command->{server};
            my $found = select($ready, undef, undef, $left < $pause ? $left : $pause);
            hear_server($command) if $found > 0;
            next;
        }
        my $ready = '';
        vec($ready, fileno $_, 1) = 1 for $command->{reader}, $command->{server} // ();
        next if select($ready, undef, undef, $left < 0.05 ? $left : 0.05) <= 0;
        take_output($command) if vec $ready, fileno $command->{reader}, 1;
        hear_server($command) if $command->{server} && vec $ready, fileno $command->{server}, 1;
    }
}

# The server says only "cancel"; its end changes nothing.
sub hear_server {
    my ($command) = @_;
    my ($word, $name) = receive($command->{server});
    if    (!defined $word)                                      { $command->{server} = undef }
    elsif ($word eq 'cancel' && $name eq $command->{name}) { $command->{cancelled} = 1 }
}

# By our server, or by another one through a file, which is looked for twenty times a second.
sub is_cancelled {
    my ($command) = @_;
    return 1 if $command->{cancelled};
    my $now = now();
    return 0 if $now < ($command->{look_again} // 0);
    $command->{look_again} = $now + 0.05;
    return -e "$journal/$command->{name}.cancel";
}

sub take_output {
    my ($command) = @_;
    return 0 if $command->{closed};
    my $read = sysread $command->{reader}, my $bytes, 65536;
    if (!defined $read) { return 0 }
    if (!$read) { $command->{closed} = 1; return 0 }
    note($command->{output}, $bytes);
    return 1;
}

# What the pipe still holds. Bounded, in case somebody who could not be killed goes on writing.
sub drain { my ($command) = @_; my $parts = 0; 1 while $parts++ < 1024 && take_output($command) }

# Keeps the head and the tail, and only counts what is between them.
sub note {
    my ($output, $bytes) = @_;
    $output->{total} += length $bytes;
    my $missing = $output->{keep} - length $output->{head};
    $output->{head} .= substr $bytes, 0, $missing, '' if $missing > 0;
    return if $bytes eq '' || $output->{keep} == 0;
    my $tail = $output->{tail};
    # Many small writes are joined, or each would cost more than it holds.
    if (@$tail && length($tail->[-1]) < 16384) { $tail->[-1] .= $bytes }
    else                                       { push @$tail, $bytes }
    $output->{tail_bytes} += length $bytes;
    while (@$tail > 1 && $output->{tail_bytes} - length $tail->[0] >= $output->{keep}) {
        $output->{tail_bytes} -= length shift @$tail;
    }
}

sub tail_of {
    my ($output) = @_;
    my $tail = join '', @{ $output->{tail} };
    return length $tail > $output->{keep} ? substr $tail, -$output->{keep} : $tail;
}

# Waits for every child that has ended; false when there is none left at all.
sub reap {
    my ($command) = @_;
    while (1) {
        my $pid = waitpid -1, WNOHANG;
        return $pid == 0 if $pid <= 0;
        $command->{status} = $? if $pid == $command->{main};
    }
}

# TERM, a short grace, KILL, until nothing of the command is left. False when something could not be ended.
sub end_command {
    my ($command) = @_;
    my $group = -$command->{main};
    # Where orphans do not come to us, they are known by their mark; where there is no /proc, by their process group.
    my $astray = sub {
        return kill(0, $group) ? $group : () if !$has_proc;
        return () if $command->{reaps};
        my %known = map { $_ => 1 } marked();
        my @found = (marked($command->{name}), $kind eq 'docker' ? grep { !$known{$_} } strays() : ());
        return @found;
    };
    my $all = sub { ($has_proc ? descendants($$) : ()), $astray->() };
    my $gone = sub {
        return 0 if reap($command) || $astray->();
        return 1 if $command->{reaps};
        # In the middle of an exec a process has no mark for a moment.
        select undef, undef, undef, 0.02;
        return !$astray->();
    };
    return 1 if $gone->();
    my @first = $all->();
    kill $_ => @first for qw(TERM CONT);
    my $until = now() + $GRACE;
    while (now() < $until) {
        return 1 if $gone->();
        select undef, undef, undef, 0.005;
        drain($command);
    }
    end_processes($all, sub { drain($command); reap($command) });
    return $gone->();
}
