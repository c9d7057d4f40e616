# Files: read and written only inside tree and scratch, links followed first.

# The path with every link followed, as far as it exists.
sub resolve {
    my ($path) = @_;
    $path = "$tree/$path" if $path !~ m{^/};
    my ($real, $links, @todo) = ('', 0, split m{/+}, $path);
    while (defined(my $step = shift @todo)) {
        next if $step eq '' || $step eq '.';
        if ($step eq '..') { $real =~ s{/[^/]*$}{}; next }
        my $target = readlink "$real/$step";
        if (!defined $target) { $real .= "/$step"; next }
        return if ++$links > 40;
        $real = '' if $target =~ m{^/};
        unshift @todo, split m{/+}, $target;
    }
    return $real eq '' ? '/' : $real;
}

# Resolves a path of the caller; undef when it leads out of tree and scratch.
sub inside {
    my ($path) = @_;
    return if $path =~ /\0/;
    my $real = resolve($path) // return;
    return "$real/" =~ m{^\Q$tree\E/|^\Q$scratch\E/} ? $real : undef;
}

sub read_file {
    my ($id, $path, $max) = @_;
    my $real = inside($path) // return answer($id, 'outside');
    if (!lstat $real) { return answer($id, 'missing') }
    if (-d _) {
        opendir my $folder, $real or return answer($id, 'not-regular');
        my @names = sort grep { $_ ne '.' && $_ ne '..' } readdir $folder;
        return answer($id, 'directory', @names);
    }
    return answer($id, 'not-regular') if !-f _;
    sysopen my $handle, $real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK or return answer($id, $! == ENOENT ? 'missing' : 'not-regular');
    my $total = -s $handle;
    for (my $left = $max; $left > 0;) {
        my $read = sysread $handle, my $bytes, $left < $PART ? $left : $PART;
        next if !defined $read && $! == EINTR;
        last if !$read;
        answer($id, 'part', $bytes);
        $left -= $read;
    }
    answer($id, 'file', $total);
}

# Whether anything in the tree, but for Git's own folder, changed its state at or after the mark. The change time is
# looked at, which a command cannot set back. In doubt, and in a very large tree, the answer is yes.
sub changed_since {
    my ($path) = @_;
    my $mark = inside($path) // return 1;
    my $since = change_time($mark) // return 1;
    my ($looked, @folders) = (0, $tree);
    while (defined(my $folder = pop @folders)) {
        my $at = change_time($folder);
        return 1 if !defined $at || $at >= $since;
        opendir my $names, $folder or return 1;
        for my $name (readdir $names) {
            next if $name eq '.' || $name eq '..' || ($name eq '.git' && $folder eq $tree);
            $at = change_time("$folder/$name");
            return 1 if !defined $at || $at >= $since || ++$looked > $LOOK_MAX;
            push @folders, "$folder/$name" if -d _;
        }
    }
    return 0;
}

# Of the thing itself, not of what it links to. In whole seconds where Time::HiRes is missing: then more counts as changed.
sub change_time {
    my ($path) = @_;
    my @state = $hires ? Time::HiRes::lstat($path) : lstat $path;
    return $state[10];
}

# A part of a large file; the last one comes with the write itself.
sub stage {
    my ($id, $bytes) = @_;
    my $staged = $stage{$id} //= open_stage($id);
    return if $staged->{error};
    send_all($staged->{handle}, $bytes) or $staged->{error} = $!;
}

sub open_stage {
    my ($id) = @_;
    make_journal() if !-d $sessions;
    my $staged = { file => "$journal/part.$$.$id" };
    if (sysopen $staged->{handle}, $staged->{file}, O_RDWR | O_CREAT | O_TRUNC, 0600) { flock $staged->{handle}, LOCK_EX }
    else                                                                             { $staged->{error} = $! }
    return $staged;
}

sub write_file {
    my ($id, $name, $path, $mode, $bytes) = @_;
    if ($name ne '' && attach($id, $name)) {
        my $staged = delete $stage{$id};
        unlink $staged->{file} if $staged;
        return;
    }
    stage($id, $bytes);
    my $staged = delete $stage{$id};
    my @answer = place($staged, $name, $path, $mode);
    unlink $staged->{file};
    # Another server took the same key while we were staging.
    return if $answer[0] eq 'claimed' && attach($id, $name);
    answer($id, @answer);
}

# Moves staged content to where it belongs, by one rename.
sub place {
    my ($staged, $name, $path, $mode) = @_;
    my $real = inside($path) // return ('outside');
    my $exists = lstat $real;
    return ('not-regular') if $exists ? !-f _ : $real eq $tree || $real eq $scratch;
    $mode = $exists ? (stat _)[2] & 07777 : 0644 if $mode eq '';
    return refusal($staged->{error}, $real) if $staged->{error};
    make_folders($real) or return refusal($!, $real);
    chmod $mode, $staged->{file};
    if ($name eq '') {
        rename $staged->{file}, $real or return refusal($!, $real);
        return ('record', 'write', 'written', 0, 0, 0, '', '');
    }
    my ($claim, $spare_path) = make_claim(512);
    my $error = !$claim ? $! : !-s $claim ? ENOSPC : rename($staged->{file}, "$journal/$name.stage") ? 0 : $!;
    if ($error) {
        unlink $spare_path if $spare_path;
        return refusal($error, $real);
    }
    if (!claim($claim, $spare_path, $name, 'write', 0)) {
        my @answer = $! == EEXIST ? ('claimed') : refusal($!, $real);
        unlink $spare_path, "$journal/$name.stage";
        return @answer;
    }
    if (!rename "$journal/$name.stage", $real) {
        my @answer = refusal($!, $real);
        unlink "$journal/$name.claim", "$journal/$name.stage";
        return @answer;
    }
    return ('record', finish($claim, $name, 'write', 'written', 0, 0, 0, '', ''));
}

sub make_folders {
    my ($file) = @_;
    my ($folder) = $file =~ m{^(.*)/};
    return 1 if -d $folder;
    return make_folders($folder) && (mkdir($folder, 0755) || -d $folder);
}

sub refusal {
    my ($error, $path) = @_;
    local $! = $error;
    my %full = map { $_ => 1 } ENOSPC, EDQUOT, EFBIG;
    return $full{ $error + 0 } ? ('no-space', "$path was not written: $!. Remove files from the workspace and try again.") : ('not-regular');
}
