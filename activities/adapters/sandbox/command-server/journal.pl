# The journal: claims, results, and the disk space that they need when there is none.

sub make_journal { mkdir $_, 0700 for $journal, $sessions }

sub clean_journal {
    opendir my $folder, $journal or return;
    for my $file (map { "$journal/$_" } grep { /^(?:spare|part)\./ } readdir $folder) {
        sysopen my $handle, $file, O_RDWR or next;
        unlink $file if flock $handle, LOCK_EX | LOCK_NB;
    }
}

# The fields of a finished record: type, kind, exit code, duration, total bytes, head, tail.
sub finished {
    my ($name) = @_;
    sysopen my $handle, "$journal/$name.done", O_RDONLY or return;
    my $bytes = slurp($handle);
    return if length $bytes < $HEADER;
    return unpack '(N/a*)*', substr($bytes, $HEADER);
}

sub slurp {
    my ($handle) = @_;
    my $bytes = '';
    while (1) {
        my $read = sysread $handle, $bytes, 1 << 20, length $bytes;
        next if !defined $read && $! == EINTR;
        return $bytes if !$read;
    }
}

sub claim_header {
    my ($handle) = @_;
    sysseek $handle, 0, 0;
    sysread $handle, my ($header), $HEADER;
    my ($type, $pid, $deadline) = split ' ', $header // '';
    return ($type // 'run', $pid // 0, $deadline // 0);
}

# A locked file that has room for a record, whatever happens to the disk later. Returns (handle, path).
sub make_claim {
    my ($room) = @_;
    my $path = "$journal/spare.$$";
    make_journal() if !-d $sessions;
    my $handle;
    for (1 .. 2) {
        last if sysopen $handle, $path, O_RDWR | O_CREAT | O_TRUNC, 0600;
        free_reserve() or return;
    }
    flock $handle, LOCK_EX or return;
    # On a full disk one page must do, and somebody who writes at full speed may be quicker than we are.
    for my $size ($room, (4096 - $HEADER) x 8) {
        sysseek $handle, 0, 0;
        last if send_all($handle, "\0" x ($HEADER + $size));
        truncate $handle, 0;
        free_reserve();
    }
    return ($handle, $path);
}

# The reserve is given to the journal bit by bit when the disk is full, and comes back once all of it has room.
sub keep_reserve {
    my $size = -s "$journal/reserve" || 0;
    return if $size >= $RESERVE;
    sysopen my $handle, "$journal/reserve", O_WRONLY | O_CREAT | O_APPEND, 0600 or return;
    send_all($handle, "\0" x ($RESERVE - $size)) or truncate $handle, $size;
}

sub free_reserve {
    my $size = -s "$journal/reserve" or return 0;
    return truncate "$journal/reserve", $size > 16384 ? $size - 16384 : 0;
}

# Makes the spare file the claim of a name. False with $! == EEXIST when another was first.
sub claim {
    my ($handle, $path, $name, $type, $deadline) = @_;
    sysseek $handle, 0, 0;
    send_all($handle, substr(sprintf("%-${HEADER}s", "$type $$ $deadline"), 0, $HEADER)) or return 0;
    link $path, "$journal/$name.claim" or return 0;
    unlink $path;
    return 1 if !-e "$journal/$name.done";
    unlink "$journal/$name.claim";
    $! = EEXIST;
    return 0;
}

# Writes the record into the claim and makes it the result. On a full disk the kept output is cut to the room that was
# set aside: what happened is always told. Returns the record as it was given.
sub finish {
    my ($handle, $name, @record) = @_;
    my $fits = int(((-s $handle || 0) - $HEADER - 256) / 2);
    $fits = 0 if $fits < 0;
    my ($head, $tail) = @record[5, 6];
    my $short = length $tail > $fits ? substr($tail, length($tail) - $fits) : $tail;
    for my $kept ([$head, $tail], [substr($head, 0, $fits), $short]) {
        my $bytes = pack '(N/a*)*', @record[0 .. 4], @$kept;
        sysseek $handle, $HEADER, 0;
        next if !send_all($handle, $bytes);
        truncate $handle, $HEADER + length $bytes;
        rename "$journal/$name.claim", "$journal/$name.done";
        last;
    }
    return @record;
}
