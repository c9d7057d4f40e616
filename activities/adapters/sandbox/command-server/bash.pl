# The command itself: the process that becomes bash, and what bash is given.

# Forks the process that will become bash once it is told what to run; undef when no process is to be had.
sub start_runner {
    pipe my $output, my $writer or return;
    pipe my $reader, my $orders or return;
    my $pid = fork // return;
    if ($pid) {
        my $flags = fcntl $output, F_GETFL, 0;
        fcntl $output, F_SETFL, $flags | O_NONBLOCK;
        return { pid => $pid, output => $output, orders => $orders };
    }
    close $orders;
    POSIX::setsid();
    POSIX::dup2(fileno $writer, 1);
    POSIX::dup2(fileno $writer, 2);
    # Where memory runs out, the command goes before its supervisor and the server.
    set_traceable(1);
    if (open my $score, '>', '/proc/self/oom_score_adj') { syswrite $score, '1000' }
    set_traceable(0);
    $SIG{$_} = 'DEFAULT' for qw(CHLD TERM HUP INT PIPE);
    my ($mark, $text, $argument, %env) = receive($reader) or POSIX::_exit(0);
    @ENV{ $MARK, keys %env } = ($mark, values %env);
    my $entered = chdir $tree || mkdir($tree) && chdir $tree;
    if ($entered) {
        no warnings 'exec';
        exec { $bash // 'bash' } 'bash', '-c', $text, 'bash', $argument eq '' ? () : $argument;
    }
    syswrite STDERR, 'mergewright: ' . ($entered ? 'bash cannot be started' : 'the working tree cannot be entered') . ": $!\n";
    POSIX::_exit(126);
}

# What bash is given. A session is restored before the script and saved by an EXIT trap, without a single fork. Kept are
# the working directory and the exported variables; not kept are functions, aliases, shell options, variables that were
# not exported, and the removal of a variable that every command starts with. A script that sets an EXIT trap of its own or
# replaces its shell by `exec` leaves the session as it was before.
sub script_text {
    my ($command) = @_;
    my ($file, $text) = (undef, $command->{script});
    if (length $text > $SCRIPT_ARGUMENT) {
        $file = "$journal/$command->{name}.sh";
        my $handle;
        my $written = sysopen($handle, $file, O_WRONLY | O_CREAT | O_TRUNC, 0600) && send_all($handle, $text);
        $text = $written ? 'source ' . quote($file) : 'echo ' . quote("mergewright: the script cannot be stored: $!") . ' >&2; exit 126';
    }
    return ($file, $text, '') if $command->{session} eq '';
    my $saved = "$sessions/$command->{session}";
    my @own   = sort keys %{ $command->{env} };
    my $before = '';
    if (complete($saved)) {
        $before .= 'builtin source ' . quote($saved) . ' 2>/dev/null; ';
        $before .= "builtin export $_=" . quote($command->{env}{$_}) . '; ' for @own;
    }
    $before .= '__mergewright_session=' . quote("$saved.$$") . "; builtin trap '"
        . '__mergewright_status=$?; builtin set +euxv; '
        . "builtin export -n $MARK PWD OLDPWD SHLVL _ __mergewright_session __mergewright_status __mergewright_script @own; "
        . '{ builtin printf "builtin cd -- %q\n" "$PWD"; builtin export -p; builtin printf ": complete\n"; } >|"$__mergewright_session" 2>/dev/null; '
        . "builtin exit \$__mergewright_status' EXIT; ";
    # By `eval`, so that a syntax error in the script is told as the script's own.
    return ($file, "${before}__mergewright_script=\$1; builtin shift; builtin eval -- \"\$__mergewright_script\"", $text);
}

sub complete {
    my ($file) = @_;
    sysopen my $handle, $file, O_RDONLY or return 0;
    sysseek $handle, -12, 2 or return 0;
    sysread $handle, my $end, 12;
    return ($end // '') =~ /^: complete$/m;
}

sub quote { my ($text) = @_; $text =~ s/'/'\\''/g; return "'$text'" }
