#!/usr/bin/perl
# read: the answers become what the files say. update: the files come to say the answers, each such line in full.
use strict;
use warnings;
use Debconf::Client::ConfModule qw(get set);

my %question = (server_name => 'matrix-synapse/server-name', report_stats => 'matrix-synapse/report-stats');
my @files = grep { -f } '/etc/matrix-synapse/homeserver.yaml', glob('/etc/matrix-synapse/conf.d/*.yaml');
my $action = shift // '';
die "read or update\n" unless $action eq 'read' || $action eq 'update';

for my $file (@files) {
    open my $in, '<', $file or next;
    my @lines = <$in>;
    close $in;
    my $is_other = 0;
    for my $line (@lines) {
        next unless $line =~ /^(server_name|report_stats)\s*:\s*(.*?)\s*$/;
        my ($name, $value) = ($1, $2);
        if ($action eq 'read') {
            $value =~ s/^(["'])(.*)\1$/$2/;
            set($question{$name}, $value);
        } else {
            my ($code, $answer) = get($question{$name});
            next if $code != 0 || $answer eq $value;
            ($line, $is_other) = ("$name: $answer\n", 1);
        }
    }
    next unless $is_other;
    open my $out, '>', $file or die "$file: $!";
    print $out @lines;
    close $out;
}
