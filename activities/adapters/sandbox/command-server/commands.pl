# Commands, as the server sees them: started, waited for, found in the journal, cancelled.

sub run {
    my ($id, $name, @job) = @_;
    return if attach($id, $name);
    start($name, [$name, @job], [$id], 3);
}

# Answers from the journal, or waits for what is running. False when nothing was ever claimed under the name.
sub attach {
    my ($id, $name) = @_;
    if (my $command = $running{$name} || $elsewhere{$name}) {
        push @{ $command->{waiters} }, $id;
        return 1;
    }
    if (my @record = finished($name)) {
        answer($id, 'record', @record);
        return 1;
    }
    if (-e "$journal/$name.claim") {
        $elsewhere{$name} = { waiters => [$id] };
        look_elsewhere();
        return 1;
    }
    # Between the two looks the claim may have become a result.
    my @record = finished($name) or return 0;
    answer($id, 'record', @record);
    return 1;
}

sub start {
    my ($name, $job, $waiters, $tries) = @_;
    for (my $wait = 0; !@idle && $wait < 20; $wait++) {
        push @idle, start_supervisor() // ();
        select undef, undef, undef, 0.1 if !@idle;
    }
    if (!@idle) {
        answer($_, 'busy', "No process could be started in the sandbox: $!. Its process limit may be used up.") for @$waiters;
        return;
    }
    my $command = shift @idle;
    send_all($command->{socket}, frame('run', @$job));
    @$command{qw(buffer job waiters tries deadline)} = ('', $job, $waiters, $tries, now() + $job->[2] / 1000);
    $running{$name} = $command;
    # Made while the command starts, so that the next one finds it ready.
    push @idle, start_supervisor() // () if !@idle;
}

# Something came from a supervisor: its result, or its end.
sub hear {
    my ($name) = @_;
    my $command = $running{$name};
    my $read = sysread $command->{socket}, $command->{buffer}, 1 << 20, length $command->{buffer};
    return if !defined $read && $! == EINTR;
    my $whole = length $command->{buffer} >= 4 && length($command->{buffer}) - 4 >= unpack 'N', $command->{buffer};
    return if $read && !$whole;
    delete $running{$name};
    my ($verdict, @fields) = $whole ? unpack('(N/a*)*', substr $command->{buffer}, 4) : ('lost');
    if    ($verdict eq 'lost') { close $command->{socket} }
    elsif (@idle < $IDLE)      { push @idle, { socket => $command->{socket}, pid => $command->{pid} } }
    if ($verdict eq 'record' || $verdict eq 'error') {
        answer($_, $verdict, @fields) for @{ $command->{waiters} };
    } elsif (-e "$journal/$name.claim" || -e "$journal/$name.done") {
        # Claimed by another, or the supervisor was killed.
        $elsewhere{$name} = { waiters => $command->{waiters} };
        look_elsewhere();
    } elsif ($command->{tries} > 0) {
        # It ended before it claimed: nothing has happened yet.
        start($name, $command->{job}, $command->{waiters}, $command->{tries} - 1);
    } else {
        answer($_, 'error', 'The supervisor of the command ended before it began.') for @{ $command->{waiters} };
    }
}

sub look_elsewhere {
    for my $name (keys %elsewhere) {
        my @record = finished($name);
        @record = abandoned($name) if !@record;
        next if !@record;
        my $waiters = delete($elsewhere{$name})->{waiters};
        answer($_, @record == 1 ? 'none' : ('record', @record)) for @$waiters;
    }
}

# The result of a claim that nobody holds any more, as a record; one empty field when there is no claim at all;
# nothing while its owner lives. What an ended owner left running is ended first.
sub abandoned {
    my ($name) = @_;
    my ($claim, $owner) = ("$journal/$name.claim", undef);
    if (!sysopen $owner, $claim, O_RDWR) {
        my @record = finished($name);
        return @record ? @record : ('');
    }
    if (!flock $owner, LOCK_EX | LOCK_NB) {
        my (undef, $pid, $deadline) = claim_header($owner);
        kill_tree($pid) if $deadline && now() > $deadline + $OVERDUE;
        return;
    }
    return finished($name) if -e "$journal/$name.done";
    my ($type) = claim_header($owner);
    if ($type eq 'write') {
        # The staged content is moved into place by one rename: still there means that nothing has happened.
        if (-e "$journal/$name.stage") { unlink $claim; return ('') }
        return finish($owner, $name, 'write', 'written', 0, 0, 0, '', '');
    }
    end_processes(sub { marked($name), $kind eq 'docker' ? strays() : () });
    return finish($owner, $name, 'run', 'unknown', 0, 0, 0, '', '');
}

sub end_overdue {
    my $now = now();
    kill_tree($_->{pid}) for grep { $now > $_->{deadline} + $OVERDUE } values %running;
}

# Our own supervisor is told; one of another server finds a file beside its claim.
sub cancel {
    my ($name) = @_;
    if (my $command = $running{$name}) { send_all($command->{socket}, frame('cancel', $name)); return }
    sysopen my $cancelled, "$journal/$name.cancel", O_WRONLY | O_CREAT, 0600 if is_held($name);
}
