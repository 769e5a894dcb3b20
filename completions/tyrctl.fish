# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tyrctl_global_optspecs
    string join \n context= server= ca-file= token-file= timeout= o/output= json= jq= color= tz= time= q/quiet no-input h/help V/version
end

function __fish_tyrctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tyrctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tyrctl_using_subcommand
    set -l cmd (__fish_tyrctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tyrctl -n "__fish_tyrctl_needs_command" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_needs_command" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_needs_command" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -s V -l version -d 'Print version'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "top" -d 'Live dashboard of agents, events and drift'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "agents" -d 'Agents: one per host'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "ls" -d 'Agents: one per host'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "agent" -d 'One agent in detail'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "ai" -d 'AI processes that agents found'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "drift" -d 'Where the agent\'s verdict differs from the server\'s'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "alerts" -d 'What the server alerts on, who knows of it, and who is told'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "events" -d 'Judged actions of AI processes'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "why" -d 'Why an event got its verdict: rule, policy, both verdicts, and whose process it was'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "policy" -d 'Policies: apply, look at, assign'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "token" -d 'Enrollment tokens for new agents'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "user" -d 'Who may log in, and what for'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "audit" -d 'What people did: logins, failed ones too, and changes'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "passwd" -d 'Change your own password; your other sessions end'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "setup" -d 'Make the first admin of a new server, and log in'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "login" -d 'Log in and store the access token'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "logout" -d 'End your session on the server and forget its access token'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "auth" -d 'Whether and as whom you are logged in'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "context" -d 'Servers that you work with'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "db" -d 'The database behind the server: connections, sizes, growth, partitions, bloat'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "sql" -d 'The SQL behind the commands, ready for psql'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "check" -d 'A plugin for Nagios, Icinga and their like: exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "health" -d 'Health of server and database'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "metrics" -d 'What the server counts, in the text format of Prometheus'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "version" -d 'Versions of this program and of the server'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "api" -d 'Send one request of the REST interface as you are logged in'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "doctor" -d 'Everything that has to be right for this program to work, one line each'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "config" -d 'The configuration of this program: where it is, what it says, whether it is right'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "keys" -d 'Keys of the dashboard'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c tyrctl -n "__fish_tyrctl_needs_command" -f -a "man" -d 'Write the man pages'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l view -d 'View to begin with [default: that of the last time, first overview]' -r -f -a "overview\t'A bit of everything'
agents\t'One line per agent'
events\t'Events as they happen'
drift\t'Events on which agent and server disagree'
alerts\t'Alerts that are pending or firing'
log\t'What this program did'
connection\t'Server, stream, lag, and how long the token lasts'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l filter -d 'Show only what matches, e.g. \'kind=exec verdict!=allow\'; `?` in the dashboard lists the fields' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l fps -d 'Frames per second at most, 1-30' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l theme -d 'Colours [default: those of the last time, first the terminal\'s own]; NO_COLOR and `--color never` take all of them away' -r -f -a "default\t'The terminal\'s own colours, on any background'
dark\t'Fixed colours for dark backgrounds'
light\t'Fixed colours for light backgrounds'
high-contrast\t'Nothing faint: bright colours on black'
mono\t'No colours; bold, underlined and reversed text'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l record -d 'Record everything that comes from the server into a new file; command lines and file names are in it' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l record-max -d 'End the recording when it has reached this size, in MiB' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l replay -d 'Play a recording instead of following a server' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l speed -d 'Play it that many times faster, e.g. 10 or 0.5' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l once -d 'Print one plain-text overview and end; without a terminal this happens anyway'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l ascii -d 'Draw with ASCII characters only'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l no-mouse -d 'Leave the mouse to the terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l fresh -d 'Begin as for the first time, whatever view, filter, order, columns and theme were left'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l stale -d 'Only those not heard from for longer than this [default when given alone: the server\'s 90 s]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l silent -d 'Only those heard from for longer than this, and without an event in that time [default when given alone: 7d]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l offline -d 'Only those not heard from for more than five minutes'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l online -d 'Only those that are heard from in time'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l archived -d 'Archived ones too'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agents" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l stale -d 'Only those not heard from for longer than this [default when given alone: the server\'s 90 s]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l silent -d 'Only those heard from for longer than this, and without an event in that time [default when given alone: 7d]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l offline -d 'Only those not heard from for more than five minutes'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l online -d 'Only those that are heard from in time'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l archived -d 'Archived ones too'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -f -a "show" -d 'All that is known of an agent'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -f -a "archive" -d 'Keep an agent out of lists, and don\'t let it in, until it is taken back'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -f -a "unarchive" -d 'Take an archived agent back'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and not __fish_seen_subcommand_from show archive unarchive revoke" -f -a "revoke" -d 'Shut an agent out for good: its certificate is refused from now on'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from archive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from unarchive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand agent; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l agent -d 'Only those of this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l type -d 'Only those of this agent type, e.g. claude-code' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l all -d 'Those that ended too'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -f -a "rename" -d 'Give an AI process a name of your own'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -f -a "types" -d 'Agent types: which are registered, and how many AI processes of each live'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -f -a "approve" -d 'Register an agent type: its AI processes run under the policy, on every host'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and not __fish_seen_subcommand_from rename types approve quarantine" -f -a "quarantine" -d 'Take the registration of an agent type back'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from types" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from approve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand ai; and __fish_seen_subcommand_from quarantine" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l since -d 'From this time on: 15m, 1d (24 hours), yesterday, 2026-11-21T09:30:00Z' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l until -d 'Up to this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l agent -d 'Only this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l by -d 'Count by this: who reported it, what was done, the policy version or rule that decided, why the verdicts differ, or the agent\'s and the server\'s verdict' -r -f -a "agent\t''
kind\t''
policy\t''
rule\t''
reason\t''
verdicts\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l events -d 'The events themselves instead of counts'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l severe -d 'Only where some of it is severe, as documented: an alert that should have been a denial. With --events, only such events'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand drift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l state -d 'Only alerts in this state' -r -f -a "open\t'Pending and firing ones'
firing\t'Firing ones'
pending\t'Those whose condition has to hold a little longer'
resolved\t'Those that are over'
all\t'All'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l rule -d 'Only alerts of this rule' -r -f -a "stale\t''
silent\t''
deny_spike\t''
drift\t''
sustained_drift\t''
loss\t''
posture_fell\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l agent -d 'Only alerts of this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -f -a "ack" -d 'Say that an alert is known; admins only'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -f -a "acknowledge" -d 'Say that an alert is known; admins only'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and not __fish_seen_subcommand_from ack acknowledge webhook" -f -a "webhook" -d 'Who is told of alerts; admins only'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l note -d 'What others should know' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l note -d 'What others should know' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from acknowledge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -f -a "add" -d 'Tell this address of alerts that fire or resolve. The secret that messages are signed with is shown only once'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -f -a "list" -d 'All webhooks, and how they fare'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -f -a "ls" -d 'All webhooks, and how they fare'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -f -a "remove" -d 'Tell an address no longer; what waits for it is dropped'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -f -a "rm" -d 'Tell an address no longer; what waits for it is dropped'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand alerts; and __fish_seen_subcommand_from webhook" -f -a "test" -d 'Send a message now and say what became of it. Exit code 1 when it was not taken'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -f -a "list" -d 'Stored events, newest first'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -f -a "ls" -d 'Stored events, newest first'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -f -a "tail" -d 'Events as they happen; goes on after a lost connection and says what it missed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -f -a "rate" -d 'Events per minute, by verdict or kind; per hour by agent'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and not __fish_seen_subcommand_from list ls tail rate agents" -f -a "agents" -d 'Agents with most events, by verdict'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l since -d 'From this time on: 15m, 1d (24 hours), yesterday, 2026-11-21T09:30:00Z' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l until -d 'Up to this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l agent -d 'Only events of this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l type -d 'Only events of AI processes of this type, e.g. claude-code' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l kind -d 'Only these kinds' -r -f -a "file_read\t''
file_write\t''
exec\t''
net_connect\t''
tls_connect\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l verdict -d 'Only these verdicts of the agent' -r -f -a "allow\t''
deny\t''
alert\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l severity -d 'Only this severity or worse' -r -f -a "low\t''
medium\t''
high\t''
critical\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l drift -d 'Only events on which agent and server disagree'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l since -d 'From this time on: 15m, 1d (24 hours), yesterday, 2026-11-21T09:30:00Z' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l until -d 'Up to this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l agent -d 'Only events of this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l type -d 'Only events of AI processes of this type, e.g. claude-code' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l kind -d 'Only these kinds' -r -f -a "file_read\t''
file_write\t''
exec\t''
net_connect\t''
tls_connect\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l verdict -d 'Only these verdicts of the agent' -r -f -a "allow\t''
deny\t''
alert\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l severity -d 'Only this severity or worse' -r -f -a "low\t''
medium\t''
high\t''
critical\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l drift -d 'Only events on which agent and server disagree'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l agent -d 'Only events of this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l type -d 'Only events of AI processes of this type, e.g. claude-code' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l kind -d 'Only these kinds' -r -f -a "file_read\t''
file_write\t''
exec\t''
net_connect\t''
tls_connect\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l verdict -d 'Only these verdicts of the agent' -r -f -a "allow\t''
deny\t''
alert\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l severity -d 'Only this severity or worse' -r -f -a "low\t''
medium\t''
high\t''
critical\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l last -d 'Begin with this many stored events' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l from -d 'Go on after this event of an earlier run (the `id:` of the stream)' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l count -d 'End after this many events' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l drift -d 'Only events on which agent and server disagree'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from tail" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l since -d 'From this time on [default: 1h]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l until -d 'Up to this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l by -d 'One row per minute and this; by agent one per hour, and by minute nothing else' -r -f -a "verdict\t''
kind\t''
minute\t''
agent\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l ascii -d 'Draw with ASCII characters only'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from rate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l since -d 'From this time on [default: 1d]; the hour that it falls into counts whole' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l until -d 'Up to this time; the hour that it falls into counts whole' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand events; and __fish_seen_subcommand_from agents" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand why" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "apply" -d 'Check a policy and store it as a new version'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "check" -d 'Check a file: where each rule is enforced, and what it costs'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "test" -d 'Judge the cases of a file by a policy, and name those that come out otherwise'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "diff" -d 'What two policies say differently: rules, and what comes of them'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "simulate" -d 'What a policy would have said of the events that are stored'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "list" -d 'All versions, newest first'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "ls" -d 'All versions, newest first'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "status" -d 'Hosts on which the assigned policy is not in force, and why'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "show" -d 'The text of a version'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "rollback" -d 'Make a new version with the text of an earlier one'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "assign" -d 'Put a version in force for an agent, for an agent type, or for all'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "unassign" -d 'End what is assigned to an agent, to an agent type, or to all'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "assignments" -d 'What is assigned to whom'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and not __fish_seen_subcommand_from apply check test diff simulate list ls status show rollback assign unassign assignments effective" -f -a "effective" -d 'What an agent should run, and whether it does'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -s f -l file -d 'The policy; `-` reads standard input' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l dry-run -d 'Check only; nothing is sent'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -s y -l yes -d 'Taken as by every verb that changes something; applying asks nothing, as a new version is in force nowhere'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l fail-on-warning -d 'Exit with 3 when there are warnings'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -s c -l cases -d 'The cases' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -s a -l all -d 'Show the cases that come out as expected too'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l fail-on-difference -d 'Exit with 3 when something is judged differently'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l since -d 'Events from this time on' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l until -d 'Events up to this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l agent -d 'Only events of this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l type -d 'Only events of AI processes of this type, e.g. claude-code' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l by -d 'Count apart by these, besides change, rule, kind and type: `agent`, `ai` (each AI process); `rule` for neither' -r -f -a "agent\t''
ai\t''
rule\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l max-events -d 'Judge at most so many events, the newest' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l fail-on-denied -d 'Exit with 3 when something would be newly denied'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l all -d 'Those on which it is in force too'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l version -d 'Which version' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l agent -d 'This agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l agent-type -d 'AI processes of this type, on all agents' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l target-type -d 'The target as the REST interface names it, with --target-id' -r -f -a "daemon\t''
agent\t''
agent_type\t''
all\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l target-id -d 'Agent id or agent type' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l all -d 'Every agent that has none of its own'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l agent -d 'What this agent has of its own, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l agent-type -d 'What AI processes of this type have, on all agents' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l all -d 'What every agent has that has none of its own'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from unassign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from assignments" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand policy; and __fish_seen_subcommand_from effective" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -f -a "create" -d 'Make a token with which new agents enroll. It is shown only once'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -f -a "list" -d 'All tokens, without their secrets'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -f -a "ls" -d 'All tokens, without their secrets'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and not __fish_seen_subcommand_from create list ls revoke" -f -a "revoke" -d 'Make a token useless; agents that enrolled with it stay'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l label -d 'What it is for, 1-128 characters' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l max-uses -d 'How many agents may enroll with it' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l expires-hours -d 'When it stops working' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand token; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "list" -d 'All users'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "ls" -d 'All users'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "show" -d 'One user in detail'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "create" -d 'Make a user'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "set-role" -d 'Give a user another role; its sessions end'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "reset-password" -d 'Give a user another password; its sessions end'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "delete" -d 'Remove a user; its sessions end. What it did stays in the audit log'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and not __fish_seen_subcommand_from list ls show create set-role reset-password delete rm" -f -a "rm" -d 'Remove a user; its sessions end. What it did stays in the audit log'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l role -d 'What it may do' -r -f -a "viewer\t'Reads agents, policies and events'
admin\t'Everything'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l password-stdin -d 'Read the password from the first line of standard input instead of asking for it'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from set-role" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l password-stdin -d 'Read the password from the first line of standard input instead of asking for it'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from reset-password" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand user; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l actor -d 'Only what this user did' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l action -d 'Only this action, e.g. user.create, or all of an area, e.g. user' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l since -d 'From this time on: 15m, 1d (24 hours), yesterday, 2026-11-21T09:30:00Z' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l until -d 'Up to this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand audit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l password-stdin -d 'Read the passwords from standard input instead of asking: the current one on the first line, the new one on the second'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand passwd" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l username -d 'Name of the first admin, 1-64 characters' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l password-stdin -d 'Read the password from the first line of standard input instead of asking for it'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l username -d 'Your name on the server' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l password-stdin -d 'Read the password from the first line of standard input instead of asking for it'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l all -d 'The sessions of all contexts'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l everywhere -d 'All your sessions on the server, those of other machines too'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -f -a "status" -d 'Where the access token lies, for whom it is, and how long it works'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and not __fish_seen_subcommand_from status rotate-key" -f -a "rotate-key" -d 'Replace the key that signs sessions, without a restart'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l end-sessions -d 'Take no token of the key before: everybody has to log in again'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand auth; and __fish_seen_subcommand_from rotate-key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "list" -d 'All contexts'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "ls" -d 'All contexts'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "use" -d 'Work with this context from now on'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "show" -d 'One context; without a name the one in use'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "add" -d 'Add a context, or change one'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "remove" -d 'Remove a context and its access token'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and not __fish_seen_subcommand_from list ls use show add remove rm" -f -a "rm" -d 'Remove a context and its access token'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l read-only -d 'Refuse everything that changes something on the server' -r -f -a "true\t''
false\t''"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l use -d 'Work with it from now on'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand context; and __fish_seen_subcommand_from rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -f -a "connections" -d 'Connections to the database, by program and state'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -f -a "tables" -d 'Tables with their sizes and growth per day; `events` stands for all its partitions'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -f -a "partitions" -d 'Days of events, newest first'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -f -a "indexes" -d 'Indexes with an estimate of their bloat, largest first'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and not __fish_seen_subcommand_from connections tables partitions indexes apart" -f -a "apart" -d 'What agents sent and is not among the events: too far ahead, refused, or too late'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from connections" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from tables" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from partitions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from indexes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l sql -d 'Print the SQL that answers this, ready for psql, and do nothing else; needs no server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand db; and __fish_seen_subcommand_from apart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -f -a "list" -d 'The statements by name, with what they answer'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -f -a "ls" -d 'The statements by name, with what they answer'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and not __fish_seen_subcommand_from list ls show" -f -a "show" -d 'One statement, ready for psql'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand sql; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -s w -l warning -d 'WARNING when a count is outside of this range, e.g. 0 for more than none [default: 0 for deny and drift]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -s c -l critical -d 'CRITICAL when a count is outside of this range [default: 0 for stale, silent and sustained]' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l stale-after -d 'How long an agent may not be heard from' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l since -d 'Count drift from this time on' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l agent -d 'Only this agent, by name or id' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand health" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l filter -d 'Only those whose name begins with this' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand metrics" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l client -d 'Don\'t ask the server'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l query -d 'A parameter of the query; may be given several times' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l input -d 'Send this JSON document as the body; `-` reads standard input' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -s y -l yes -d 'Don\'t ask; needed where there is no terminal'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l dry-run -d 'Only say what would be changed'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand api" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l wait -d 'How long to wait for a sign of life on the event stream; the server sends one each 10 s' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -f -a "path" -d 'Where the configuration file is, whether or not there is one'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -f -a "show" -d 'What is in force, from flags, environment and file'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -f -a "schema" -d 'The JSON Schema of the configuration file, for editors'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and not __fish_seen_subcommand_from path show schema check" -f -a "check" -d 'Whether the configuration is right: known keys, addresses, certificate files, time zones, modes of files'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l origin -d 'Say where each value comes from'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l columns -d 'Show these columns, in this order; `+name` adds one, `-name` leaves one out' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l sort -d 'Sort by these columns, e.g. `name` or `last_seen:desc`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l limit -d 'Print at most this many rows; 0 prints all' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -s w -l watch -d 'Ask again and again, each SECONDS [default when given alone: 2], and redraw in place; in a pipe print one output after the other' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l markdown -d 'As a table of Markdown'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l no-headers -d 'Leave out the line of column names'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l fail-on-any -d 'Exit with 3 when at least one row is found; with --watch as soon as one is'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l fail-on-none -d 'Exit with 3 when no row is found; with --watch as soon as there is none'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand keys" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l dynamic -d 'Print the loader of the dynamic completion instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l dir -d 'Write one page per command into this folder' -r -f -a "(__fish_complete_directories)"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l context -d 'Use this context of the configuration file' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l server -d 'Server to talk to, e.g. `https://tyr.example.com:7701`' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l ca-file -d 'Trust only the certificate authorities in this PEM file' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l token-file -d 'Read the access token from this file; else TYR_TOKEN, else what `tyrctl login` stored' -r -F
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l timeout -d 'Give up on an answer, and on the computing of --jq, after this time' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -s o -l output -d 'Form of the output [default: table; with --json or --jq json]' -r -f -a "table\t'Aligned columns for people'
wide\t'A table with all columns'
json\t'One JSON document'
jsonl\t'One JSON object per line'
yaml\t'One YAML document'
csv\t'Comma-separated values with a head'
tsv\t'Tab-separated values with a head'
name\t'Names alone, one per line'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l json -d 'Short for `-o json`; with FIELDS only these, e.g. `--json=name,last_seen`' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l jq -d 'Print what this jq expression makes of the JSON, e.g. `\'.[] | select(.lost > 0) | .name\'`; strings without quotes' -r -f
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l color -d 'Colours on standard output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Also in a pipe'
never\t'Not at all'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l tz -d 'Show times in this zone, e.g. Europe/Berlin or local' -r
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l time -d 'How times are shown: each as suits it, or all alike' -r -f -a "relative\t'How long ago: 9m39s ago'
rfc3339\t'2026-11-22T19:30:00Z, in the zone of --tz'
local\t'The same in the zone of this machine'"
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -s q -l quiet -d 'No notes on standard error'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -l no-input -d 'Never ask a question; fail instead'
complete -c tyrctl -n "__fish_tyrctl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
